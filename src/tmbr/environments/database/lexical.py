"""What sqlglot reads and MySQL's grammar refuses, where the words alone tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from .catalog import DATABASE
from .errors import SqlError, syntax_error

#: What CAST and CONVERT may make.
_CASTS = frozenset(
    ("BINARY", "CHAR", "CHARACTER", "NCHAR", "NATIONAL", "DATE", "DATETIME", "DECIMAL", "DEC", "FIXED",
     "DOUBLE", "FLOAT", "JSON", "REAL", "SIGNED", "TIME", "UNSIGNED", "YEAR")
)  # fmt: skip
#: Functions that are such only where their parenthesis follows at once (MySQL's `IGNORE_SPACE` is off).
_CLOSE = frozenset(
    ("ADDDATE", "BIT_AND", "BIT_OR", "BIT_XOR", "CAST", "COUNT", "CURDATE", "CURTIME", "DATE_ADD",
     "DATE_SUB", "EXTRACT", "GROUP_CONCAT", "JSON_ARRAYAGG", "JSON_OBJECTAGG", "MAX", "MID", "MIN",
     "NOW", "POSITION", "SESSION_USER", "STD", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "SUBDATE",
     "SUBSTR", "SUBSTRING", "SUM", "SYSDATE", "SYSTEM_USER", "TRIM", "VARIANCE", "VAR_POP", "VAR_SAMP")
)  # fmt: skip
_QUOTED = ("STRING", "IDENTIFIER")


def checked(sql: str, tokens: Sequence[Any]) -> str:
    """The statement as sqlglot should read it, every word in its place. Raises SqlError."""
    words = [("" if t.token_type.name in _QUOTED else t.text.upper()) for t in tokens]
    if words[:1] == ["FROM"]:
        raise syntax_error(sql, tokens[0].start)
    for at, (word, after) in enumerate(pairwise(words)):
        token, following = tokens[at], tokens[at + 1]
        if word == "::" or (word, after) in (("NULLS", "FIRST"), ("NULLS", "LAST")):
            raise syntax_error(sql, token.start)
        if word == "==":
            raise syntax_error(sql, token.start + 1)
        if word == "," and after == "FROM":
            raise syntax_error(sql, following.start)
        if word == "INTERVAL" and following.token_type.name == "STRING":
            _interval(sql, tokens, at)
        if word in _CLOSE and after == "(" and following.start > token.end + 1:
            raise _apart(sql, word, tokens[at + 2 : at + 3])
    _clauses(sql, tokens, words)
    for at in _targets(words):
        if words[at].partition(" ")[0] not in _CASTS:
            raise syntax_error(sql, tokens[at].start)
        if words[at] in ("SIGNED", "UNSIGNED") and words[at + 1 : at + 2] in (["INT"], ["INTEGER"]):
            start, end = tokens[at + 1].start, tokens[at + 1].end + 1
            sql = sql[:start] + " " * (end - start) + sql[end:]
    return sql


#: The order of a query's clauses.
_ORDER = {
    "FROM": 0,
    "JOIN": 0,
    "WHERE": 1,
    "GROUP BY": 2,
    "HAVING": 3,
    "WINDOW": 4,
    "ORDER BY": 5,
    "LIMIT": 6,
}


def _clauses(sql: str, tokens: Sequence[Any], words: Sequence[str]) -> None:
    """Refuse a clause that stands before one which it should follow."""
    last = [-1]
    for token, word in zip(tokens, words, strict=True):
        if word == "(":
            last.append(-1)
        elif word == ")" and len(last) > 1:
            last.pop()
        elif word in ("SELECT", "UNION", "INTERSECT", "EXCEPT", ";"):
            last[-1] = -1
        elif word in _ORDER:
            if _ORDER[word] < last[-1]:
                raise syntax_error(sql, token.start)
            last[-1] = _ORDER[word]


def _interval(sql: str, tokens: Sequence[Any], at: int) -> None:
    """`INTERVAL '1' DAY`, not `INTERVAL '1 day'`."""
    unit = tokens[at + 2] if at + 2 < len(tokens) else None
    if unit is None or not (unit.text[:1].isalpha() or unit.text in "+-*/"):
        raise syntax_error(sql, unit.start if unit is not None else len(sql))


def _apart(sql: str, word: str, inner: Sequence[Any]) -> SqlError:
    """Such a call with a blank before its parenthesis is one of a stored function."""
    if inner and inner[0].text.upper() in ("*", "DISTINCT"):
        return syntax_error(sql, inner[0].start)
    return SqlError(1584 if word == "CAST" else 1630, f"{DATABASE}.{word}" if word != "CAST" else word)


def _targets(words: Sequence[str]) -> Iterator[int]:
    """Where the types of `CAST(… AS type)` and `CONVERT(…, type)` stand."""
    open_: list[tuple[str, int]] = []
    for at, word in enumerate(words):
        if word == "(":
            open_.append((words[at - 1] if at else "", -1))
        elif word == ")" and open_:
            name, found = open_.pop()
            if name == "CONVERT" and found > 0:
                yield found
        elif open_ and at + 1 < len(words):
            if open_[-1][0] == "CAST" and word == "AS":
                yield at + 1
            if open_[-1][0] == "CONVERT" and word == ",":
                open_[-1] = ("CONVERT", at + 1)
