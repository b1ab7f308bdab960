"""How values of any kinds compare, and what they are ordered and told apart by."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from . import collation
from .values import INT_MAX, Exact, Json, Raw, Value, moment, number, text


def compare(left: Value, right: Value) -> int | None:
    """Negative, zero or positive as MySQL compares these two; None where one is NULL."""
    if left is None or right is None:
        return None
    if isinstance(left, Json) or isinstance(right, Json):
        return _compare_json(left, right)
    if isinstance(left, str) and isinstance(right, str):
        if isinstance(left, Exact) or isinstance(right, Exact):
            a, b = left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass")
            return (a > b) - (a < b)
        return collation.collate(left, right)
    if isinstance(left, str | bytes) and isinstance(right, str | bytes):
        one = left.encode("utf-8", "surrogatepass") if isinstance(left, str) else left
        two = right.encode("utf-8", "surrogatepass") if isinstance(right, str) else right
        return (one > two) - (one < two)
    if isinstance(left, date | timedelta) or isinstance(right, date | timedelta):
        return _compare_moments(left, right)
    x, y = number(left), number(right)
    assert x is not None
    assert y is not None
    if isinstance(x, float) or isinstance(y, float):
        x, y = float(x), float(y)
    return (x > y) - (x < y)


def _compare_json(left: Value, right: Value) -> int:
    """A number with a number, otherwise by MySQL's order of JSON's types, and then as bytes."""
    ranks = [_rank(side) for side in (left, right)]
    if ranks == [_NUMBER, _NUMBER]:
        x, y = (float(number(side) or 0) for side in (left, right))
        return (x > y) - (x < y)
    if ranks[0] != ranks[1]:
        return ranks[0] - ranks[1]
    a, b = ((json.loads(side) if isinstance(side, Json) and ranks[0] == _STRING else text(side) or "")
            .encode("utf-8", "surrogatepass") for side in (left, right))  # fmt: skip
    return (a > b) - (a < b)


_NUMBER, _STRING = 1, 2


def _rank(value: Value) -> int:
    """null, numbers, texts, objects, arrays, true and false."""
    if not isinstance(value, Json):
        return _STRING if isinstance(value, str | bytes | date | timedelta) else _NUMBER
    return {"n": 0, '"': _STRING, "{": 3, "[": 4, "t": 5, "f": 5}.get(value[:1], _NUMBER)


def _compare_moments(left: Value, right: Value) -> int:
    if isinstance(left, int | float | Decimal) or isinstance(right, int | float | Decimal):
        x, y = number(left), number(right)
        assert x is not None
        assert y is not None
        return (x > y) - (x < y)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return (left > right) - (left < right)
    a, b = moment(left), moment(right)
    if a is None or b is None:  # what is no date is less than all dates
        return (a is not None) - (b is not None)
    at, bt = _as_datetime(a), _as_datetime(b)
    return (at > bt) - (at < bt)


def _as_datetime(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def truth(value: Value) -> int | None:
    some = number(value)
    return None if some is None else int(some != 0)


def sort_key(value: Value) -> Raw:
    """What SQLite orders, groups and tells apart in the value's place."""
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if value <= INT_MAX else value.to_bytes(8, "big")  # after all other numbers
    if isinstance(value, Json) and _rank(value) != _NUMBER:
        said = json.loads(value) if value.startswith('"') else value
        return str(said).encode("utf-8", "surrogatepass")
    if isinstance(value, Json):
        return float(number(value) or 0)
    if isinstance(value, Exact):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, str):
        return collation.key(value)
    if isinstance(value, Decimal):
        return int(value) if value == int(value) and abs(value) < INT_MAX else float(value)
    if isinstance(value, bytes):
        return value
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    return _as_datetime(value).isoformat().encode()
