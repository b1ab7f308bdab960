"""MySQL's functions on dates and times. What is no date gives NULL; a world's clock stands still."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from .values import Value, integer, moment, number, show_time, statement, text

_MONTHS = tuple(calendar.month_name)
_DAYS = tuple(calendar.day_name)
_ZERO_DAYS = date(1, 1, 1).toordinal() + 365
_MICRO = timedelta(microseconds=1)


def _moment(value: Value) -> datetime | None:
    some = moment(value)
    if some is None or isinstance(some, datetime):
        return some
    return datetime.combine(some, time())


def now() -> Value:
    return statement.now


def today() -> Value:
    return statement.now.date()


def clock() -> Value:
    return statement.now - datetime.combine(statement.now.date(), time())


def cast_date(value: Value) -> Value:
    some = moment(value)
    return some.date() if isinstance(some, datetime) else some


def cast_datetime(value: Value) -> Value:
    return _moment(value)


def cast_time(value: Value) -> Value:
    """As a span of time: `10:30:00`, 103000, or the time of a moment."""
    if isinstance(value, timedelta) or value is None:
        return value
    if isinstance(value, datetime):
        return value - datetime.combine(value.date(), time())
    if isinstance(value, date):
        return timedelta()
    said = (text(value) or "").strip()
    if found := re.match(r"(-)?(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?$", said, re.ASCII):
        seconds = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4] or 0)
    elif found := re.match(r"(-)?(\d{1,7})(?:\.\d*)?$", said, re.ASCII):
        digits = found[2].rjust(7, "0")
        seconds = int(digits[:-4]) * 3600 + int(digits[-4:-2]) * 60 + int(digits[-2:])
    else:
        full = _moment(said)
        return None if full is None else cast_time(full)
    return timedelta(seconds=-seconds if found[1] else seconds)


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
    some = _moment(value)
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
    some = _moment(value)
    return None if some is None else _DAYS[some.weekday()]


def month_name(value: Value) -> Value:
    some = _moment(value)
    return None if some is None else _MONTHS[some.month]


def last_day(value: Value) -> Value:
    some = _moment(value)
    if some is None:
        return None
    return date(some.year, some.month, calendar.monthrange(some.year, some.month)[1])


def date_diff(one: Value, two: Value) -> Value:
    a, b = _moment(one), _moment(two)
    return None if a is None or b is None else (a.date() - b.date()).days


def to_days(value: Value) -> Value:
    some = _moment(value)
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
    some = _moment(statement.now if value is None else value)
    if some is None:
        return 0
    return max(0, int((some - datetime(1970, 1, 1)).total_seconds()))


def from_unixtime(value: Value, pattern: Value = None) -> Value:
    try:
        some = datetime(1970, 1, 1) + timedelta(seconds=float(number(value) or 0))
    except OverflowError:
        return None
    return some if pattern is None else date_format(some, pattern)


def time_to_sec(value: Value) -> Value:
    span = cast_time(value)
    return int(span.total_seconds()) if isinstance(span, timedelta) else None


def sec_to_time(value: Value) -> Value:
    seconds = float(number(value) or 0)
    return timedelta(seconds=max(-3020399.0, min(3020399.0, seconds)))


def time_diff(one: Value, two: Value) -> Value:
    a, b = text(one) or "", text(two) or ""
    if "-" in a[1:] or "-" in b[1:] or isinstance(one, date):
        x, y = _moment(one), _moment(two)
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
    a, b, name = _moment(one), _moment(two), str(unit).upper()
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


def _suffix(day: int) -> str:
    return "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def date_format(value: Value, pattern: Value) -> Value:
    some = _moment(value)
    if some is None:
        return None
    hour = some.hour % 12 or 12
    shown = {
        "Y": f"{some.year:04}", "y": f"{some.year % 100:02}", "m": f"{some.month:02}",
        "c": str(some.month), "M": _MONTHS[some.month], "b": _MONTHS[some.month][:3],
        "d": f"{some.day:02}", "e": str(some.day), "D": f"{some.day}{_suffix(some.day)}",
        "H": f"{some.hour:02}", "k": str(some.hour), "h": f"{hour:02}", "I": f"{hour:02}",
        "l": str(hour), "i": f"{some.minute:02}", "s": f"{some.second:02}", "S": f"{some.second:02}",
        "f": f"{some.microsecond:06}", "p": "AM" if some.hour < 12 else "PM",
        "W": _DAYS[some.weekday()], "a": _DAYS[some.weekday()][:3], "w": str(some.isoweekday() % 7),
        "j": f"{some.timetuple().tm_yday:03}", "T": some.strftime("%H:%M:%S"),
        "r": f"{hour:02}:{some.minute:02}:{some.second:02} {'AM' if some.hour < 12 else 'PM'}",
        "U": some.strftime("%U"), "u": some.strftime("%W"), "V": some.strftime("%V"),
        "v": some.strftime("%V"), "X": f"{some.year:04}", "x": f"{some.isocalendar().year:04}",
    }  # fmt: skip
    return re.sub(r"%(.)", lambda m: shown.get(m[1], m[1]), text(pattern) or "", flags=re.DOTALL)


_READ = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "c": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})", "e": r"(?P<d>\d{1,2})", "D": r"(?P<d>\d{1,2})(?:st|nd|rd|th)",
    "M": r"(?P<M>[a-z]{3,9})", "b": r"(?P<b>[a-z]{3})", "H": r"(?P<H>\d{1,2})", "k": r"(?P<H>\d{1,2})",
    "h": r"(?P<h>\d{1,2})", "I": r"(?P<h>\d{1,2})", "l": r"(?P<h>\d{1,2})", "i": r"(?P<i>\d{1,2})",
    "s": r"(?P<s>\d{1,2})", "S": r"(?P<s>\d{1,2})", "p": r"(?P<p>am|pm)", "W": r"(?:[a-z]{6,9})",
    "a": r"(?:[a-z]{3})", "f": r"(?P<f>\d{1,6})", "T": r"(?P<H>\d{1,2}):(?P<i>\d{1,2}):(?P<s>\d{1,2})",
}  # fmt: skip


def str_to_date(value: Value, pattern: Value) -> Value:
    """A date, datetime or time by what the pattern names; NULL where the text is not of its form."""
    said, wanted = (text(value) or "").strip(), text(pattern) or ""
    form = "".join(
        _READ.get(piece[1], re.escape(piece[1])) if piece[0] == "%" and len(piece) == 2
        else r"\s*" if piece.isspace() else r"\s*" + re.escape(piece)
        for piece in re.findall(r"%.|\s+|[^%\s]|%", wanted, re.DOTALL)
    )  # fmt: skip
    try:
        found = re.match(form, said, re.IGNORECASE | re.ASCII)
    except re.error:  # a part named twice
        return None
    if not found:
        return None
    seen = {key: got for key, got in found.groupdict().items() if got is not None}
    return _built(seen, bool(re.search("%[HkhIlisSfTrp]", wanted)))


def _built(seen: dict[str, str], timed: bool) -> Value:
    hour = int(seen.get("H", seen.get("h", "0")))
    if "p" in seen:
        hour = hour % 12 + (12 if seen["p"].lower() == "pm" else 0)
    span = timedelta(hours=hour, minutes=int(seen.get("i", 0)), seconds=int(seen.get("s", 0)))
    if timed and not seen.keys() & set("YymdMb"):
        return span
    month = int(seen.get("m", 0))
    if name := (seen.get("M") or seen.get("b", "")).lower():
        full = [m.lower() if "M" in seen else m[:3].lower() for m in _MONTHS]
        month = full.index(name) if name in full else 0
    short = int(seen.get("y", "0"))
    year = int(seen["Y"]) if "Y" in seen else short + (2000 if short < 70 else 1900)
    try:
        day = date(year, month, int(seen.get("d", 0)))
    except ValueError:
        return None
    return datetime.combine(day, time()) + span if timed else day


def time_format(value: Value, pattern: Value) -> Value:
    span = cast_time(value)
    if not isinstance(span, timedelta):
        return None
    return date_format(datetime(2000, 1, 1) + abs(span) % timedelta(days=1), pattern)


def shown_time(value: timedelta) -> str:
    return show_time(value)
