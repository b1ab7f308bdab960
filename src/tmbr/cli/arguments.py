"""Arguments that several commands share, and how they are read into a config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

C = TypeVar("C", bound="BaseModel")

Arguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="CONFIG.yaml|KEY=VALUE", help="A config file and overrides of its keys."),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="nano, expert, walkthrough, noisy-expert:P[:per-state|:slips], NAME@http://HOST/v1, "
        "a path or a hub name, coached:MODEL.",
    ),
]
Adapter = Annotated[str | None, typer.Option(help="PEFT adapter of the model: a folder or a hub name.")]
KeyEnv = Annotated[str | None, typer.Option(help="Environment variable with the endpoint's key.")]
Samples = Annotated[int | None, typer.Option(help="The first so many samples of the split.")]
Out = Annotated[Path | None, typer.Option(help="Folder for traces and results.")]


def read(kind: type[C], arguments: list[str] | None, options: dict[str, Any]) -> C:
    """The config file, if one is among the arguments, then options, then overrides."""
    from tmbr.config_file import load

    file, overrides = file_and_overrides(arguments)
    given = [
        f"{key}={json.dumps(value, default=str)}" for key, value in options.items() if value is not None
    ]
    return load(kind, file, given + overrides)


def file_and_overrides(arguments: list[str] | None) -> tuple[Path | None, list[str]]:
    """The config file, if one is given, and the overrides."""
    files = [text for text in arguments or [] if "=" not in text]
    if len(files) > 1:
        raise typer.BadParameter(f"one config file at most, but {' and '.join(files)} were given.")
    return Path(files[0]) if files else None, [text for text in arguments or [] if "=" in text]


def told_model(spec: str | None, adapter: str | None, key_env: str | None) -> dict[str, str] | None:
    told = {"model": spec, "adapter": adapter, "key_env": key_env}
    return {key: value for key, value in told.items() if value is not None} or None
