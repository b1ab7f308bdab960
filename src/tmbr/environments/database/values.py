"""Values as MySQL has them, carried through SQLite.

SQLite knows integers, doubles, text and blobs. What MySQL has beside these travels as a blob with a tag
in front: `D` decimal, `d` date, `t` datetime, `T` time, `C` text that is compared by its bytes, `J`
JSON, `B` bytes, `U` an integer of 64 bits. `decode` and `encode` convert; all functions work on the
decoded values.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from .errors import SqlError
from .running import statement

Value = None | int | float | str | bytes | Decimal | date | datetime | timedelta
Number = int | float | Decimal
Raw = None | int | float | str | bytes

#: As large as a value may get: MySQL answers NULL beyond `max_allowed_packet`.
MAX_PACKET = 16 * 2**20
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
_NUMBER = re.compile(r"[ \t\n\r\f\v]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
_DATE = re.compile(
    r"\s*(\d{4}|\d{2})[^\w\s](\d{1,2})[^\w\s](\d{1,2})(?!\d)"
    r"(?:[ T]+(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?)?)?(.*)$",
    re.ASCII | re.DOTALL,
)
_DIGITS = re.compile(r"\s*(\d{14}|\d{12}|\d{8}|\d{6})\s*$", re.ASCII)


class Exact(str):
    """Text of a binary collation."""

    __slots__ = ()


class Json(str):
    """A JSON document as text, in MySQL's spelling."""

    __slots__ = ()


def decode(raw: Raw) -> Value:
    if type(raw) is not bytes:
        return raw
    tag, body = raw[:1], raw[1:]
    if tag == b"B":
        return body
    text = body.decode("utf-8", "surrogatepass")
    if tag == b"D":
        return Decimal(text)
    if tag == b"U":
        return int(text)
    if tag == b"d":
        return date.fromisoformat(text)
    if tag == b"t":
        return datetime.fromisoformat(text)
    if tag == b"T":
        return timedelta(microseconds=int(text))
    return Json(text) if tag == b"J" else Exact(text)


def encode(value: Value) -> Raw:
    kind = type(value)
    if value is None or kind is float or kind is str or (kind is int and INT_MIN <= value <= INT_MAX):  # type: ignore[operator]
        return value  # type: ignore[return-value]
    if isinstance(value, int):
        return _encode_int(int(value))
    if isinstance(value, Decimal):
        return b"D" + format(value, "f").encode()
    if isinstance(value, datetime):
        return b"t" + value.isoformat(" ").encode()
    if isinstance(value, date):
        return b"d" + value.isoformat().encode()
    if isinstance(value, timedelta):
        return b"T" + str(value // timedelta(microseconds=1)).encode()
    if isinstance(value, Json):
        return b"J" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, Exact):
        return b"C" + value.encode("utf-8", "surrogatepass")
    assert isinstance(value, bytes)
    return b"B" + value


def _encode_int(value: int) -> Raw:
    """SQLite's integers end at 63 bits; MySQL's unsigned ones, and decimals, go on."""
    if INT_MIN <= value <= INT_MAX:
        return value
    return (b"U" if 0 < value < 2**64 else b"D") + str(value).encode()


def truncated(kind: str, text: str) -> None:
    """A value that does not convert: a warning in a query, an error where rows are written."""
    if statement.strict:
        raise SqlError(1292, kind, text[:128])


def number(value: Value, kind: str = "DOUBLE") -> Number | None:
    """As a number; text gives a double (its leading number, or 0)."""
    if value is None or isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, str | bytes):
        return _read_number(value if isinstance(value, str) else value.decode("latin-1"), kind)
    if isinstance(value, datetime):
        whole = int(value.strftime("%Y%m%d%H%M%S"))
        return Decimal(f"{whole}.{value.microsecond:06}") if value.microsecond else whole
    if isinstance(value, date):
        return int(value.strftime("%Y%m%d"))
    seconds = int(abs(value).total_seconds())
    shown = seconds // 3600 * 10000 + seconds % 3600 // 60 * 100 + seconds % 60
    return -shown if value < timedelta(0) else shown


def _read_number(text: str, kind: str) -> float:
    found = _NUMBER.match(text)
    if not found:
        truncated(kind, text)
        return 0.0
    if text[found.end() :].strip(" \t\n\r\f\v"):
        truncated(kind, text)
    return min(max(float(found[1]), -1.7976931348623157e308), 1.7976931348623157e308)


