"""Moments by a pattern: DATE_FORMAT, TIME_FORMAT, STR_TO_DATE and FROM_UNIXTIME."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from .temporal import DAYS, MONTHS, cast_time, instant
from .values import Value, number, text
from .weeks import year_and_week


def _suffix(day: int) -> str:
    return "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


#: Letter, mode of WEEK, whether the year or the week, digits.
_WEEKS = (
    ("U", 0, 1, 2),
    ("u", 1, 1, 2),
    ("V", 2, 1, 2),
    ("v", 3, 1, 2),
    ("X", 2, 0, 4),
    ("x", 3, 0, 4),
)


def date_format(value: Value, pattern: Value) -> Value:
    some = instant(value)
    if some is None:
        return None
    hour = some.hour % 12 or 12
    shown = {
        "Y": f"{some.year:04}", "y": f"{some.year % 100:02}", "m": f"{some.month:02}",
        "c": str(some.month), "M": MONTHS[some.month], "b": MONTHS[some.month][:3],
        "d": f"{some.day:02}", "e": str(some.day), "D": f"{some.day}{_suffix(some.day)}",
        "H": f"{some.hour:02}", "k": str(some.hour), "h": f"{hour:02}", "I": f"{hour:02}",
        "l": str(hour), "i": f"{some.minute:02}", "s": f"{some.second:02}", "S": f"{some.second:02}",
        "f": f"{some.microsecond:06}", "p": "AM" if some.hour < 12 else "PM",
        "W": DAYS[some.weekday()], "a": DAYS[some.weekday()][:3], "w": str(some.isoweekday() % 7),
        "j": f"{some.timetuple().tm_yday:03}", "T": some.strftime("%H:%M:%S"),
        "r": f"{hour:02}:{some.minute:02}:{some.second:02} {'AM' if some.hour < 12 else 'PM'}",
    } | {
        name: f"{year_and_week(some.date(), mode)[part]:0{width}}"
        for name, mode, part, width in _WEEKS
    }  # fmt: skip
    return re.sub(r"%(.)", lambda m: shown.get(m[1], m[1]), text(pattern) or "", flags=re.DOTALL)


_READ = {
    "Y": r"(?P<Y>\d{1,4})", "y": r"(?P<y>\d{1,2})", "m": r"(?P<m>\d{1,2})", "c": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})", "e": r"(?P<d>\d{1,2})", "D": r"(?P<d>\d{1,2})(?:st|nd|rd|th)",
    "M": r"(?P<M>[a-z]{3,9})", "b": r"(?P<b>[a-z]{3})", "H": r"(?P<H>\d{1,2})", "k": r"(?P<H>\d{1,2})",
    "h": r"(?P<h>\d{1,2})", "I": r"(?P<h>\d{1,2})", "l": r"(?P<h>\d{1,2})", "i": r"(?P<i>\d{1,2})",
    "s": r"(?P<s>\d{1,2})", "S": r"(?P<s>\d{1,2})", "p": r"(?P<p>am|pm)", "W": r"[a-z]{6,9}",
    "a": r"[a-z]{3}", "f": r"(?P<f>\d{1,6})", "j": r"(?P<j>\d{1,3})",
    "T": r"(?P<H>\d{1,2}):(?P<i>\d{1,2}):(?P<s>\d{1,2})",
    "r": r"(?P<h>\d{1,2}):(?P<i>\d{1,2}):(?P<s>\d{1,2}) ?(?P<p>am|pm)",
}  # fmt: skip


def str_to_date(value: Value, pattern: Value) -> Value:
    """A date, datetime or time by what the pattern names; NULL where the text is not of its form. A
    text that ends early leaves the rest of the pattern unasked."""
    said, wanted = (text(value) or "").strip(), text(pattern) or ""
    seen: dict[str, str] = {}
    at = 0
    for piece in re.findall(r"%.|[^%\s]|%", wanted, re.DOTALL):
        at += len(said[at:]) - len(said[at:].lstrip())
        if at >= len(said):
            break
        form = _READ.get(piece[1], re.escape(piece[1])) if len(piece) == 2 else re.escape(piece)
        found = re.compile(form, re.IGNORECASE | re.ASCII).match(said, at)
        if not found:
            return None
        at = found.end()
        seen |= found.groupdict()
    return _built(seen, bool(re.search("%[HkhIlisSfTrp]", wanted)))


def _built(seen: dict[str, str], timed: bool) -> Value:
    hour, minute, second = (int(seen.get(key, 0)) for key in ("H", "i", "s"))
    if "h" in seen:
        hour = int(seen["h"]) % 12 + (12 if seen.get("p", "").lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59 or int(seen.get("h", 1)) not in range(1, 13):
        return None
    span = timedelta(hours=hour, minutes=minute, seconds=second,
                     microseconds=int(seen.get("f", "0").ljust(6, "0")))  # fmt: skip
    if timed and not seen.keys() & set("YymdMbj"):
        return span
    day = _day(seen)
    if isinstance(day, str) or day is None:
        return day
    return datetime.combine(day, time()) + span if timed else day


def _day(seen: dict[str, str]) -> date | str | None:
    """The date; one of the year 0, which Python has not, as text."""
    month = int(seen.get("m", 0))
    if name := (seen.get("M") or seen.get("b", "")).lower():
        full = [m.lower() if "M" in seen else m[:3].lower() for m in MONTHS]
        month = full.index(name) if name in full else 0
    said = seen.get("Y", seen.get("y", ""))
    year = int(said or 0)
    if said and len(said) <= 2:
        year += 2000 if year < 70 else 1900
    try:
        if "j" in seen:
            return date(year, 1, 1) + timedelta(days=int(seen["j"]) - 1)
        made = date(year or 4, month, int(seen.get("d", 0)))
    except ValueError:
        return None
    return made if year else f"0000-{made:%m-%d}"


def time_format(value: Value, pattern: Value) -> Value:
    span = cast_time(value)
    if not isinstance(span, timedelta):
        return None
    return date_format(datetime(2000, 1, 1) + abs(span) % timedelta(days=1), pattern)


def from_unixtime(value: Value, pattern: Value = None) -> Value:
    try:
        some = datetime(1970, 1, 1) + timedelta(seconds=float(number(value) or 0))
    except OverflowError:
        return None
    return some if pattern is None else date_format(some, pattern)
