"""MySQL's operators on values: arithmetic, comparison, logic and LIKE.

Text in arithmetic is a double. Exact arithmetic keeps nine digits more than are shown, as MySQL does,
and what is shown is rounded last (`fix`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Any

from . import collation, values
from .comparison import compare, truth
from .errors import SqlError
from .running import statement
from .values import INT_MAX, INT_MIN, Exact, Number, Value, number, text

CONTEXT = Context(prec=81)
DIVISION_DIGITS = 4


def _pair(left: Value, right: Value) -> tuple[Number, Number] | None:
    a, b = number(left), number(right)
    if a is None or b is None:
        return None
    if isinstance(a, float) or isinstance(b, float):
        return float(a), float(b)
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return Decimal(a), Decimal(b)
    return a, b


def checked(result: Number) -> Number:
    """Raise MySQL's 1690 for what leaves its type's range."""
    if isinstance(result, int) and not INT_MIN <= result < 2**64:
        raise SqlError(1690, "BIGINT", result)
    if isinstance(result, float) and not math.isfinite(result):
        raise SqlError(1690, "DOUBLE", result)
    if isinstance(result, Decimal) and result.adjusted() > 64:
        raise SqlError(1690, "DECIMAL", f"{result:.3e}")
    return result


def _arithmetic(exact: Callable[[Any, Any], Any], plain: Callable[[Any, Any], Any]) -> Any:
    def apply(left: Value, right: Value) -> Value:
        pair = _pair(left, right)
        if pair is None:
            return None
        a, b = pair
        made = checked(exact(a, b) if isinstance(a, Decimal) else plain(a, b))
        if isinstance(made, int) and made > INT_MAX >= max(
            a, b
        ):  # two signed numbers make no unsigned one
            raise SqlError(1690, "BIGINT", made)
        return made

    return apply


add = _arithmetic(CONTEXT.add, lambda a, b: a + b)
sub = _arithmetic(CONTEXT.subtract, lambda a, b: a - b)
mul = _arithmetic(CONTEXT.multiply, lambda a, b: a * b)


def _unsigned(apply: Any) -> Any:
    """Arithmetic of which a side is unsigned: so is what it makes."""

    def call(left: Value, right: Value) -> Value:
        made: Value = apply(left, right)
        if isinstance(made, int) and made < 0:
            raise SqlError(1690, "BIGINT UNSIGNED", f"{text(left)}, {text(right)}")
        return made

    return call


UNSIGNED = {"add": _unsigned(add), "sub": _unsigned(sub), "mul": _unsigned(mul)}


def _zero_division() -> Value:
    """NULL, or an error where rows are written."""
    if statement.strict:
        raise SqlError(1365)
    return None


def div(left: Value, right: Value, scale: int = DIVISION_DIGITS) -> Value:
    """`/`: four digits more than the dividend has, in exact arithmetic; by zero it is NULL."""
    pair = _pair(left, right)
    if pair is None:
        return None
    a, b = pair
    if b == 0:
        return _zero_division()
    if isinstance(a, float):
        return checked(a / float(b))
    digits = -(-scale // 9) * 9
    quotient = CONTEXT.divide(Decimal(a), Decimal(b))
    return checked(quotient.quantize(Decimal(1).scaleb(-digits), "ROUND_DOWN", CONTEXT))


def intdiv(left: Value, right: Value) -> Value:
    pair = _pair(left, right)
    if pair is None:
        return None
    a, b = (values.decimal(x) or Decimal(0) for x in (left, right))
    if b == 0:
        return _zero_division()
    return checked(int(CONTEXT.divide(a, b).to_integral_value("ROUND_DOWN")))


def mod(left: Value, right: Value) -> Value:
    """The remainder has the dividend's sign."""
    pair = _pair(left, right)
    if pair is None:
        return None
    a, b = pair
    if b == 0:
        return _zero_division()
    if isinstance(a, float):
        return math.fmod(a, b) + 0.0  # never a negative zero
    if isinstance(a, Decimal):
        return CONTEXT.remainder(a, Decimal(b))
    rest = abs(a) % abs(int(b))
    return -rest if a < 0 else rest


