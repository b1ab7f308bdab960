"""What type a MySQL expression has before it is run: `int`, `double`, `decimal.S`, `text`, …

A kind decides the scale of a decimal, and what the branches of a CASE or a UNION are converted to.
`null`, `int`, `decimal.S` (S digits after the point), `double`, `date`, `time`, `datetime`, `exact`
(text of a binary collation), `json`, `text`, and `any` where only the value itself tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from .values import Json, Value

TEMPORAL = ("date", "time", "datetime")
MAX_SCALE = 30


def of(value: Value) -> str:
    """The kind of a value that is known."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return decimal(max(0, -exponent)) if isinstance(exponent, int) else "double"
    if isinstance(value, bool | int):
        return "int"
    if isinstance(value, float):
        return "double"
    if isinstance(value, datetime):
        return "datetime"
    if isinstance(value, date):
        return "date"
    if isinstance(value, Json):
        return "json"
    return "time" if isinstance(value, timedelta) else "text"


def scale(kind: str) -> int:
    """Digits after the point."""
    return int(kind[8:]) if kind.startswith("decimal.") else 0


def exact(kind: str) -> bool:
    """Whether arithmetic on it is exact."""
    return kind in ("int", "null", *TEMPORAL) or kind.startswith("decimal.")


def decimal(digits: int) -> str:
    return f"decimal.{min(digits, MAX_SCALE)}"


def merge(kinds: Iterable[str]) -> str:
    """The kind of an expression that is one of several."""
    seen = {kind for kind in kinds if kind != "null"}
    if len(seen) <= 1:
        return seen.pop() if seen else "null"
    if "any" in seen:
        return "any"
    if all(kind in ("int", "double") or kind.startswith("decimal.") for kind in seen):
        return "double" if "double" in seen else decimal(max(map(scale, seen)))
    if seen <= {"date", "datetime"}:
        return "datetime"
    return "text"


def arithmetic(name: str, left: str, right: str) -> str:
    """The kind of `left OP right`."""
    if not (exact(left) and exact(right)):
        return "double" if "any" not in (left, right) else "any"
    if name == "div":
        return decimal(scale(left) + 4)
    digits = scale(left) + scale(right) if name == "mul" else max(scale(left), scale(right))
    whole = not (left.startswith("decimal") or right.startswith("decimal"))
    return "int" if whole else decimal(digits)
