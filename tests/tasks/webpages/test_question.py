"""A question is written and read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tmbr.tasks.webpages.question import Question, letter, place, read_question

words = st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1).map(
    lambda told: " ".join(f"w{told}".split())
)
questions = st.builds(
    Question,
    words,
    words,
    st.lists(words.map("[button]  {} -> CLICK".format), max_size=5).map(tuple),
    st.lists(words, max_size=25).map(tuple),
)


@given(questions, words)
def test_a_question_is_read_back_whatever_stands_around_it(asked: Question, around: str) -> None:
    assert read_question(f"{around}\n{asked}\n{around}") == asked
    assert read_question(f"{asked}\n{asked}") == asked


@given(st.text())
def test_any_text_is_a_question_or_none(text: str) -> None:
    assert isinstance(read_question(text), Question | None)
    assert read_question("") is None


def test_letters_start_behind_none_of_the_above() -> None:
    assert [letter(at) for at in (0, 4, 24)] == ["B", "F", "Z"]
    assert [place(one, "12345") for one in "ABFG"] == [None, 0, 4, None]
    first = "Which element comes next?\nA. None of the above\nB. x"
    assert str(Question("p", "t", (), ("x",))) == f"Page: p\nTask: t\nPrevious actions:\nNone\n{first}"
