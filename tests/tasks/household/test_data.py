"""ALFWorld's games as samples: folders, archives, the validation part, and what may be broken."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from tests.environments.test_household_files import file
from tests.reference.scenes import GOALS, small
from tmbr.core.errors import DataError
from tmbr.tasks.household import Household
from tmbr.tasks.household.data import VALIDATION_SHARE, samples, train_prior
from tmbr.tasks.household.prior import common_sense, counted


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def unpacked(folder: Path, tasks: int = 6, trials: int = 1) -> Path:
    """Games under `folder`, in the shape of ALFWorld's download."""
    games = [small(task_type) for task_type in GOALS]
    for task in range(tasks):
        for trial in range(trials):
            path = folder / f"task-{task:03d}" / f"trial-{trial}" / "game.tw-pddl"
            path.parent.mkdir(parents=True)
            path.write_text(file(games[task % len(games)]))
    return folder


def packed(root: Path, split: str, tmp_path: Path) -> Path:
    folder = unpacked(tmp_path / "made" / split)
    path = root / "alfworld" / f"{split}.tar.xz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:xz") as archive:
        archive.add(folder, split)
    return path


@pytest.mark.parametrize("place", ["valid_seen", "json_2.1.1/valid_seen"])
def test_a_folder_is_read_where_it_lies(tmp_path: Path, place: str) -> None:
    unpacked(tmp_path / "alfworld" / place)
    task = Household("alfworld-valid_seen", root=tmp_path)
    found = task.samples("valid_seen")
    assert len(found) == 6
    assert found[0].id == "alfworld-valid_seen/task-000/trial-0"
    assert found[0].instruction == "place it."
    assert task.game(found[0]).scene == small("pick_and_place_simple").scene
    assert task.game(found[0]).version == "put"


def test_the_same_games_have_the_same_ids_wherever_they_lie(tmp_path: Path) -> None:
    unpacked(tmp_path / "a" / "alfworld" / "valid_seen")
    packed(tmp_path / "b", "valid_seen", tmp_path)
    a, b = (list(samples("alfworld-valid_seen", tmp_path / root)) for root in "ab")
    assert a == b
    assert [sample.digest for sample in a] == [sample.digest for sample in b]


def test_an_archive_is_unpacked_once(tmp_path: Path, cache: Path) -> None:
    path = packed(tmp_path, "valid_seen", tmp_path)
    first = list(samples("alfworld-valid_seen", tmp_path))
    mark = next(cache.rglob("game.tw-pddl")).stat().st_mtime_ns
    assert list(samples("alfworld-valid_seen", tmp_path)) == first
    assert next(cache.rglob("game.tw-pddl")).stat().st_mtime_ns == mark
    os.utime(path, ns=(0, 0))  # another archive is unpacked beside it
    assert list(samples("alfworld-valid_seen", tmp_path)) == first
    assert len(list((cache / "tmbr").iterdir())) == 2


@pytest.mark.parametrize("spoil", ["cut", "garbled", "text"])
def test_a_broken_archive_is_one_line_and_leaves_nothing(
    tmp_path: Path, cache: Path, spoil: str
) -> None:
    path = packed(tmp_path, "valid_seen", tmp_path)
    data = bytearray(path.read_bytes())
    if spoil == "garbled":
        data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    path.write_bytes(
        {"cut": bytes(data[: len(data) // 2]), "garbled": bytes(data), "text": b"not found"}[spoil]
    )
    with pytest.raises(DataError, match=r"valid_seen.tar.xz: cannot be unpacked \(.*\); get it again"):
        samples("alfworld-valid_seen", tmp_path)
    assert list((cache / "tmbr").iterdir()) == []


def test_validation_is_cut_from_train_by_task(tmp_path: Path) -> None:
    unpacked(tmp_path / "alfworld" / "train", tasks=200, trials=2)
    train, validation = (
        [sample.id.split("/")[1:] for sample in samples(name, tmp_path)]
        for name in ("alfworld-train", "alfworld-validation")
    )
    tasks = {task for task, _ in train}, {task for task, _ in validation}
    assert tasks[0].isdisjoint(tasks[1])
    assert len(train) + len(validation) == 400
    assert 0 < len(tasks[1]) < 3 * 200 / VALIDATION_SHARE


def test_missing_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set TMBR_DATA"):
        samples("alfworld-valid_seen", tmp_path)
    (tmp_path / "alfworld" / "valid_seen").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no game\.tw-pddl below it"):
        samples("alfworld-valid_seen", tmp_path)


def test_a_truncated_game_is_one_line(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "alfworld" / "valid_seen")
    first, second = sorted(folder.rglob("game.tw-pddl"))[:2]
    first.write_text(first.read_text()[:100])
    second.write_text(second.read_text()[:-100])
    task = Household("alfworld-valid_seen", root=tmp_path)
    with pytest.raises(DataError, match=r"task-000/.*no task sentence; it is truncated"):
        task.samples("valid_seen")[0]
    with pytest.raises(DataError, match=r"task-001/.*(truncated|no task sentence)"):
        task.open(task.samples("valid_seen")[1])


def test_what_the_expert_knows_is_counted_on_train_games(tmp_path: Path, cache: Path) -> None:
    assert train_prior(tmp_path) == common_sense()
    unpacked(tmp_path / "alfworld" / "train", tasks=60)
    prior = train_prior(tmp_path)
    assert prior == counted([small("pick_and_place_simple")])
    assert prior["apple"] == {"cabinet": 1.0, "diningtable": 1.0}
    (kept,) = (cache / "tmbr").glob("prior-*.json")
    mark = kept.stat().st_mtime_ns
    assert train_prior(tmp_path) == prior
    assert kept.stat().st_mtime_ns == mark
    kept.write_text("{")
    assert train_prior(tmp_path) == prior
