"""MySQL's functions on dates and times. What is no date gives NULL; a world's clock stands still."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from .running import statement
from .values import Value, decimal, integer, moment, number, text

MONTHS = tuple(calendar.month_name)
DAYS = tuple(calendar.day_name)
_MICRO = timedelta(microseconds=1)


def instant(value: Value) -> datetime | None:
    some = moment(value)
    if some is None or isinstance(some, datetime):
        return some
    return datetime.combine(some, time())


def now(_: Value = None) -> Value:
    return statement.now


def today() -> Value:
    return statement.now.date()


def clock(_: Value = None) -> Value:
    return statement.now - datetime.combine(statement.now.date(), time())


def cast_date(value: Value) -> Value:
    some = moment(value)
    return some.date() if isinstance(some, datetime) else some


def cast_datetime(value: Value) -> Value:
    return instant(value)


def timestamp(value: Value, span: Value = None) -> Value:
    """TIMESTAMP of one or of two arguments, the second of which is added."""
    some = instant(value)
    if span is None or some is None:
        return some
    more = cast_time(span)
    return some + more if isinstance(more, timedelta) else None


def cast_time(value: Value) -> Value:
    """As a span of time: `10:30:00`, 103000, or the time of a moment."""
    if isinstance(value, timedelta) or value is None:
        return value
    if isinstance(value, datetime):
        return value - datetime.combine(value.date(), time())
    if isinstance(value, date):
        return timedelta()
    said = (text(value) or "").strip()
    micro = 0
    if found := re.match(r"(-)?(\d{1,3}):(\d{1,2})(?::(\d{1,2})(\.\d+)?)?(?![\d:-])", said, re.ASCII):
        seconds = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4] or 0)
        micro = int((found[5] or ".0")[1:7].ljust(6, "0"))
    elif found := re.match(r"([+-])?(\d{1,7})(?:\.\d*)?(?![\d:-])", said, re.ASCII):
        digits = found[2].rjust(7, "0")
        seconds = int(digits[:-4]) * 3600 + int(digits[-4:-2]) * 60 + int(digits[-2:])
    else:
        full = instant(said)
        return None if full is None else cast_time(full)
    span = timedelta(seconds=seconds, microseconds=micro)
    return -span if found[1] == "-" else span


def part(value: Value, unit: Value) -> Value:
    """EXTRACT, and YEAR(), MONTH(), … which are its short forms."""
    name = str(unit).upper()
    if name in ("HOUR", "MINUTE", "SECOND", "MICROSECOND"):
        span = cast_time(value)
        if not isinstance(span, timedelta):
            return None
        micro = abs(span) // _MICRO
        parts = {
            "HOUR": micro // 3_600_000_000,
            "MINUTE": micro // 60_000_000 % 60,
            "SECOND": micro // 1_000_000 % 60,
        }
        return parts.get(name, micro % 1_000_000)
    some = instant(value)
    if some is None:
        return None
    parts = {
        "YEAR": some.year,
        "MONTH": some.month,
        "DAY": some.day,
        "QUARTER": (some.month + 2) // 3,
        "WEEK": int(some.strftime("%U")),
        "DAYOFWEEK": some.isoweekday() % 7 + 1,
        "WEEKDAY": some.weekday(),
        "DAYOFYEAR": some.timetuple().tm_yday,
        "WEEKOFYEAR": some.isocalendar().week,
        "YEAR_MONTH": some.year * 100 + some.month,
    }
    return parts.get(name)


def day_name(value: Value) -> Value:
    some = instant(value)
    return None if some is None else DAYS[some.weekday()]


def month_name(value: Value) -> Value:
    some = instant(value)
    return None if some is None else MONTHS[some.month]


def last_day(value: Value) -> Value:
    some = instant(value)
    if some is None:
        return None
    return date(some.year, some.month, calendar.monthrange(some.year, some.month)[1])


def date_diff(one: Value, two: Value) -> Value:
    a, b = instant(one), instant(two)
    return None if a is None or b is None else (a.date() - b.date()).days


def to_days(value: Value) -> Value:
    some = instant(value)
    return None if some is None else some.toordinal() + 365


def from_days(value: Value) -> Value:
    try:
        return date.fromordinal((integer(value) or 0) - 365)
    except (ValueError, OverflowError):
        return None


def make_date(year: Value, day: Value) -> Value:
    y, d = integer(year) or 0, integer(day) or 0
    y += 2000 if y < 70 else 1900 if y < 100 else 0
    try:
        return date(y, 1, 1) + timedelta(days=d - 1) if d > 0 else None
    except (ValueError, OverflowError):
        return None


def unix_timestamp(value: Value = None) -> Value:
    some = instant(statement.now if value is None else value)
    if some is None:
        return 0
    return max(0, int((some - datetime(1970, 1, 1)).total_seconds()))


def time_to_sec(value: Value) -> Value:
    span = cast_time(value)
    return int(span.total_seconds()) if isinstance(span, timedelta) else None


def sec_to_time(value: Value) -> Value:
    most = Decimal("3020399") if isinstance(value, int) else Decimal("3020399.999999")
    seconds = max(-most, min(most, decimal(value) or Decimal(0)))
    return int(seconds * 1_000_000) * _MICRO


def time_diff(one: Value, two: Value) -> Value:
    a, b = text(one) or "", text(two) or ""
    if "-" in a[1:] or "-" in b[1:] or isinstance(one, date):
        x, y = instant(one), instant(two)
        return None if x is None or y is None else x - y
    first, second = cast_time(one), cast_time(two)
    if not isinstance(first, timedelta) or not isinstance(second, timedelta):
        return None
    return first - second


def shift(value: Value, amount: Value, unit: Value, sign: Value = 1) -> Value:
    """DATE_ADD and DATE_SUB. Text and dates stay what they are where the unit allows it."""
    some, name = moment(value), str(unit).upper()
    if some is None or amount is None:
        return None
    direction = integer(sign) or 1
    try:
        made = _shifted(some, amount, name, direction)
    except (ValueError, OverflowError):
        return None
    if made is None:
        return None
    return text(made) if isinstance(value, str) else made


_MONTHS_OF = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_SECONDS_OF = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}
_COMPOUND = {
    "YEAR_MONTH": ("YEAR", "MONTH"),
    "DAY_HOUR": ("DAY", "HOUR"),
    "DAY_MINUTE": ("DAY", "HOUR", "MINUTE"),
    "DAY_SECOND": ("DAY", "HOUR", "MINUTE", "SECOND"),
    "HOUR_MINUTE": ("HOUR", "MINUTE"),
    "HOUR_SECOND": ("HOUR", "MINUTE", "SECOND"),
    "MINUTE_SECOND": ("MINUTE", "SECOND"),
}


def _shifted(some: date, amount: Value, name: str, direction: int) -> date | None:
    if name in _COMPOUND:
        numbers = [int(n) for n in re.findall(r"\d+", text(amount) or "")]
        units = _COMPOUND[name][-len(numbers) :]
        minus = -1 if (text(amount) or "").lstrip().startswith("-") else 1
        for unit, count in zip(units, numbers, strict=False):
            made = _shifted(some, count, unit, direction * minus)
            assert made is not None
            some = made
        return some
    if name in _MONTHS_OF:
        months = some.year * 12 + some.month - 1 + direction * (integer(amount) or 0) * _MONTHS_OF[name]
        year, month = divmod(months, 12)
        day = min(some.day, calendar.monthrange(year, month + 1)[1]) if 1 <= year <= 9999 else 1
        return some.replace(year=year, month=month + 1, day=day)
    if name not in _SECONDS_OF:
        return None
    given = number(amount) or 0
    size: float = float(given) if name == "SECOND" else int(Decimal(str(given)).to_integral_value())
    span = timedelta(seconds=direction * size * _SECONDS_OF[name])
    if name in ("DAY", "WEEK") or isinstance(some, datetime):
        return some + span
    return datetime.combine(some, time()) + span


def timestamp_diff(unit: Value, one: Value, two: Value) -> Value:
    """Whole units from the first to the second."""
    a, b, name = instant(one), instant(two), str(unit).upper()
    if a is None or b is None:
        return None
    if name in _SECONDS_OF:
        micro = (b - a) // _MICRO
        units = abs(micro) // (_SECONDS_OF[name] * 10**6)
        return units if micro >= 0 else -units
    early, late = min(a, b), max(a, b)
    months = (late.year - early.year) * 12 + late.month - early.month
    if (late.day, late.time()) < (early.day, early.time()):
        months -= 1
    made = months // _MONTHS_OF[name]
    return made if b >= a else -made
