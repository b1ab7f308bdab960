"""Golden vectors of the metrics, and the two ways of averaging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.environments.webpages import Candidate, Chosen, WebStep
from tmbr.tasks.webpages.metrics import METRICS, macro, micro, operation_f1, scored

STEP = WebStep("u", "", "TYPE", "New York City", (Candidate("input", "7"), Candidate("div", "6")), ())


@pytest.mark.parametrize(
    ("said", "gold", "f1"),
    [
        ("CLICK", "CLICK", 1.0),
        ("TYPE", "CLICK", 0.0),
        ("TYPE New York", "TYPE New York City", 6 / 7),
        ("TYPE york City new", "TYPE New York City", 0.5),
        ("SELECT New York City", "TYPE New York City", 0.75),
        ("City York New TYPE TYPE", "TYPE New York City", 1.0),
        ("CLICK yes", "CLICK", 2 / 3),
        ("", "CLICK", 0.0),
        ("", "", 1.0),
    ],
)
def test_operation_f1(said: str, gold: str, f1: float) -> None:
    assert operation_f1(said, gold) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("chosen", "reachable", "wanted"),
    [
        (Chosen("7", "TYPE New York City"), True, (1, 1, 1)),
        (Chosen("6", "TYPE New York City"), True, (1, 1, 1)),
        (Chosen("7", "TYPE New York"), True, (1, 6 / 7, 0)),
        (Chosen("8", "TYPE New York City"), True, (0, 1, 0)),
        (Chosen("8", "TYPE New York City"), False, (0, 0, 0)),
        (None, True, (0, 0, 0)),
    ],
)
def test_a_step_is_right_when_element_and_operation_are(
    chosen: Chosen | None, reachable: bool, wanted: tuple[float, ...]
) -> None:
    score = scored(chosen, STEP, reachable)
    assert tuple(score.detail[name] for name in METRICS) == pytest.approx(wanted)
    assert (score.value, score.success) == (wanted[-1], wanted[-1] == 1)


def test_a_click_has_no_value_and_a_value_is_one_line() -> None:
    assert WebStep("u", "", "CLICK", "left over", (), ()).target == "CLICK"
    assert WebStep("u", "", "TYPE", " two \nlines", (), ()).target == "TYPE two"


def detail(task: str, steps: int, element: float, f1: float, success: float) -> dict[str, object]:
    return {"task": task, "steps": steps} | dict(zip(METRICS, (element, f1, success), strict=True))


def test_micro_counts_steps_and_macro_counts_tasks() -> None:
    long = [detail("long", 3, 1, 1, 1), detail("long", 3, 1, 0.5, 0), detail("long", 3, 0, 0, 0)]
    short = [detail("short", 1, 1, 1, 1)]
    assert micro([*long, *short]) == pytest.approx(
        {"element_accuracy": 3 / 4, "operation_f1": 2.5 / 4, "step_success": 2 / 4}
    )
    found = macro([long[0], short[0], *long[1:]])  # in any order
    assert found == pytest.approx(
        {
            "element_accuracy": (2 / 3 + 1) / 2,
            "operation_f1": (0.5 + 1) / 2,
            "step_success": (1 / 3 + 1) / 2,
            "task_success": 0.5,
        }
    )


def test_a_task_that_was_tried_in_part_is_not_done() -> None:
    assert macro([detail("t", 2, 1, 1, 1)])["task_success"] == 0.0
    assert macro([detail("t", 2, 1, 1, 1)] * 2)["task_success"] == 1.0


def test_of_nothing_all_is_zero() -> None:
    assert set(micro([]).values()) == set(macro([]).values()) == {0.0}


@given(st.text(), st.text())
def test_f1_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 <= operation_f1(one, other) == operation_f1(other, one) <= 1
    assert operation_f1(one, one) == 1
