"""What a run is told: a YAML file and `key.sub=value` overrides, checked before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from tmbr.core.errors import ConfigError, nearest, no_file

C = TypeVar("C", bound=BaseModel)


def load(kind: type[C], path: Path | None, overrides: Sequence[str] = ()) -> C:
    """Read a config of `kind` from a YAML file and apply overrides such as `budget.steps=20`.

    Values of overrides are YAML too. Raises ConfigError with file, key and the nearest right name.
    """
    data = _read(path) if path else {}
    origins: dict[str, str] = {}
    for override in overrides:
        origins[_override(data, override)] = override
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(kind, path, origins, error)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(no_file(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must be a mapping of keys to values, as `task: household`")
    return data


def _override(data: dict[str, Any], override: str) -> str:
    """Set one value; return its dotted key."""
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"{override!r}: an override is KEY=VALUE, as `budget.steps=20`")
    at = data
    *path, last = key.split(".")
    for part in path:
        inner = at.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{override!r}: {part!r} has no keys of its own")
        at = inner
    try:
        at[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"{override!r}: the value is not YAML; quote it") from None
    return key


def _explain(
    kind: type[BaseModel], path: Path | None, origins: dict[str, str], error: ValidationError
) -> str:
    """The first complaint in one line: where it was said, which key, and the mend."""
    first = error.errors(include_url=False)[0]
    keys = [str(part) for part in first["loc"]]
    key = ".".join(keys)
    said = [
        text for dotted, text in origins.items() if key.startswith(dotted) or dotted.startswith(key)
    ]
    where = f"{said[-1]!r}: " if said and key else f"{path}: " if path else ""
    if first["type"] == "extra_forbidden":
        return f"{where}unknown key {key!r}; {nearest(keys[-1], _fields(kind, keys[:-1]))}"
    message = first["msg"].removeprefix("Value error, ")
    if not key:
        return f"{where}{message}"
    return f"{where}{key}: {message[0].lower()}{message[1:]} (given: {first['input']!r})"


def _fields(kind: Any, keys: Sequence[str]) -> list[str]:
    """Names that are known at `keys`, walked down from the config class `kind`."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not keys:
            return list(kind.model_fields)
        return _fields(kind.model_fields[keys[0]].annotation, keys[1:])
    return _fields(get_args(kind)[-1], keys[1:]) if keys else []
