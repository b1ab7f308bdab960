"""MySQL's JSON functions. A text that is no JSON is refused, as on MySQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from .errors import SqlError
from .json_values import Leg, definite, depth, found, member, path, places, read, written
from .values import Exact, Json, Value, as_text, text

_TYPES: dict[type, str] = {
    dict: "OBJECT", list: "ARRAY", str: "STRING", bool: "BOOLEAN", int: "INTEGER", float: "DOUBLE",
}  # fmt: skip


def extract(value: Value, *paths: Value) -> Value:
    """One path without a wildcard gives the part itself, otherwise all parts in an array."""
    document = read(value, 1, "json_extract")
    legs = [path(one) for one in paths]
    parts = [part for one in legs for part in found(document, one)]
    if not parts:
        return None
    return written(parts[0] if len(legs) == 1 and definite(legs[0]) else parts)


def unquote(value: Value) -> Value:
    """The text that a JSON text is; anything else as it is. Its collation is a binary one."""
    said = as_text(value)
    if len(said) > 1 and said.startswith('"') and said.endswith('"'):
        try:
            return Exact(json.loads(said))
        except ValueError:
            if isinstance(value, Json):
                raise
            raise SqlError(3141, 1, "json_unquote", 0) from None
    return Exact(said)


def extract_text(value: Value, where: Value) -> Value:
    """`->>`: NULL for JSON's null too."""
    made = extract(value, where)
    return None if made is None or made == "null" else unquote(made)


def quote(value: Value) -> Value:
    return json.dumps(as_text(value), ensure_ascii=False)


def valid(value: Value) -> Value:
    try:
        read(value, 1, "json_valid")
    except SqlError:
        return 0
    return 1


def type_of(value: Value) -> Value:
    document = read(value, 1, "json_type")
    return "NULL" if document is None else _TYPES[type(document)]


def length(value: Value, where: Value = "$") -> Value:
    for part in found(read(value, 1, "json_length"), path(where)):
        return len(part) if isinstance(part, dict | list) else 1
    return None


def depth_of(value: Value) -> Value:
    return depth(read(value, 1, "json_depth"))


def keys(value: Value, where: Value = "$") -> Value:
    for part in found(read(value, 1, "json_keys"), path(where)):
        if isinstance(part, dict):
            return written(json.loads("[" + ",".join(map(json.dumps, _ordered(part))) + "]"))
    return None


def _ordered(document: dict[str, Any]) -> list[str]:
    return sorted(document, key=lambda key: (len(key.encode("utf-8", "replace")), key))


def contains(value: Value, wanted: Value, where: Value = "$") -> Value:
    other = read(wanted, 2, "json_contains")
    for part in found(read(value, 1, "json_contains"), path(where)):
        return int(_contains(part, other))
    return None


def _contains(document: Any, wanted: Any) -> bool:
    if isinstance(document, dict):
        return isinstance(wanted, dict) and all(
            key in document and _contains(document[key], one) for key, one in wanted.items()
        )
    if isinstance(document, list):
        if isinstance(wanted, list):
            return all(_contains(document, one) for one in wanted)
        return any(_contains(part, wanted) for part in document)
    return _same(document, wanted)


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def contains_path(value: Value, which: Value, *paths: Value) -> Value:
    document, wanted = read(value, 1, "json_contains_path"), as_text(which).lower()
    if wanted not in ("one", "all"):
        raise SqlError(3154, "json_contains_path")
    seen = [any(True for _ in found(document, path(one))) for one in paths]
    return int(any(seen) if wanted == "one" else all(seen))


def member_of(value: Value, array: Value) -> Value:
    document = read(array, 2, "member of")
    wanted = member(value)
    parts = document if isinstance(document, list) else [document]
    return int(any(_same(part, wanted) for part in parts))


def new_object(*pairs: Value) -> Value:
    if any(key is None for key in pairs[::2]):
        raise SqlError(3158)
    return written(
        {as_text(key): member(one) for key, one in zip(pairs[::2], pairs[1::2], strict=True)}
    )


def new_array(*items: Value) -> Value:
    return written([member(one) for one in items])