def integer(value: Value, kind: str = "INTEGER") -> int | None:
    """As a whole number, rounded half away from zero; text is cut at its first non-digit."""
    if isinstance(value, str):
        found = re.match(r"\s*([+-]?\d+)", value, re.ASCII)
        if not found or value[found.end() :].strip():
            truncated(kind, value)
        return min(max(int(found[1][:40]), INT_MIN), INT_MAX) if found else 0
    return whole(value, INT_MAX)


def whole(value: Value, most: int) -> int | None:
    """A number rounded half away from zero, a double half to even."""
    some = number(value)
    if some is None:
        return None
    if isinstance(some, Decimal):
        some = int(some.to_integral_value("ROUND_HALF_UP"))
    return min(max(round(some), INT_MIN), most)


def decimal(value: Value, scale: int | None = None) -> Decimal | None:
    """As an exact number, rounded half away from zero to `scale` digits where given."""
    if isinstance(value, str):
        found = _NUMBER.match(value)
        if not found or value[found.end() :].strip():
            truncated("DECIMAL", value)
        exact = Decimal(found[1]) if found else Decimal(0)
    else:
        some = number(value)
        if some is None:
            return None
        exact = Decimal(repr(some)) if isinstance(some, float) else Decimal(some)
    if scale is None:
        return exact
    return rounded(exact, scale)


def rounded(exact: Decimal, scale: int) -> Decimal:
    try:
        return exact.quantize(Decimal(1).scaleb(-scale), "ROUND_HALF_UP")
    except InvalidOperation:
        raise SqlError(1690, "DECIMAL", str(exact)[:60]) from None


def show_double(value: float) -> str:
    """A double as MySQL prints it: shortest digits, plain unless the exponent leaves 15 digits."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    digits = repr(value)
    mantissa, _, power = digits.partition("e")
    exponent = int(power) if power else 0
    size = Decimal(digits).adjusted()
    if -15 <= size < 15:
        return format(Decimal(digits), "f") if power else digits
    whole = Decimal(digits)
    if power:
        return f"{mantissa.removesuffix('.0')}e{exponent}"
    sign, numbers, _ = whole.normalize().as_tuple()
    head = "".join(map(str, numbers))
    point = f"{head[0]}.{head[1:]}" if len(head) > 1 else head
    return f"{'-' if sign else ''}{point}e{size}"


def show_time(value: timedelta) -> str:
    micro = abs(value) // timedelta(microseconds=1)
    seconds, rest = divmod(micro, 10**6)
    sign = "-" if value < timedelta(0) else ""
    shown = f"{sign}{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    return f"{shown}.{rest:06}" if rest else shown


def text(value: Value) -> str | None:
    """As text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, float):
        return show_double(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, timedelta):
        return show_time(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()


def moment(value: Value) -> date | datetime | None:
    """As a date or datetime; None where it is none (`statement.strict` makes that an error)."""
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, timedelta):
        return datetime.combine(statement.now.date(), time()) + value
    said = text(value) or ""
    found, digits = _DATE.match(said), _DIGITS.match(said)
    try:
        if found:
            return _from_parts(found, said)
        if digits:
            return _from_digits(digits[1])
    except (ValueError, OverflowError):
        pass
    if statement.strict:
        raise SqlError(1292, text=f"Incorrect datetime value: '{said[:128]}'")
    return None


def _from_parts(found: re.Match[str], said: str) -> date | datetime:
    year, month, day, hour, minute, second, micro, rest = found.groups()
    if rest.strip():
        truncated("datetime", said)
    day_part = date(_year(year), int(month), int(day))
    if hour is None:
        return day_part
    return datetime.combine(
        day_part,
        time(int(hour), int(minute or 0), int(second or 0), int((micro or "0").ljust(6, "0"))),
    )


def _from_digits(digits: str) -> date | datetime:
    cut = 4 if len(digits) in (8, 14) else 2
    day = date(_year(digits[:cut]), int(digits[cut : cut + 2]), int(digits[cut + 2 : cut + 4]))
    rest = digits[cut + 4 :]
    if not rest:
        return day
    return datetime.combine(day, time(int(rest[:2]), int(rest[2:4]), int(rest[4:6])))


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 70 else 1900)


def as_text(value: Value) -> str:
    return text(value) or ""


def as_int(value: Value) -> int:
    return integer(value) or 0
