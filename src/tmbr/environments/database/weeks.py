"""Weeks of a year in MySQL's eight ways, periods of months, and sums of times."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from .temporal import cast_time, instant
from .values import Value, as_int, text


def _first(year: int, mode: int) -> date:
    """The day on which week 1 begins: a Monday in odd modes, a Sunday in even ones. It is the first
    week with four days in the year in modes 1, 3, 4 and 6, and the first whole week in the others."""
    start = date(year, 1, 1)
    before = start.weekday() if mode & 1 else start.isoweekday() % 7
    short = before > 3 if mode in (1, 3, 4, 6) else before > 0
    return start + timedelta(days=(7 if short else 0) - before)


def year_and_week(day: date, mode: int) -> tuple[int, int]:
    """In modes with bit 2 a day may belong to the year before or after; in others to week 0."""
    year = day.year
    if mode & 2:
        if day < _first(year, mode):
            year -= 1
        elif year < 9999 and day >= _first(year + 1, mode):
            year += 1
    return year, (day - _first(year, mode)).days // 7 + 1


def week(value: Value, mode: Value = 0) -> Value:
    some = instant(value)
    return None if some is None else year_and_week(some.date(), as_int(mode) & 7)[1]


def year_week(value: Value, mode: Value = 0) -> Value:
    some = instant(value)
    if some is None:
        return None
    year, number = year_and_week(some.date(), as_int(mode) & 7 | 2)
    return year * 100 + number


def add_time(value: Value, span: Value, sign: int = 1) -> Value:
    """ADDTIME and SUBTIME; what is given as text stays text."""
    more = cast_time(span)
    moment = "-" in (text(value) or "")[1:] or isinstance(value, date)
    start = instant(value) if moment else cast_time(value)
    if not isinstance(start, datetime | timedelta) or not isinstance(more, timedelta):
        return None
    try:
        made = start + sign * more
    except OverflowError:
        return None
    return text(made) if isinstance(value, str) else made


def make_time(hour: Value, minute: Value, second: Value) -> Value:
    h, m, s = (as_int(part) for part in (hour, minute, second))
    if not (0 <= m < 60 and 0 <= s < 60):
        return None
    span = timedelta(hours=min(abs(h), 838), minutes=m, seconds=s)
    return span if h >= 0 else -span


def _months(period: Value) -> int:
    year, month = divmod(as_int(period), 100)
    year += 2000 if year < 70 else 1900 if year < 100 else 0
    return year * 12 + month - 1


def period_add(period: Value, count: Value) -> Value:
    year, month = divmod(_months(period) + as_int(count), 12)
    return year * 100 + month + 1


def period_diff(one: Value, two: Value) -> Value:
    return _months(one) - _months(two)
