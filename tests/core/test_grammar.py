"""Patterns: what they say is what their regular expression reads."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.grammar import LINE, TEXT, chars, literal, one_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(TEXTS, TEXTS)
def test_a_literal_is_itself_alone(text: str, other: str) -> None:
    pattern = literal(text)
    assert pattern.fits(text)
    assert pattern.fits(other) == (text == other)
    assert pattern.enough == text


@given(st.lists(TEXTS, min_size=1, max_size=5), TEXTS)
def test_one_of_is_any_of_them_in_any_place(texts: list[str], around: str) -> None:
    pattern = around + one_of(texts) + around
    assert all(pattern.fits(f"{around}{text}{around}") for text in texts)
    assert len(pattern.enough) == 2 * len(around) + max(map(len, texts))


@given(TEXTS)
def test_a_line_is_not_blank_and_one_line(text: str) -> None:
    if LINE.fits(text):
        assert text.lstrip() == text != ""
        assert re.search(r"^(\S.*)$", text)
        assert "\n" not in text
    if TEXT.fits(text):
        assert text.lstrip() == text != ""
        assert text[0] != ":"


def test_repetition_is_counted() -> None:
    some = ("a" + chars("[0-9]", 1, 2)).times(1, 3)
    assert [text for text in ("", "a1", "a12a3", "a1a1a1a1", "a123") if some.fits(text)] == [
        "a1",
        "a12a3",
    ]
    assert literal("ab").times(0, 1).fits("")
    assert (literal("a") | literal("b")).times().gbnf == '(("a" | "b"))*'
