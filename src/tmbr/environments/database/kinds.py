"""What type a MySQL expression has before it is run: `int`, `double`, `decimal.S`, `text`, …

A kind decides the scale of a decimal, and what the branches of a CASE or a UNION are converted to.
`null`, `int`, `uint`, `decimal.S` (S digits after the point), `double`, `double.S` (S digits are
shown), `date`, `time`, `datetime`, `exact` (text of a binary collation), `json`, `text`, and `any`
where only the value itself tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from .values import INT_MAX, Json, Value

TEMPORAL = ("date", "time", "datetime")
MAX_SCALE = 30


def of(value: Value) -> str:
    """The kind of a value that is known."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return decimal(max(0, -exponent)) if isinstance(exponent, int) else "double"
    if isinstance(value, bool | int):
        return "int" if value <= INT_MAX else "uint"
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
    return kind in ("int", "uint", "null", *TEMPORAL) or kind.startswith("decimal.")


def digits(kind: str) -> int | None:
    """Digits after the point that are shown of a number; None where its value tells."""
    if kind.startswith("double."):
        return int(kind[7:])
    return scale(kind) if exact(kind) else None


def is_double(kind: str) -> bool:
    return kind.partition(".")[0] == "double"


def decimal(digits: int) -> str:
    return f"decimal.{min(digits, MAX_SCALE)}"


def double(shown: int | None) -> str:
    """A double of which so many digits are shown."""
    return "double" if shown is None or shown > MAX_SCALE else f"double.{shown}"


def merge(kinds: Iterable[str]) -> str:
    """The kind of an expression that is one of several."""
    seen = {kind for kind in kinds if kind != "null"}
    if len(seen) <= 1:
        return seen.pop() if seen else "null"
    if "any" in seen:
        return "any"
    if all(kind in ("int", "uint") or kind.startswith(("decimal.", "double")) for kind in seen):
        if any(map(is_double, seen)):
            return double(_most(map(digits, seen)))
        return decimal(max(map(scale, seen)))
    if seen <= {"date", "datetime"}:
        return "datetime"
    return "text"


def arithmetic(name: str, left: str, right: str) -> str:
    """The kind of `left OP right`."""
    if "any" in (left, right) and not (exact(left) and exact(right)):
        return "any"
    a, b = digits(left), digits(right)
    if not (exact(left) and exact(right)):
        if a is None or b is None:
            return "double"
        return double({"div": max(a, b) + 4, "mul": a + b}.get(name, max(a, b)))
    if name == "div":
        return decimal(scale(left) + 4)
    shown = scale(left) + scale(right) if name == "mul" else max(scale(left), scale(right))
    if left.startswith("decimal") or right.startswith("decimal"):
        return decimal(shown)
    return "uint" if "uint" in ((left,) if name == "mod" else (left, right)) else "int"


def _most(some: Iterable[int | None]) -> int | None:
    seen = list(some)
    return None if None in seen else max(one for one in seen if one is not None)
