"""MySQL's functions on numbers. Text is read as a double; NULL in, NULL out."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from random import Random

from . import values
from .errors import SqlError
from .operators import CONTEXT
from .running import statement
from .values import INT_MAX, INT_MIN, Value, integer, number, text, truncated


def absolute(value: Value) -> Value:
    some = number(value)
    return some if some is None or some >= 0 else -some


def sign(value: Value) -> Value:
    some = number(value)
    return None if some is None else (some > 0) - (some < 0)


def ceiling(value: Value) -> Value:
    return _whole(value, math.ceil)


def floor(value: Value) -> Value:
    return _whole(value, math.floor)


def _whole(value: Value, to: Callable[[float], int]) -> Value:
    some = number(value)
    if isinstance(some, float):
        return float(to(some))
    return None if some is None else to(some)  # type: ignore[arg-type]


def rounded(value: Value, digits: Value = 0) -> Value:
    """Exact numbers half away from zero, doubles half to even, as the C library does."""
    some, places = number(value), max(-30, min(30, integer(digits) or 0))
    if some is None:
        return None
    if isinstance(some, float):
        return _round_double(some, places)
    if isinstance(some, int):
        if places >= 0:
            return some
        return int(Decimal(some).quantize(Decimal(1).scaleb(-places), "ROUND_HALF_UP", CONTEXT))
    return some.quantize(Decimal(1).scaleb(-places), "ROUND_HALF_UP", CONTEXT) + 0


def _round_double(value: float, places: int) -> float:
    if places < 0:
        unit = 10.0**-places
        return float(round(value / unit) * unit)
    unit = 10.0**places
    scaled = value * unit
    if not math.isfinite(scaled) or abs(scaled) > 2**53:
        return value
    return round(scaled) / unit


def truncate(value: Value, digits: Value) -> Value:
    some, places = number(value), max(-30, min(30, integer(digits) or 0))
    if some is None:
        return None
    if isinstance(some, float):
        scaled = some * 10.0**places
        return math.trunc(scaled) / 10.0**places if abs(scaled) < 2**53 else some
    if isinstance(some, int) and places >= 0:
        return some
    cut = Decimal(some).quantize(Decimal(1).scaleb(-places), "ROUND_DOWN", CONTEXT)
    return int(cut) if isinstance(some, int) else cut


def power(base: Value, exponent: Value) -> Value:
    a, b = number(base), number(exponent)
    assert a is not None
    assert b is not None
    try:
        made = math.pow(float(a), float(b))
    except (OverflowError, ValueError):
        raise SqlError(1690, "DOUBLE", f"pow({text(base)},{text(exponent)})") from None
    return made


def _real(apply: Callable[[float], float]) -> Callable[[Value], Value]:
    """A function of the reals: NULL outside its domain."""

    def call(value: Value) -> Value:
        try:
            return apply(float(number(value) or 0))
        except ValueError:
            return None
        except OverflowError:
            raise SqlError(1690, "DOUBLE", text(value)) from None

    return call


sqrt = _real(math.sqrt)
exp = _real(math.exp)
ln = _real(math.log)
log2 = _real(math.log2)
log10 = _real(math.log10)
sin, cos, tan = _real(math.sin), _real(math.cos), _real(math.tan)
asin, acos = _real(math.asin), _real(math.acos)
cot = _real(lambda x: 1 / math.tan(x))
degrees, radians = _real(math.degrees), _real(math.radians)


def log(value: Value, other: Value = None) -> Value:
    """LOG(x), or LOG(base, x)."""
    if other is None:
        return ln(value)
    base, of = float(number(value) or 0), float(number(other) or 0)
    return math.log(of) / math.log(base) if base > 0 and base != 1 and of > 0 else None


def atan(value: Value, other: Value = None) -> Value:
    if other is None:
        return math.atan(float(number(value) or 0))
    return math.atan2(float(number(value) or 0), float(number(other) or 0))


def pi() -> Value:
    return math.pi


def random(seed: Value = None) -> Value:
    """Drawn from the statement's own sequence, so that equal statements of forks draw equally."""
    statement.draws += 1
    return Random(f"{integer(seed)}/{statement.draws}").random()


def crc32(value: Value) -> Value:
    return zlib.crc32((text(value) or "").encode("utf-8", "replace"))


def bit_count(value: Value) -> Value:
    return ((integer(value) or 0) & (2**64 - 1)).bit_count()


def _bits(value: Value) -> int | None:
    """A whole number in 64 bits; a text's sign is not in the way of its largest numbers."""
    if isinstance(value, str):
        found = re.match(r"\s*([+-]?\d+)", value, re.ASCII)
        if not found or value[found.end() :].strip():
            truncated("INTEGER", value)
        whole = int(found[1][:40]) if found else 0
        return min(max(whole, INT_MIN), 2**64 - 1) & (2**64 - 1)
    if isinstance(value, float | Decimal) and value < 0:
        return None
    whole_number = values.whole(value, 2**64 - 1)
    return None if whole_number is None else whole_number & (2**64 - 1)


def cast_signed(value: Value) -> Value:
    bits = _bits(value) if isinstance(value, str) else integer(value)
    return bits - 2**64 if bits is not None and bits > INT_MAX else bits


def cast_unsigned(value: Value) -> Value:
    """Negative whole numbers are taken by their bits, other negative numbers are 0."""
    if value is None:
        return None
    return _bits(value) or 0


def cast_double(value: Value) -> Value:
    some = number(value)
    return None if some is None else float(some)


def cast_float(value: Value) -> Value:
    """Of single precision, of which six digits are shown."""
    some = number(value)
    return None if some is None else float(f"{some:.6g}")


def cast_decimal(value: Value, precision: Value = 10, scale: Value = 0) -> Value:
    """Too large a number becomes the largest that fits."""
    digits = integer(scale) or 0
    exact = values.decimal(value)
    if exact is None:
        return None
    most = Decimal(10) ** ((integer(precision) or 10) - digits) - Decimal(1).scaleb(-digits)
    if abs(exact) > most:
        return most.copy_sign(exact)
    return values.rounded(exact, digits)
