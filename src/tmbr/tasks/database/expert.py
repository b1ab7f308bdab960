"""The expert: it reads the request and what the server answered, looks at the table, asks, and commits.

It knows our own requests only, and of the table only what it was told: that a number is written with
thousands' commas it sees in the rows that it looks at first.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tmbr.environments.database import quoted
from tmbr.tasks.base import Turn
from tmbr.tasks.database.forms import COMMIT, RUN
from tmbr.tasks.database.generate import literal, number
from tmbr.tasks.database.wordings import ENDS, read, read_pairs

_TOLD = re.compile(
    r"The table is called (?P<table>.+?)\. Its columns are: (?P<columns>.+?)\.\nRequest: "
)


@dataclass(frozen=True, slots=True)
class Move:
    thought: str
    name: str
    argument: str


def asked(table: str, columns: Sequence[str], instruction: str) -> str:
    """What the agent is told of one of our own samples."""
    return (
        f"The table is called {table}. Its columns are: {' | '.join(columns)}.\nRequest: {instruction}"
    )


def decide(prompt: str, turns: Sequence[Turn]) -> Move:
    """The expert's next move after these turns."""
    found = _TOLD.search(prompt)
    request = read(prompt[found.end() :].split("\n")[0]) if found else None
    if found is None or request is None:
        return Move("I do not understand this request.", COMMIT, "[]")
    table, columns = found["table"], found["columns"].split(" | ")
    look = f"SELECT * FROM {quoted(table)} LIMIT 3"
    seen = _answer(look, turns)
    if seen is None:
        return Move(f"First I see how {table} writes its values.", RUN, look)
    query = _query(table, columns, *request, seen)
    answer = _answer(query, turns)
    if answer is None:
        return Move(_purpose(request[0]), RUN, query)
    parts = [str(row[0]) for row in rows(answer) if row]
    return Move("That is done, so I commit.", COMMIT, json.dumps(parts, ensure_ascii=False))


def _answer(query: str, turns: Sequence[Turn]) -> str | None:
    """What the server answered to a statement; None where it was not run, or refused."""
    for action, answer in turns:
        if action and action.arguments.get("query") == query and answer.startswith("["):
            return answer
    return None


def rows(shown: str) -> list[tuple[object, ...]]:
    """The rows of a printed answer; none where it was cut."""
    plain = re.sub(r"Decimal\(('[^']*')\)", r"\1", shown)
    try:
        made = ast.literal_eval(plain)
    except (ValueError, SyntaxError):
        return []
    return [row for row in made if isinstance(row, tuple)]


def _purpose(kind: str) -> str:
    if kind in ("INSERT", "UPDATE", "DELETE"):
        return "I know the table, so I make the change."
    return "I know how values are written, so I ask for the answer."


def _query(table: str, columns: Sequence[str], kind: str, parts: dict[str, str], seen: str) -> str:
    """The statement that solves a request."""
    name = quoted(table)
    if kind == "INSERT":
        pairs = read_pairs(parts["pairs"])
        return (
            f"INSERT INTO {name} ({', '.join(map(quoted, pairs))})"
            f" VALUES ({', '.join(map(literal, pairs.values()))})"
        )

    def numeric(column: str) -> str:
        at = columns.index(column) if column in columns else 0
        cells = [str(row[at]) for row in rows(seen) if len(row) > at]
        return number(column, any("," in cell for cell in cells))

    column = parts["column"]
    test = f"WHERE {quoted(column)} = {literal(parts.get('value', ''))}"
    if kind == "DELETE":
        return f"DELETE FROM {name} {test}"
    if kind == "counting":
        return f"SELECT COUNT(*) FROM {name} {test}"
    wanted = parts["wanted"]
    if kind == "UPDATE":
        return f"UPDATE {name} SET {quoted(wanted)} = {literal(parts['new'])} {test}"
    if kind == "ranking":
        order = f"ORDER BY {numeric(column)} {ENDS.get(parts['end'], 'ASC')} LIMIT 1"
        return f"SELECT {quoted(wanted)} FROM {name} {order}"
    if kind == "comparison":
        return f"SELECT {quoted(wanted)} FROM {name} WHERE {numeric(column)} > {parts['value']}"
    if kind == "other":
        return f"SELECT {quoted(wanted)} FROM {name} {test}"
    return f"SELECT {kind.removeprefix('aggregation-')}({numeric(wanted)}) FROM {name} {test}"
