"""AgentBench's OS samples under `TMBR_DATA/os_interaction`, in the form that it publishes.

Scripts named by files lie in `scripts/N/` beside the data. The five checkers need no file; a sample
that needs any other file which is not there is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tmbr.core.errors import DataError, no_file
from tmbr.core.types import Sample
from tmbr.tasks.operating_system.scoring import CHECKERS
from tmbr.tasks.samples import data_root

#: Name of the data set -> its files, each with the folder of its scripts.
SPLITS = {
    "os-dev": (("data/dev.json", "scripts/dev"),),
    "os-standard": tuple((f"data/{n}/*.json", f"scripts/{n}") for n in range(1, 8)),
    "os-train": (("train_0317/training.json", "scripts/dev"),),
}


class _Absent(Exception):
    """A script's file is not there."""


def samples(name: str, root: Path | None) -> Sequence[Sample]:
    """The samples of one of `SPLITS` that can be run, in the files' order. Raises DataError."""
    return [sample for sample in _all(name, root) if isinstance(sample, Sample)]


def left_out(name: str, root: Path | None) -> list[str]:
    """The samples that cannot be run, each with the file that it needs and that is not there."""
    return [told for told in _all(name, root) if isinstance(told, str)]


def _all(name: str, root: Path | None) -> Iterator[Sample | str]:
    base = data_root(root) / "os_interaction"
    for pattern, scripts in SPLITS[name]:
        paths = sorted(base.glob(pattern))
        if not paths and not base.is_dir():
            hint = "set TMBR_DATA to the folder that holds os_interaction/"
            raise DataError(f"{no_file(base)}; {hint}, see `tmbr data check`")
        if not paths and "*" not in pattern:
            raise DataError(f"{no_file(base / pattern)}; see `tmbr data check`")
        for path in paths:
            for index, entry in enumerate(_entries(path)):
                label = f"{name}/{path.relative_to(base).with_suffix('')}/{index}"
                try:
                    yield _sample(name, label, entry, base / scripts)
                except _Absent as absent:
                    yield f"{label} needs {absent}"
                except (KeyError, TypeError, AttributeError, ValueError) as error:
                    what = f"entry {index} is no sample of AgentBench's form ({error!r})"
                    raise DataError(f"{path}: {what}; get the file again") from None


def _entries(path: Path) -> list[dict[str, Any]]:
    return _read(path, (path.stat().st_mtime_ns, path.stat().st_size))


@lru_cache(maxsize=64)
def _read(path: Path, _: tuple[int, int]) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable as JSON ({error}); get the file again") from None
    return found if isinstance(found, list) else [found]


def _sample(name: str, label: str, entry: Mapping[str, Any], scripts: Path) -> Sample:
    asked = entry["evaluation"]
    create = entry["create"] if isinstance(entry.get("create"), dict) else {}
    start = entry.get("start")
    setup = {
        "init": [_script(one, scripts) for one in _listed(create.get("init"))],
        "start": _script(start, scripts)[1] if start is not None else None,
    }
    example = asked.get("example") or entry.get("example")
    if "match" in asked:
        match = asked["match"]
        target: dict[str, Any] = {
            "match": {"answer": match, "strip": True} if isinstance(match, str) else dict(match)
        }
    else:
        chain = asked["check"] if isinstance(asked["check"], list) else [asked["check"]]
        target = {"check": [None if one is None else _script(one, scripts) for one in chain]}
    if example is not None:
        try:
            target["example"] = _script(example, scripts)
        except _Absent:
            if None in target.get("check", ()):
                raise
    return Sample(label, "operating_system", name, entry["description"].strip(), setup, target)


def _listed(init: Any) -> list[Any]:
    if init is None:
        return []
    return [one for one in init if one is not None] if isinstance(init, list) else [init]


def _script(told: Any, scripts: Path) -> list[str]:
    """[language, code]; a checker's language is `checker` and its code its name."""
    if isinstance(told, str):
        return ["bash", told]
    language = told.get("language", "bash")
    if "code" in told:
        return [language, told["code"]]
    file = str(told["file"])
    if Path(file).stem in CHECKERS and Path(file).parent.name == "check":
        return ["checker", Path(file).stem]
    path = scripts / file
    if not path.is_file():
        raise _Absent(f"{scripts.name}/{file}")
    return [language, path.read_text(encoding="utf-8")]
