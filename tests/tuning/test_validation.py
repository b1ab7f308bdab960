from __future__ import annotations

import json
from pathlib import Path

import pytest

from tmbr.core.errors import DataError
from tmbr.tuning.validation import Validation


def test_the_first_of_the_best_is_kept_and_patience_ends(tmp_path: Path) -> None:
    validation = Validation(tmp_path / "validation.json", every=2, patience=2)
    assert [validation.due(step) for step in range(4)] == [True, False, True, False]
    assert [validation.note(2 * at, value) for at, value in enumerate([0.1, 0.5, 0.5])] == [
        *(True, True, False)
    ]
    assert not validation.stop
    validation.note(6, 0.4)
    assert validation.stop
    assert json.loads((tmp_path / "validation.json").read_text()) == {
        "best": 2,
        "success": {"0": 0.1, "2": 0.5, "4": 0.5, "6": 0.4},
    }


def test_after_a_resume_later_measurements_are_made_again(tmp_path: Path) -> None:
    first = Validation(tmp_path / "validation.json", every=1)
    for step in range(4):
        first.note(step, step / 10)
    again = Validation(tmp_path / "validation.json", every=1)
    again.resume(1)
    assert again.measured == {0: 0.0, 1: 0.1}
    assert not again.due(1)
    assert again.due(2)
    assert not again.stop
    (tmp_path / "validation.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        again.resume(1)