def as_json(value: Value) -> Value:
    """CAST(… AS JSON): a text is read, anything else is what it is."""
    return written(read(value, 1, "cast_as_json") if isinstance(value, str) else member(value))


#: What to do with a place: (container, key or index, whether it is there, new value).
_Change = Callable[[Any, Any, bool, Any], None]


def _set(container: Any, at: Any, there: bool, new: Any) -> None:
    if there or isinstance(container, dict):
        container[at] = new
    else:
        container.append(new)


def _insert(container: Any, at: Any, there: bool, new: Any) -> None:
    if not there:
        _set(container, at, there, new)


def _replace(container: Any, at: Any, there: bool, new: Any) -> None:
    if there:
        container[at] = new


def _append(container: Any, at: Any, there: bool, new: Any) -> None:
    if there:
        old = container[at]
        container[at] = [*old, new] if isinstance(old, list) else [old, new]


def _changing(change: _Change, name: str) -> Callable[..., Value]:
    """A function of (document, path, value, path, value …); NULL where a document or path is NULL."""

    def call(value: Value, *rest: Value) -> Value:
        if value is None or None in rest[::2]:
            return None
        box = [read(value, 1, name)]
        for where, new in zip(rest[::2], rest[1::2], strict=True):
            _at(box, path(where), change, member(new))
        return written(box[0])

    return call


def _at(box: list[Any], legs: Sequence[Leg], change: _Change, new: Any) -> None:
    """Change the place that a path means; the document is the one item of `box`."""
    if not definite(legs):
        raise SqlError(3149)
    container: Any = box
    at: Any = 0
    for number, leg in enumerate(legs):
        part, last = container[at], number == len(legs) - 1
        if leg.kind == "key":
            if not isinstance(part, dict) or (leg.key not in part and not last):
                return
            container, at, there = part, leg.key, leg.key in part
        elif isinstance(part, list):
            spots = places(leg, len(part))
            if not spots and not last:
                return
            container, at, there = part, spots[0] if spots else len(part), bool(spots)
        elif leg.first == 0:
            there = True
        elif last:  # a scalar becomes an array
            container[at] = [part]
            container, at, there = container[at], 1, False
        else:
            return
        if last:
            change(container, at, there, new)
    if not legs:
        change(box, 0, True, new)


set_ = _changing(_set, "json_set")
insert = _changing(_insert, "json_insert")
replace = _changing(_replace, "json_replace")
array_append = _changing(_append, "json_array_append")


def remove(value: Value, *paths: Value) -> Value:
    box = [read(value, 1, "json_remove")]
    for where in paths:
        legs = path(where)
        if not legs:
            raise SqlError(3153)
        _at(
            box,
            legs,
            lambda container, at, there, _: container.__delitem__(at) if there else None,
            None,
        )
    return written(box[0])


def merge_patch(*values: Value) -> Value:
    made: Any = None
    for at, value in enumerate(values, 1):
        other = read(value, at, "json_merge_patch")
        made = other if at == 1 else _patched(made, other)
    return written(made)


def _patched(old: Any, new: Any) -> Any:
    """RFC 7396."""
    if not isinstance(new, dict):
        return new
    made = dict(old) if isinstance(old, dict) else {}
    for key, one in new.items():
        if one is None:
            made.pop(key, None)
        else:
            made[key] = _patched(made.get(key), one)
    return made


def merge_preserve(*values: Value) -> Value:
    documents = [read(value, at, "json_merge_preserve") for at, value in enumerate(values, 1)]
    made = documents[0]
    for other in documents[1:]:
        made = _merged(made, other)
    return written(made)


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        made = dict(one)
        for key, value in other.items():
            made[key] = _merged(made[key], value) if key in made else value
        return made
    left, right = (side if isinstance(side, list) else [side] for side in (one, other))
    return [*left, *right]


def value_at(value: Value, where: Value) -> Value:
    """JSON_VALUE: a scalar as text."""
    for part in found(read(value, 1, "json_value"), path(where)):
        if part is None or isinstance(part, dict | list):
            return None
        return part if isinstance(part, str) else text(written(part))
    return None
