"""JSON as MySQL keeps and prints it, and the paths into it (`$.a[0]`, `$**.b`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from .errors import SqlError
from .values import Json, Value, show_double, text

#: MySQL refuses documents that are nested deeper.
MAX_DEPTH = 100
_LEG = re.compile(
    r"\s*(?:\.\s*(?P<key>[^\W\d][\w$]*|\"(?:[^\"\\]|\\.)*\"|\*)"
    r"|\[\s*(?:(?P<last>last)\s*(?:-\s*(?P<less>\d+))?|(?P<at>\d+)(?:\s+to\s+(?P<to>\d+))?|(?P<all>\*))\s*\]"
    r"|(?P<deep>\*\*))"
)


def read(value: Value, argument: int, function: str) -> Any:
    """The document that an argument is. Raises SqlError 3141 for text that is no JSON, 3146 for what is
    no text, 3157 for one that is nested too deeply."""
    if not isinstance(value, str):
        raise SqlError(3146, argument, function)
    try:
        made = json.loads(value, parse_constant=_no_constant)
    except RecursionError:
        raise SqlError(3157) from None
    except ValueError as error:
        raise SqlError(3141, argument, function, getattr(error, "pos", 0)) from None
    if depth(made) > MAX_DEPTH:
        raise SqlError(3157)
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def depth(document: Any) -> int:
    deepest, level = 0, [document]
    while level:
        deepest += 1
        inner = [one for one in level if isinstance(one, dict | list)]
        level = [child for one in inner for child in (one.values() if isinstance(one, dict) else one)]
    return deepest


def member(value: Value) -> Any:
    """A value as a part of a document."""
    if isinstance(value, Json):
        return json.loads(value)
    if isinstance(value, date | timedelta):
        return text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else value


def written(document: Any) -> Json:
    """A document as text: keys by length and then by bytes, a blank after commas and colons."""
    return Json(_shown(document))


def _shown(document: Any) -> str:
    if isinstance(document, dict):
        keys = sorted(document, key=lambda key: (len(key.encode("utf-8", "replace")), key))
        return "{" + ", ".join(f"{_quoted(key)}: {_shown(document[key])}" for key in keys) + "}"
    if isinstance(document, list):
        return "[" + ", ".join(map(_shown, document)) + "]"
    if isinstance(document, str):
        return _quoted(document)
    if isinstance(document, float):
        shown = show_double(document)
        return shown if "." in shown or "e" in shown else f"{shown}.0"
    if isinstance(document, Decimal):
        return format(document, "f")
    return (
        {None: "null", True: "true", False: "false"}.get(document, str(document))
        if isinstance(document, bool | None)
        else str(document)
    )


def _quoted(said: str) -> str:
    return json.dumps(said, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Leg:
    """One step of a path: a key (None: any), a range of an array's places, or any depth."""

    kind: str
    key: str | None = None
    first: int = 0
    last: int = 0
    from_end: bool = False


def path(value: Value) -> list[Leg]:
    """Raises SqlError 3143 for what is no path."""
    said = text(value) or ""
    start = re.match(r"\s*\$", said)
    at = start.end() if start else 0
    legs: list[Leg] = []
    while start and said[at:].strip():
        found = _LEG.match(said, at)
        if not found:
            break
        at = found.end()
        legs.append(_leg(found))
    if start is None or said[at:].strip() or (legs and legs[-1].kind == "deep"):
        raise SqlError(3143, at)
    return legs


def _leg(found: re.Match[str]) -> Leg:
    if found["deep"]:
        return Leg("deep")
    if found["key"]:
        key = found["key"]
        if key == "*":
            return Leg("key")
        return Leg("key", json.loads(key) if key.startswith('"') else key)
    if found["all"]:
        return Leg("place", last=2**31)
    if found["last"]:
        less = int(found["less"] or 0)
        return Leg("place", first=less, last=less, from_end=True)
    at = int(found["at"])
    return Leg("place", first=at, last=int(found["to"] or at))


def definite(legs: Sequence[Leg]) -> bool:
    """Whether a path means one place at most."""
    return all(leg.kind != "deep" and (leg.kind == "place" or leg.key is not None)
               and leg.first == leg.last for leg in legs)  # fmt: skip


def found(document: Any, legs: Sequence[Leg]) -> Iterator[Any]:
    """The parts of a document that a path means."""
    if not legs:
        yield document
        return
    leg, rest = legs[0], legs[1:]
    if leg.kind == "deep":
        yield from found(document, rest)
        inner = document.values() if isinstance(document, dict) else document
        for child in inner if isinstance(document, dict | list) else ():
            yield from found(child, legs)
    elif leg.kind == "key":
        if isinstance(document, dict):
            for key in [leg.key] if leg.key is not None else list(document):
                if key in document:
                    yield from found(document[key], rest)
    elif isinstance(document, list):
        for at in places(leg, len(document)):
            yield from found(document[at], rest)
    elif leg.first == 0:  # a scalar is as good as an array of it
        yield from found(document, rest)


def places(leg: Leg, size: int) -> range:
    if leg.from_end:
        return range(max(0, size - 1 - leg.last), size - leg.first) if leg.first < size else range(0)
    return range(leg.first, min(size, leg.last + 1))
