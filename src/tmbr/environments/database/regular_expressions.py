"""REGEXP and the functions around it, under a limit: a pattern is hostile input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from .errors import SqlError
from .running import CALL, statement
from .values import Exact, Value, as_int, as_text, text

#: Seconds that one regular expression may take on one value: a pattern is hostile input.
REGEX_SECONDS = 5.0


@lru_cache(maxsize=256)
def compiled(pattern: str, flags: str = "") -> Any:
    """A pattern, without regard to case unless `c` is the last of its case flags.

    Raises SqlError for a pattern that is none.
    """
    import regex

    bits = regex.VERSION0 | (0 if flags.rfind("c") > flags.rfind("i") else regex.IGNORECASE)
    bits |= regex.MULTILINE if "m" in flags else 0
    bits |= regex.DOTALL if "n" in flags else 0
    try:
        return regex.compile(pattern, bits)
    except (regex.error, OverflowError, RecursionError) as error:
        raise SqlError(1139, str(error)[:80]) from None


def bounded(search: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run a search of `compiled` under the limit."""
    try:
        return search(*arguments, timeout=REGEX_SECONDS, **named)
    except TimeoutError:
        raise SqlError(3699) from None


def _all(pattern: Any, said: str) -> Iterator[Any]:
    """All matches, under the limit."""
    try:
        yield from pattern.finditer(said, timeout=REGEX_SECONDS)
    except TimeoutError:
        raise SqlError(3699) from None


def regexp(value: Value, pattern: Value, flags: Value = "") -> Value:
    said, wanted, how = text(value), text(pattern), text(flags)
    if said is None or wanted is None or how is None:
        return None
    if isinstance(value, Exact | bytes) or isinstance(pattern, Exact | bytes):
        how = f"c{how}"
    return int(bounded(compiled(wanted, how).search, said) is not None)


def regexp_replace(value: Value, pattern: Value, new: Value, *rest: Value) -> Value:
    start, which = rest[0] if rest else 1, rest[1] if len(rest) > 1 else 0
    flags = as_text(rest[2]) if len(rest) > 2 else ""
    said, skip, found = as_text(value), max(0, as_int(start) - 1), compiled(as_text(pattern), flags)
    template, tail = _template(as_text(new)), said[skip:]
    made, at = [said[:skip]], 0
    for seen, match in enumerate(_all(found, tail), 1):
        if which and seen != as_int(which):
            continue
        made += [tail[at : match.start()], _expanded(match, template)]
        statement.charge(CALL, len(made[-1]))
        at = match.end()
    return "".join((*made, tail[at:]))


def _template(into: str) -> list[str | int]:
    """What takes a match's place: texts, and numbers of groups (`$1` or `\\1`)."""
    parts = re.split(r"[$\\](\d)", into)
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]


def _expanded(match: Any, template: list[str | int]) -> str:
    groups = (match[0], *match.groups(""), *[""] * 10)
    return "".join(part if isinstance(part, str) else groups[part] for part in template)


def _nth(value: Value, pattern: Value, rest: tuple[Value, ...], flags_at: int) -> tuple[Any, int]:
    """The wanted occurrence of a pattern, and how many characters were skipped before the search."""
    flags = as_text(rest[flags_at]) if len(rest) > flags_at else ""
    skip = max(0, as_int(rest[0]) - 1) if rest else 0
    which = as_int(rest[1]) if len(rest) > 1 else 1
    found = compiled(as_text(pattern), flags)
    matches = _all(found, as_text(value)[skip:])
    return next((m for seen, m in enumerate(matches, 1) if seen == max(1, which)), None), skip


def regexp_substr(value: Value, pattern: Value, *rest: Value) -> Value:
    match, _ = _nth(value, pattern, rest, 2)
    return match[0] if match else None


def regexp_instr(value: Value, pattern: Value, *rest: Value) -> Value:
    match, skip = _nth(value, pattern, rest, 3)
    if not match:
        return 0
    end = len(rest) > 2 and as_int(rest[2]) == 1
    return int((match.end() if end else match.start()) + skip + 1)


def regexp_like(value: Value, pattern: Value, flags: Value = "") -> Value:
    return regexp(value, pattern, flags)
