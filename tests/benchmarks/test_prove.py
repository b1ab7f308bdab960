"""The proof of search: its statistics by hand, and a small share of it, played and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.prove.cells import Cell, play, play_all
from benchmarks.prove.search import BUDGETS, NOISE, OURS, TRIALS, prove
from benchmarks.prove.verdicts import crossed, holm, inferior, interval, not_inferior, paired
from hypothesis import given
from hypothesis import strategies as st


def test_paired_differences_by_hand() -> None:
    difference, error = paired([1, 1, 0, 1], [0, 1, 0, 0])
    assert difference == 0.5
    assert error == pytest.approx((4 / 12) ** 0.5 / 2)
    low, high = interval(difference, error)
    assert (low + high) / 2 == pytest.approx(0.5)
    assert high - low == pytest.approx(2 * 1.959964 * error)


def test_runs_and_samples_are_drawn_anew() -> None:
    assert crossed([[0.25] * 8] * 3) == (0.25, 0.25)
    assert crossed([[0.0] * 8, [1.0] * 8]) == (0.0, 1.0)
    low, high = crossed([[0.0, 1.0] * 200])
    assert (low, high) == pytest.approx((0.5 - 0.049, 0.5 + 0.049), abs=0.01)
    assert crossed([[0.0, 1.0] * 200] * 5) == pytest.approx((low, high), abs=0.01)
    assert crossed([[0.0, 1.0, 1.0]]) == crossed([[0.0, 1.0, 1.0]])


def test_the_margin_decides_on_which_side_a_difference_lies() -> None:
    assert inferior(-0.03, 0.01, 0.03) == pytest.approx(0.5)
    assert inferior(-0.06, 0.01, 0.03) < 0.01 < 0.99 < inferior(0.0, 0.01, 0.03)
    assert not_inferior(0.0, 0.01, 0.03) < 0.01 < 0.99 < not_inferior(-0.06, 0.01, 0.03)
    assert (inferior(0.0, 0.0, 0.03), not_inferior(0.0, 0.0, 0.03)) == (1.0, 0.0)


def test_holm_rejects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert holm([0.02, 0.02]) == [True, True]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_lies_between_bonferroni_and_no_correction(p_values: list[float]) -> None:
    rejected = holm(p_values)
    for p, said in zip(p_values, rejected, strict=True):
        assert (p <= 0.05 / len(p_values)) <= said <= (p <= 0.05)


def test_cells_are_kept_and_a_torn_line_is_played_again(tmp_path: Path) -> None:
    kept = tmp_path / "cells.jsonl"
    cells = [Cell("household", "noisy-expert:0.3", name, 4000, 3) for name in ("react", OURS)]
    first = play_all(cells, kept, 1)
    whole = kept.read_text()
    kept.write_text(whole[: len(whole) - 20] + "\n")
    assert play_all(cells, kept, 1) == first
    assert len(kept.read_text().splitlines()) == 3
    assert first[cells[0].key] == play(cells[0])


@pytest.mark.slow
def test_a_share_of_the_proof_has_all_its_parts(tmp_path: Path) -> None:
    found = prove(["household"], 2, 2, tmp_path / "cells.jsonl")
    assert len(found["equal_budgets"]) == len(NOISE) * len(BUDGETS) * len(TRIALS)
    names = [row["name"] for row in found["rows"]]
    assert "of them ours worse by more than 3 points, Holm 5%" in names
    assert "more branches (multibranch): largest drop" in names
    assert all(0 <= line["success"] <= 1 for line in found["equal_budgets"] + found["ablations"])
    assert found["chosen"]["household"][OURS] in TRIALS[OURS]
