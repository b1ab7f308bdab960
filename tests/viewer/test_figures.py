from __future__ import annotations

import pytest

from tests.viewer.rows import row
from tmbr.viewer import figures, text


def test_cells_are_grouped_by_question_and_measured_against_the_dearest() -> None:
    rows = [
        row("react", 0.5, tokens_in=900, tokens_out=100, prefill_computed=300),
        row("paper", 0.4, tokens_in=3600, tokens_out=400, prefill_computed=None),
        row("react", 0.2, split="validation", tokens_in=None),
    ]
    first, second = figures.groups(rows)
    assert [first.name, second.name] == [
        "household · generated · test",
        "household · generated · validation",
    ]
    assert [(cell.asked, cell.computed) for cell in first.cells] == [(25.0, 10.0), (100.0, 100.0)]
    assert [cell.best for cell in first.cells] == [True, False]
    assert second.cells[0].tokens is None


def test_statuses_fill_the_bar_in_order() -> None:
    rows = [row("react", 0.5, statuses={"task error": 10, "completed": 30})]
    parts = figures.groups(rows)[0].cells[0].parts
    assert [(part.name, part.start, part.width, part.at) for part in parts] == [
        ("completed", 0.0, 75.0, 37.5),
        ("task error", 75.0, 25.0, 87.5),
    ]


def test_differences_share_a_symmetric_axis() -> None:
    wide = {"a": "x", "b": "y", "difference": 0.1, "ci95": (-0.05, 0.25), "failures_gone": 0.2}
    sure = {**wide, "difference": -0.15, "ci95": (-0.3, -0.01)}
    gain = {**wide, "ci95": (0.01, 0.19)}
    drawn, ticks = figures.differences([wide, sure, gain])
    assert ticks == ["−30", "−15", "0", "+15", "+30"]
    assert drawn[0].at == pytest.approx(50 + 50 / 3)
    assert [d.certain for d in drawn] == [None, "loss", "gain"]
    assert figures.differences([])[0] == []


def test_numbers_as_a_reader_sees_them() -> None:
    assert [text.compact(n) for n in (None, 7, 999, 12345, 2.5e6)] == ["–", "7", "999", "12.3k", "2.5M"]
    assert [text.points(d) for d in (0.185, -0.02, -0.0001)] == ["+18.5", "−2.0", "0.0"]
    assert [text.percent(s) for s in (0.5, -0.565, None)] == ["50.0%", "−56.5%", "–"]
    assert [text.count(n) for n in (0, 9.84, 1234.6)] == ["0", "9.8", "1,235"]
    assert text.clip("abcdef", 4) == "abc … [2 characters] … f"


def test_an_oracle_is_drawn_but_never_the_best() -> None:
    (group,) = figures.groups([row("react", 0.5), row("react pass@4", 0.9, access="oracle")])
    assert [cell.best for cell in group.cells] == [True, False]
    assert group.leader is not None
    assert group.leader.row["strategy"] == "react"
