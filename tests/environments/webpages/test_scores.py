"""The score file is a pickle of unknown origin: plain data is read, all else is refused unexecuted."""

from __future__ import annotations

import os
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import DataError
from tmbr.environments.webpages import read_ranks, write_scores

SCORES = {"t_a": {"5": 0.1, "7": 0.9, "8": 0.4}, "t_b": {"1": -2.0}}
RANKS = {"t_a": {"7": 0, "8": 1, "5": 2}, "t_b": {"1": 0}}


class Attack:
    """Unpickled, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_scores_are_ranked_from_zero(tmp_path: Path) -> None:
    write_scores(tmp_path / "s.pkl", SCORES)
    assert read_ranks(tmp_path / "s.pkl") == RANKS


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_numbers_of_numpy_and_default_dictionaries_are_plain_data(
    tmp_path: Path, protocol: int
) -> None:
    numpy = pytest.importorskip("numpy", reason="no NumPy here to make its pickles")
    scores: dict[str, Any] = defaultdict(dict)
    scores["t_a"] = {"5": numpy.float32(0.5), "7": numpy.float64(0.25)}
    held = {"scores": scores, "ranks": {"t_a": {"5": numpy.int64(0), "7": 1}}}
    (tmp_path / "s.pkl").write_bytes(pickle.dumps(held, protocol))
    assert read_ranks(tmp_path / "s.pkl") == {"t_a": {"5": 0, "7": 1}}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_called(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "s.pkl"
    made = tmp_path / "made"
    path.write_bytes(pickle.dumps({"scores": {}, "ranks": Attack(made)}, protocol))
    with pytest.raises(DataError, match=r"asks for (posix|nt)\.mkdir, which is no plain data"):
        read_ranks(path)
    assert not made.exists()


@pytest.mark.parametrize("name", ["builtins eval", "os system", "builtins getattr", "numpy load"])
def test_no_other_name_is_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / "s.pkl"
    module, function = name.split()
    path.write_bytes(f"c{module}\n{function}\n(S'1'\ntR.".encode())
    with pytest.raises(DataError, match="no plain data"):
        read_ranks(path)


@pytest.mark.parametrize(
    "held",
    [
        [],
        {"scores": {}},
        {"scores": {}, "ranks": []},
        {"scores": {}, "ranks": {"t": 3}},
        {"scores": {}, "ranks": {"t": {"5": "first"}}},
        {"scores": {}, "ranks": {"t": {5: 1}}},
        {"scores": {}, "ranks": {"t": {"5": -1}}},
    ],
)
def test_another_schema_is_told(tmp_path: Path, held: Any) -> None:
    path = tmp_path / "s.pkl"
    path.write_bytes(pickle.dumps(held))
    with pytest.raises(DataError, match=r"holds no scores and ranks|are no numbers by node id"):
        read_ranks(path)


def test_a_missing_or_truncated_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.pkl"
    with pytest.raises(DataError, match="no such file"):
        read_ranks(path)
    write_scores(path, SCORES)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(
        DataError, match=r"no plain pickle .*; get Mind2Web's scores_all_data.pkl again"
    ):
        read_ranks(path)


@given(st.binary(max_size=60))
def test_any_bytes_are_ranks_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, held: bytes
) -> None:
    path = tmp_path_factory.mktemp("scores") / "s.pkl"
    path.write_bytes(held)
    with pytest.raises(DataError):
        read_ranks(path)
