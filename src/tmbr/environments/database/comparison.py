"""How values of any kinds compare, and what they are ordered and told apart by."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from . import collation
from .values import INT_MAX, Exact, Raw, Value, moment, number, text


def compare(left: Value, right: Value) -> int | None:
    """Negative, zero or positive as MySQL compares these two; None where one is NULL."""
    if left is None or right is None:
        return None
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


def _compare_moments(left: Value, right: Value) -> int:
    if isinstance(left, int | float | Decimal) or isinstance(right, int | float | Decimal):
        x, y = number(left), number(right)
        assert x is not None
        assert y is not None
        return (x > y) - (x < y)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return (left > right) - (left < right)
    a, b = moment(left), moment(right)
    if a is None or b is None:
        return collation.collate(text(left) or "", text(right) or "")
    at, bt = _as_datetime(a), _as_datetime(b)
    return (at > bt) - (at < bt)


def _as_datetime(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def truth(value: Value) -> int | None:
    some = number(value)
    return None if some is None else int(some != 0)


def sort_key(value: Value) -> Raw:
    """What SQLite orders, groups and tells apart in the value's place."""
    if value is None or isinstance(value, int | float):
        return value
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
