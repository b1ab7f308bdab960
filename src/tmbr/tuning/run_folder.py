"""The folder of one training run: under which conditions it was made, and that it is not mixed up."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import yaml
from pydantic import BaseModel

from tmbr.core.errors import ConfigError, DataError

PACKAGES = ("tmbr", "torch", "transformers", "trl", "peft", "accelerate", "datasets")
CONFIG = "config.yaml"
VERSIONS = "versions.json"


def claim(config: BaseModel, data: Path, out: Path) -> None:
    """Make the folder, or make sure that it belongs to the same config and data.

    Raises ConfigError when another run lives there: its checkpoints must not be continued by this one.
    """
    made = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    settings = config.model_dump(mode="json")
    content = hashlib.sha256(data.read_bytes()).hexdigest()
    if (out / CONFIG).exists():
        there = yaml.safe_load((out / CONFIG).read_text(encoding="utf-8"))
        other = [key for key in settings if there.get(key) != settings[key]]
        if json.loads((out / VERSIONS).read_text(encoding="utf-8"))["data_sha256"] != content:
            other.append("data")
        if other:
            raise ConfigError(
                f"{out} holds a run with another {', '.join(other)}; give another folder or remove it"
            )
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        stamp = {"data": str(data), "data_sha256": content, **made}
        write(out / VERSIONS, json.dumps(stamp, indent=2) + "\n")
        write(out / CONFIG, yaml.safe_dump(settings, sort_keys=False))
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error}") from None


def write(path: Path, text: str) -> None:
    """Write a small file, whole or not at all."""
    aside = path.with_name(path.name + ".part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
