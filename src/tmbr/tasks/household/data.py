"""ALFWorld's games as samples: found under `TMBR_DATA/alfworld`, packed or unpacked.

A split is a folder `train`, `valid_seen` or `valid_unseen` of `…/game.tw-pddl` files (as ALFWorld's
download has them under `json_2.1.1`), or the same as `SPLIT.tar.xz`, which is unpacked once into the
user's cache folder.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tmbr.core.errors import DataError
from tmbr.core.types import Sample
from tmbr.environments.household import Game
from tmbr.tasks.household.prior import Prior, cached, common_sense
from tmbr.tasks.samples import Lazy, data_root

#: Name of the data set -> folder of its games. The validation part is cut from train, by room and task.
SPLITS = {
    "alfworld-train": "train",
    "alfworld-validation": "train",
    "alfworld-valid_seen": "valid_seen",
    "alfworld-valid_unseen": "valid_unseen",
}
#: One task folder in this many is validation; the trials of one folder share room and goal.
VALIDATION_SHARE = 20
_TASK = re.compile(r"Your task is to: (.*?)\"")


def samples(name: str, root: Path | None) -> Sequence[Sample]:
    """The samples of one of `SPLITS`. Raises DataError when its files are not there."""
    folder = _folder(SPLITS[name], root)
    paths = _games(name, folder)
    return Lazy(len(paths), lambda index: _sample(name, folder, paths[index]))


def train_prior(root: Path | None) -> Prior:
    """Where things are found, counted on the train games; common sense where there are none."""
    try:
        folder = _folder("train", root)
    except DataError:
        return common_sense()
    paths = _games("alfworld-train", folder)
    key = hashlib.sha256(json.dumps([str(path) for path in paths]).encode()).hexdigest()[:16]
    return cached(_cache() / f"prior-{key}.json", (Game.load(path, "put") for path in paths))


def _games(name: str, folder: Path) -> list[Path]:
    paths = sorted(folder.rglob("game.tw-pddl"))
    if SPLITS[name] == "train":
        held_out = name == "alfworld-validation"
        paths = [p for p in paths if _validation(p) == held_out]
    if not paths:
        raise DataError(f"{folder}: no game.tw-pddl below it; see `tmbr data check`")
    return paths


def game_path(sample: Sample, root: Path | None) -> Path:
    """Where the game of a sample lies on this machine."""
    split, _, rest = str(sample.setup["game"]).partition("/")
    return _folder(split, root) / rest / "game.tw-pddl"


def _validation(path: Path) -> bool:
    task = path.parent.parent.name
    return hashlib.sha256(task.encode()).digest()[0] % VALIDATION_SHARE == 0


def _sample(name: str, folder: Path, path: Path) -> Sample:
    text = path.read_bytes()
    found = _TASK.search(text.decode(errors="replace").replace('\\"', '"'))
    if not found:
        raise DataError(f"{path}: the file has no task sentence; it is truncated or no ALFWorld game")
    game = f"{folder.name}/{path.parent.relative_to(folder).as_posix()}"
    setup = {"game": game, "sha256": hashlib.sha256(text).hexdigest()}
    trial = path.parent.relative_to(folder).as_posix()
    return Sample(f"{name}/{trial}", "household", name, found[1], setup)


def _folder(split: str, root: Path | None) -> Path:
    base = data_root(root) / "alfworld"
    for folder in (base / split, base / "json_2.1.1" / split):
        if folder.is_dir():
            return folder.resolve()
    packed = base / f"{split}.tar.xz"
    if not packed.is_file():
        raise DataError(
            f"{base}: neither {split}/ nor {split}.tar.xz is there; set TMBR_DATA to the folder that"
            " holds alfworld/, see `tmbr data check`"
        )
    return _unpacked(packed, split)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tmbr"


def _unpacked(packed: Path, split: str) -> Path:
    """The split's folder in the cache; unpacked aside and renamed, so that it is whole or not there."""
    mark = packed.stat()
    key = hashlib.sha256(json.dumps([str(packed.resolve()), mark.st_size, mark.st_mtime_ns]).encode())
    cache = _cache() / key.hexdigest()[:16]
    folder = cache / split
    if folder.is_dir():
        return folder
    cache.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=cache.parent))
    try:
        with tarfile.open(packed, "r:xz") as archive:
            archive.extractall(aside, filter="data")
        if not folder.is_dir():
            aside.rename(cache)
    except (OSError, EOFError, lzma.LZMAError, tarfile.TarError) as error:
        raise DataError(f"{packed}: cannot be unpacked ({error}); get it again") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder
