"""From a statement's text to sqlglot's tree, as strictly as MySQL's own grammar.

sqlglot reads many dialects and is lenient; MySQL is not. Functions stay calls by name (sqlglot would
translate them), and reserved words are no names unless they are quoted.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from .errors import SqlError, syntax_error
from .lexical import checked

#: Longer statements are refused as too large a packet: parsing is Python, and the text is hostile.
MAX_STATEMENT = 100_000
#: Deeper nesting is refused: the tree is walked by recursion.
MAX_DEPTH = 120

#: MySQL 8's reserved words, which are no names unless quoted.
RESERVED = frozenset(Path(__file__).with_name("reserved.txt").read_text(encoding="utf-8").split())
#: Functions whose arguments are not a plain list.
_OWN_SYNTAX = (
    "CAST",
    "CONVERT",
    "EXTRACT",
    "POSITION",
    "SUBSTR",
    "SUBSTRING",
    "TRIM",
    "GROUP_CONCAT",
    "MATCH",
)
#: Words that stand for a call without parentheses.
BARE_CALLS = frozenset(
    ("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "UTC_DATE",
     "UTC_TIME", "UTC_TIMESTAMP", "CURRENT_USER")
)  # fmt: skip


_INTO = re.compile(r"\binto\s*@", re.IGNORECASE)


@cache
def _dialect() -> Any:
    """MySQL's grammar with functions left as they are written; made when it is first needed."""
    import logging

    from sqlglot.dialects.mysql import MySQL

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every statement it cannot read

    class Plain(MySQL):
        class Parser(MySQL.Parser):  # type: ignore[valid-type,misc]
            FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012
            NO_PAREN_FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012
            FUNCTION_PARSERS = {  # noqa: RUF012
                name: MySQL.Parser.FUNCTION_PARSERS[name] for name in _OWN_SYNTAX
            }

    return Plain


def parse(sql: str) -> Any:
    """The tree of one statement. Raises SqlError: 1064 for what is no MySQL, 1065 for nothing."""
    import sqlglot
    from sqlglot.errors import ParseError, TokenError

    if len(sql) > MAX_STATEMENT:
        raise SqlError(1153)
    try:
        trees = sqlglot.parse(checked(sql, _dialect()().tokenize(sql)), dialect=_dialect())
    except ParseError as error:
        told = error.errors[0] if error.errors else {}
        raise syntax_error(sql, _offset(sql, told)) from None
    except TokenError:
        raise syntax_error(sql, _open_quote(sql)) from None
    except RecursionError:
        raise SqlError(1436) from None
    found = [tree for tree in trees if tree is not None]
    if not found or type(found[0]).__name__ == "Semicolon":
        raise SqlError(1065)
    if len(found) > 1 and type(found[1]).__name__ != "Semicolon":
        raise syntax_error(sql, _second(sql))
    if _depth(found[0]) > MAX_DEPTH:
        raise SqlError(1436)
    _check_names(sql, found[0])
    return found[0]


def into_variables(sql: str) -> tuple[str, list[str]]:
    """The statement without its `INTO @x, @y`, and these variables' names."""
    from sqlglot.errors import TokenError

    if not _INTO.search(sql):
        return sql, []
    try:
        tokens = _dialect()().tokenize(sql)
    except TokenError:
        return sql, []
    texts = [token.text for token in tokens]
    pairs = pairwise(texts)
    at = next((i for i, (a, b) in enumerate(pairs) if a.upper() == "INTO" and b == "@"), None)
    if at is None:
        return sql, []
    names: list[str] = []
    end = at
    while texts[end + 1 : end + 2] == ["@"] and end + 2 < len(texts):
        names.append(texts[end + 2].lower())
        end += 3 if texts[end + 3 : end + 5] == [",", "@"] else 2
    start, stop = tokens[at].start, tokens[min(end, len(tokens) - 1)].end + 1
    return sql[:start] + " " * (stop - start) + sql[stop:], names


def _offset(sql: str, told: dict[str, Any]) -> int:
    """Where the token stands at which sqlglot gave up."""
    mark = str(told.get("highlight") or "")
    line, column = int(told.get("line") or 1), int(told.get("col") or 0)
    starts = [0, *(i + 1 for i, c in enumerate(sql) if c == "\n")]
    end = starts[min(line, len(starts)) - 1] + column
    start = max(0, end - len(mark))
    return start if sql[start:end] == mark else max(0, sql.find(mark))


def _open_quote(sql: str) -> int:
    """A text that is never closed begins at its last quote."""
    return max(0, max(sql.rfind(mark) for mark in "'\"`"))


def _second(sql: str) -> int:
    """Where a second statement begins."""
    tokens = _dialect()().tokenize(sql)
    ends = [i for i, token in enumerate(tokens) if token.text == ";"]
    return int(tokens[ends[0] + 1].start) if ends and ends[0] + 1 < len(tokens) else 0


def _depth(tree: Any) -> int:
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in node.iter_expressions()]
    return deepest


def _check_names(sql: str, tree: Any) -> None:
    """Refuse reserved words that stand as names without quotes."""
    from sqlglot import exp

    for name in tree.find_all(exp.Identifier):
        if name.args.get("quoted") and sql[name.meta.get("start", 0) :][:1] in ('"', "'"):
            if isinstance(name.parent, exp.Table | exp.Column | exp.ColumnDef):
                raise syntax_error(sql, int(name.meta["start"]))
            continue
        if name.args.get("quoted") or name.this.upper() not in RESERVED:
            continue
        owner = name.parent
        if isinstance(owner, exp.Column):
            bare = owner.this is name and not owner.args.get("table")
            if not bare or name.this.upper() in BARE_CALLS:
                continue
        elif (
            not isinstance(owner, exp.Table | exp.TableAlias | exp.Alias | exp.ColumnDef | exp.Schema)
            or (isinstance(owner, exp.Table) and owner.this is name and owner.args.get("db"))
            or (isinstance(owner, exp.Table) and name.this.upper() == "DUAL")
        ):
            continue
        raise syntax_error(sql, int(name.meta.get("start", 0)))
