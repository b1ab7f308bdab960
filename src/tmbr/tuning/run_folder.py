"""The folder of one training run: under which conditions it was made, and that it is not mixed up."""

from __future__ import annotations

import hashlib
import json
import platform
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
    """Raise ConfigError when another run lives in `out`: its checkpoints are not for this one."""
    if not (out / CONFIG).exists():
        return
    settings = config.model_dump(mode="json")
    try:
        there = yaml.safe_load((out / CONFIG).read_text(encoding="utf-8"))
        made_of = json.loads((out / VERSIONS).read_text(encoding="utf-8"))["data_sha256"]
        other = [key for key in settings if there.get(key) != settings[key]]
    except (OSError, ValueError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise DataError(f"{out} holds a damaged run: {error!r}; remove it") from None
    if made_of != _hash(data):
        other.append("data")
    if other:
        raise ConfigError(
            f"{out} holds a run with another {', '.join(other)}; give another folder or remove it"
        )


def result(kind: type[R], out: Path) -> R | None:
    """The result of a finished run, None where it has none yet. Raises DataError for a damaged one."""
    path = out / RESULT
    if not path.exists():
        return None
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{path}: damaged ({str(error).splitlines()[0]}); remove {out}") from None


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
    """Of the file that is trained on; a run that plays its own episodes has none."""
    if data is None:
        return None
    return hashlib.sha256(data.read_bytes()).hexdigest()
