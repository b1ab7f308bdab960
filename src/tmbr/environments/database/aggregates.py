"""MySQL's aggregate functions, as one SQLite aggregate (`a`) that is told which one it is.

Each is a function of the list of its rows, so that it serves as a window function too.
"""

from __future__ import annotations

import marshal
import math
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cmp_to_key, partial
from typing import Any

from . import json_values, operators, values
from .comparison import compare, sort_key
from .errors import SqlError
from .running import CALL, ROW, statement
from .values import Raw, Value, decode, encode, text

Row = tuple[Value, ...]
#: MySQL's `group_concat_max_len`, in bytes.
GROUP_CONCAT = 1024


def total(rows: Sequence[Row]) -> int | float | Decimal | None:
    """Exact numbers give a decimal, all others a double."""
    numbers = [values.number(row[0]) for row in rows]
    if not numbers:
        return None
    if any(isinstance(n, float) for n in numbers):
        return operators.checked(_sum_floats(numbers))
    made = Decimal(0)
    for n in numbers:
        made = operators.CONTEXT.add(made, Decimal(n))  # type: ignore[arg-type]
    return made


def _sum_floats(numbers: Sequence[Any]) -> float:
    """In order, as MySQL adds: `math.fsum` would be more exact than it."""
    made = 0.0
    for n in numbers:
        made += float(n)
    return made


def average(rows: Sequence[Row]) -> Value:
    made = total(rows)
    if isinstance(made, Decimal):
        exponent = made.as_tuple().exponent
        digits = -exponent if isinstance(exponent, int) else 0
        return operators.div(made, len(rows), digits + operators.DIVISION_DIGITS)
    return operators.div(made, len(rows))


def _best(rows: Sequence[Row], sign: int) -> Value:
    best: Value = None
    for value, *_ in rows:
        if best is None or (compare(value, best) or 0) * sign > 0:
            best = value
    return best


def _spread(rows: Sequence[Row], less: int, root: bool) -> Value:
    numbers = [float(values.number(row[0]) or 0) for row in rows]
    if len(numbers) <= less:
        return None
    mean, squares = numbers[0], 0.0
    for count, value in enumerate(numbers[1:], 2):  # as MySQL does, to the last digit
        step = value - mean
        mean += step / count
        squares += step * (value - mean)
    variance = squares / (len(numbers) - less)
    return math.sqrt(variance) if root else variance


def _bits(rows: Sequence[Row], start: int, apply: Callable[[int, int], int]) -> Value:
    made = start
    for row in rows:
        made = apply(made, operators.bits(row[0]) or 0)
    return made


def concatenated(rows: Sequence[Row]) -> Value:
    """Rows are (value, separator, directions, sort keys…); cut at 1,024 bytes as on a fresh server."""
    if not rows:
        return None
    separator, directions = text(rows[0][1]) or "", str(rows[0][2])
    if directions:
        rows = sorted(rows, key=cmp_to_key(partial(_order, directions=directions)))
    made: list[str] = []
    size = 0
    for row in rows:
        made.append(text(row[0]) or "")
        size += len(made[-1])
        if size > GROUP_CONCAT:
            break
    whole = separator.join(made).encode("utf-8", "replace")
    return whole[:GROUP_CONCAT].decode("utf-8", "ignore")


def _order(left: Row, right: Row, directions: str) -> int:
    for one, two, direction in zip(left[3:], right[3:], directions, strict=True):
        if one is None or two is None:
            order = (one is not None) - (two is not None)
        else:
            order = compare(one, two) or 0
        if order:
            return -order if direction == "d" else order
    return 0


def _object(rows: Sequence[Row]) -> Value:
    """Of equal keys the last one counts."""
    if any(key is None for key, _ in rows):
        raise SqlError(3158)
    pairs = {text(key) or "": json_values.member(value) for key, value in rows}
    return json_values.written(pairs) if rows else None


