"""The folder of one training run: under which conditions it was made, and that it is not mixed up."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.files import write_whole
from tmbr.tuning import ranks

PACKAGES = ("tmbr", "torch", "transformers", "trl", "peft", "accelerate", "datasets")
CONFIG = "config.yaml"
VERSIONS = "versions.json"
RESULT = "result.json"

R = TypeVar("R")


def check(config: BaseModel, data: Path | None, out: Path) -> None:
    """Raise ConfigError when another run lives in `out`: its checkpoints are not for this one. Raises
    DataError where that run is damaged or `data` cannot be read."""
    if not (out / CONFIG).exists():
        _check_free(out)
        return
    settings = config.model_dump(mode="json")
    try:
        there = yaml.safe_load((out / CONFIG).read_text(encoding="utf-8"))
        other = [key for key in settings if there.get(key) != settings[key]]
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise _damaged(out, error) from None
    if not _made_of(data, out):
        other.append("data")
    if other:
        raise _another(out, other)


def check_data(new: Path, path: Path) -> None:
    """The same, of data that are about to take their place in a run's folder."""
    out = path.parent
    if (out / CONFIG).exists():
        if not _made_of(new, out):
            raise _another(out, ["data"])
        return
    _check_free(out)
    if path.exists() and _hash(path) != _hash(new):
        raise ConfigError(f"{path} is there already, and another one; give another folder or remove it")


def _check_free(out: Path) -> None:
    """Raises ConfigError where a run would replace what none has made."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give a folder")
    for folder in (out / "adapter", out / "model"):
        if folder.exists():
            raise ConfigError(f"{folder} is there already, and no run has made it; give another folder")


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """While entered no other run writes to `out`; a new folder that stays empty is removed.

    Raises ConfigError where one does already.
    """
    if not ranks.first():
        yield
        return
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give a folder")
    out.mkdir(parents=True, exist_ok=True)
    folder = os.open(out, os.O_RDONLY)
    try:
        _lock(folder, out)
        yield
    finally:
        os.close(folder)
        with suppress(OSError):
            out.rmdir()


def _lock(folder: int, out: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(
            f"{out}: another process is writing this folder; wait for it or choose another one"
        ) from None


def _made_of(data: Path | None, out: Path) -> bool:
    try:
        told = json.loads((out / VERSIONS).read_text(encoding="utf-8"))["data_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(out, error) from None
    return bool(told == _hash(data))


def _damaged(out: Path, error: Exception) -> DataError:
    return DataError(f"{out} holds a damaged run: {error!r}; remove it")


def _another(out: Path, what: list[str]) -> ConfigError:
    return ConfigError(
        f"{out} holds a run with another {', '.join(what)}; give another folder or remove it"
    )


def result(kind: type[R], out: Path) -> R | None:
    """The result of a finished run, None where it has none yet. Raises DataError for a damaged one."""
    path = out / RESULT
    if not path.exists():
        return None
    try:
        found = TypeAdapter(kind).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{path}: damaged ({str(error).splitlines()[0]}); remove {out}") from None
    folder = out / getattr(found, "folder", "")
    if not folder.is_dir():
        raise DataError(f"{folder} is gone; remove {path}, and the same command makes it again")
    return found


def finish(outcome: Any, out: Path) -> None:
    """Write the result of a run, a data class; with it the run is finished."""
    if ranks.first():
        write_whole(out / RESULT, json.dumps(asdict(outcome), indent=2) + "\n")


def claim(config: BaseModel, data: Path | None, out: Path) -> None:
    """Write under which conditions the run is made, once all processes have looked whether another one
    lives here. Raises DataError when that cannot be written."""
    ranks.wait()
    if ranks.first():
        _claim(config, data, out)


def _claim(config: BaseModel, data: Path | None, out: Path) -> None:
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    stamp = {"data": data and str(data), "data_sha256": _hash(data), **versions}
    settings = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / VERSIONS, json.dumps(stamp, indent=2) + "\n")
        write_whole(out / CONFIG, settings)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error}") from None


def _hash(data: Path | None) -> str | None:
    """Of the file that is trained on; a run that plays its own episodes has none. Raises DataError."""
    if data is None:
        return None
    try:
        return hashlib.sha256(data.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{data}: the run's data cannot be read: {error.strerror}") from None
