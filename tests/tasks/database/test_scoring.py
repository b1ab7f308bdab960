"""AgentBench's verdict: golden vectors, worked out by its published rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.tasks.database.scoring import clean, matches

#: (answer, label, verdict)
VECTORS: list[tuple[Any, Any, bool]] = [
    (["36"], ["36"], True),
    (["36"], ["36.0"], True),
    (["36.01"], ["36"], True),
    (["36.02"], ["36"], False),
    (["1,174"], ["1174.0"], True),
    (["12%"], ["12"], True),
    (["1,234%"], ["1234"], False),  # a percent sign goes, and its commas then stay
    ([" 'Vienna' "], ["Vienna"], True),
    (["vienna"], ["Vienna"], False),
    (["None"], ["0"], True),
    ([None], ["none"], True),
    ([""], ["null"], True),
    (["nan"], ["0.0"], True),
    (["a", "b"], ["b", "a"], True),
    (["a", "a", "b"], ["a", "b"], True),  # sets
    (["1", "2"], ["2.0", "1.0"], True),
    (["1", "1"], ["1"], False),  # numbers are counted
    (["1", "x"], ["1.0", "x"], False),  # not all are numbers: compared as texts
    (["a", "b"], ["a"], False),
    ([], ["a"], False),
    ("Vienna", ["Vienna"], True),
    ("[('Vienna',)]", ["Vienna"], True),
    ("[('a',), ('b',)]", ["b", "a"], True),
    ('["a", "b"]', ["a", "b"], True),
    ("[a, b]", ["b", "a"], True),
    (["[('Vienna',)]"], ["Vienna"], False),
    (["Smith, John"], ["Smith John"], True),
]


@pytest.mark.parametrize(("answer", "label", "verdict"), VECTORS)
def test_golden_vectors(answer: Any, label: Any, verdict: bool) -> None:
    assert matches(answer, label) is verdict


answers = st.recursive(
    st.text() | st.none() | st.integers() | st.floats(), lambda inner: st.lists(inner, max_size=4)
)


@given(answers, answers)
def test_any_two_answers_are_judged_alike_both_ways(one: Any, other: Any) -> None:
    assert matches(one, other) == matches(other, one)
    assert matches(one, clean(one)) or any(
        "'" in part or "%" in part or "," in part for part in clean(one)
    )