def neg(value: Value) -> Value:
    some = number(value)
    return None if some is None else checked(0 - some)  # never a negative zero


def fix(value: Value, scale: int) -> Value:
    """A decimal, or a double of which so many digits are shown."""
    if isinstance(value, float):
        return float(f"{value:.{scale}f}")
    return values.rounded(value, scale) if isinstance(value, Decimal) else value


def shown(value: Value, digits: int) -> Value:
    """A number as text, with so many digits after the point."""
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return text(fix(value, digits))


def to_kind(value: Value, kind: str) -> Value:
    """What a branch of a CASE or a UNION becomes when its kind is that of all branches."""
    if value is None:
        return None
    if kind == "text":
        return text(value)
    if kind == "double":
        return float(number(value) or 0)
    if kind == "datetime":
        return values.moment(value)
    return values.decimal(value) if kind == "decimal" else value


def _comparison(test: Callable[[int], bool]) -> Callable[[Value, Value], Value]:
    def apply(left: Value, right: Value) -> Value:
        order = compare(left, right)
        return None if order is None else int(test(order))

    return apply


eq = _comparison(lambda order: order == 0)
ne = _comparison(lambda order: order != 0)
lt = _comparison(lambda order: order < 0)
le = _comparison(lambda order: order <= 0)
gt = _comparison(lambda order: order > 0)
ge = _comparison(lambda order: order >= 0)


def same(left: Value, right: Value) -> Value:
    """`<=>`"""
    if left is None or right is None:
        return int(left is right)
    return int(compare(left, right) == 0)


def between(value: Value, low: Value, high: Value) -> Value:
    """All three are compared as text only when all are text; otherwise as numbers or moments."""
    strings = [isinstance(v, str) for v in (value, low, high) if v is not None]
    if any(strings) and not all(strings) and not _temporal(value, low, high):
        value, low, high = number(value), number(low), number(high)
    above, below = compare(value, low), compare(value, high)
    if above is None or below is None:
        outside = (above is not None and above < 0) or (below is not None and below > 0)
        return 0 if outside else None
    return int(above >= 0 and below <= 0)


def _temporal(*some: Value) -> bool:
    return any(isinstance(value, date | timedelta) for value in some)


def is_in(value: Value, *options: Value) -> Value:
    if value is None:
        return None
    orders = [compare(value, option) for option in options]
    if 0 in orders:
        return 1
    return None if None in orders else 0


def xor(left: Value, right: Value) -> Value:
    a, b = truth(left), truth(right)
    return None if a is None or b is None else a ^ b


def negate(value: Value) -> Value:
    some = truth(value)
    return None if some is None else 1 - some


def is_truth(value: Value, wanted: int) -> Value:
    """`IS TRUE` and `IS FALSE`: never NULL."""
    return int(truth(value) == wanted)


def like(value: Value, pattern: Value, escape: Value = "\\") -> Value:
    said, wanted = text(value), text(pattern)
    if said is None or wanted is None:
        return None
    exact = isinstance(value, Exact | bytes) or isinstance(pattern, Exact | bytes)
    return int(collation.like(said, wanted, text(escape) or "", exact))


def bits(value: Value) -> int | None:
    some = values.integer(value)
    return None if some is None else some & (2**64 - 1)


def _bitwise(apply: Callable[[int, int], int]) -> Callable[[Value, Value], Value]:
    def both(left: Value, right: Value) -> Value:
        a, b = bits(left), bits(right)
        return None if a is None or b is None else apply(a, b) & (2**64 - 1)

    return both


bit_and = _bitwise(lambda a, b: a & b)
bit_or = _bitwise(lambda a, b: a | b)
bit_xor = _bitwise(lambda a, b: a ^ b)


def bit_not(value: Value) -> Value:
    some = bits(value)
    return None if some is None else some ^ (2**64 - 1)


shift_left = _bitwise(lambda a, b: a << b if b < 64 else 0)
shift_right = _bitwise(lambda a, b: a >> b if b < 64 else 0)