def single(rows: Sequence[Row]) -> Value:
    if len(rows) > 1:
        raise SqlError(1242)
    return rows[0][0] if rows else None


def packed(rows: Sequence[Row]) -> Value:
    """All rows as one value, for IN, ANY and ALL."""
    return marshal.dumps([[encode(value) for value in row] for row in rows])


AGGREGATES: dict[str, Callable[[Sequence[Row]], Value]] = {
    "sum": total,
    "avg": average,
    "min": lambda rows: _best(rows, -1),
    "max": lambda rows: _best(rows, 1),
    "count": len,
    "group_concat": concatenated,
    "std": lambda rows: _spread(rows, 0, root=True),
    "stddev": lambda rows: _spread(rows, 0, root=True),
    "stddev_pop": lambda rows: _spread(rows, 0, root=True),
    "stddev_samp": lambda rows: _spread(rows, 1, root=True),
    "variance": lambda rows: _spread(rows, 0, root=False),
    "var_pop": lambda rows: _spread(rows, 0, root=False),
    "var_samp": lambda rows: _spread(rows, 1, root=False),
    "bit_and": lambda rows: _bits(rows, 2**64 - 1, lambda a, b: a & b),
    "bit_or": lambda rows: _bits(rows, 0, lambda a, b: a | b),
    "bit_xor": lambda rows: _bits(rows, 0, lambda a, b: a ^ b),
    "json_arrayagg": lambda rows: (
        json_values.written([json_values.member(row[0]) for row in rows]) if rows else None
    ),
    "json_objectagg": _object,
    "any_value": lambda rows: rows[0][0] if rows else None,
    "first": lambda rows: rows[0][0] if rows else None,
    "single": single,
    "packed": packed,
}
#: Those that see NULL too.
_ALL_ROWS = frozenset(("first", "single", "packed", "any_value", "json_arrayagg", "json_objectagg"))


class Aggregate:
    """`a(NAME, DISTINCT, value, …)`: collects its rows, and works them out at the end."""

    def __init__(self) -> None:
        self._name = ""
        self._distinct = False
        self._rows: list[Row | None] = []

    def step(self, name: str, distinct: int, *raw: Raw) -> None:
        self._name, self._distinct = name, bool(distinct)
        self._charge(CALL, ROW + sum(len(v) for v in raw if type(v) is str or type(v) is bytes))
        if name == "first" and self._rows:
            self._rows.append(None)
            return
        row = tuple(map(decode, raw))
        counted = row if name == "count" else row[:1]
        hidden = name not in _ALL_ROWS and any(value is None for value in counted)
        self._rows.append(None if hidden else row)

    def inverse(self, *_: Raw) -> None:
        del self._rows[0]

    def value(self) -> Raw:
        if not self._name:
            return None
        self._charge(len(self._rows) * (CALL if self._name == "group_concat" or self._distinct else 4))
        rows = [row for row in self._rows if row is not None]
        try:
            if self._distinct and self._name in ("sum", "avg"):
                rows = [(n,) for n in sorted({values.number(row[0]) for row in rows}, key=_stored)]
            elif self._distinct:
                rows = _apart(rows, 1 if self._name == "group_concat" else None)
            return encode(AGGREGATES[self._name](rows))
        except SqlError as error:
            statement.error = error
            raise

    finalize = value

    def _charge(self, steps: int, size: int = 0) -> None:
        try:
            statement.charge(steps, size)
        except SqlError as error:
            statement.error = error
            raise


def _stored(number: Any) -> Any:
    """Different numbers are added in the order of their stored bytes."""
    return struct.pack("<d", number) if isinstance(number, float) else number


def _apart(rows: Sequence[Row], width: int | None) -> list[Row]:
    """The first of each set of rows that are equal in their first `width` values."""
    seen: dict[tuple[Raw, ...], Row] = {}
    for row in rows:
        seen.setdefault(tuple(map(sort_key, row[:width])), row)
    return list(seen.values())
