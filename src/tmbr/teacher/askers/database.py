"""Questions about a table: asked with the SQL that answers them, which is executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tmbr.core.types import Sample, digest
from tmbr.environments.database import Embedded, Result, Table, fingerprint
from tmbr.tasks.base import split_seed
from tmbr.tasks.database.data import WRITES
from tmbr.tasks.database.expert import rows
from tmbr.tasks.database.generate import GENERATOR, MOST_PARTS, generate
from tmbr.tasks.database.task import SIZES, DatabaseTask
from tmbr.teacher.asker import LEVELS, Content, Question, Unfit, sentence, texts
from tmbr.teacher.prompts import prompt

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_AGGREGATE = re.compile(r"\b(SUM|AVG|MAX|MIN)\s*\(", re.IGNORECASE)
_CLAUSES = re.compile(r"\b(WHERE|AND|OR|GROUP|HAVING|ORDER|JOIN|CAST|SELECT|NOT|IN)\b", re.IGNORECASE)


class DatabaseAsker:
    """The tables are those of the training split: no other has their seeds."""

    categories: Mapping[str, str] = {
        "other": "a value looked up in the row that another value names",
        "counting": "how many rows meet a condition",
        "comparison": "which rows are above or below a number",
        "ranking": "which row has the highest or lowest number",
        "aggregation-SUM": "a sum over the rows of a group",
        "aggregation-AVG": "a mean over the rows of a group",
        "aggregation-MAX": "the highest number in a group",
        "aggregation-MIN": "the lowest number in a group",
        "INSERT": "one row added",
        "UPDATE": "values changed where a condition holds",
        "DELETE": "rows removed where a condition holds",
    }
    brief = prompt("database", most=MOST_PARTS)

    def __init__(self, task: DatabaseTask) -> None:
        self._task = task

    def content(self, seed: int) -> Content:
        table = _table(seed)
        head = [f"Table `{table.name}`", " | ".join(table.columns)]
        lines = [*head, *(" | ".join(row) for row in table.rows)]
        return Content(seed, "\n".join(lines), tuple(self.categories))

    def read(self, content: Content, said: Mapping[str, Any]) -> Question:
        told, (sql,) = sentence(said), texts(said, "sql")
        table = _table(content.seed)
        category = _category(sql)
        _grounded(told, sql, category, table)
        database = Embedded.of([table])
        columns = list(table.columns)
        before = fingerprint(database, table.name, columns) if category in WRITES else None
        result = database.execute(sql)
        if result.error is not None:
            raise Unfit("execution", f"the statement is refused: {result.shown}")
        target: dict[str, Any] = {"type": category, "query": sql}
        if category in WRITES:
            if fingerprint(database, table.name, columns) == before:
                raise Unfit("start", "the change leaves the table as it is")
            target["tables"] = [[table.name, columns]]
        elif result.changed:
            raise Unfit("execution", "a question must not change the table")
        else:
            target["label"] = _label(told, result)
        setup = {"seed": _seed(content.seed), "generator": GENERATOR}
        facts = f"{told} | {table.name} | {target.get('label', sql)}"
        return Question(told, setup, target, category, facts, _world([table]))

    def level(self, question: Question, turns: int) -> str:  # noqa: ARG002
        """By how many clauses and functions the statement has."""
        parts = len(_CLAUSES.findall(question.target["query"]))
        return LEVELS[0] if parts <= 2 else LEVELS[1] if parts <= 3 else LEVELS[2]

    def world(self, sample: Sample) -> str:
        return _world(self._task.tables(sample))


def _seed(seed: int) -> int:
    return split_seed("train", seed, SIZES)


@lru_cache(maxsize=256)
def _table(seed: int) -> Table:
    return generate(_seed(seed)).table


def _category(sql: str) -> str:
    """What a statement does, whatever it was said to do."""
    verb = sql.split(None, 1)[0].upper()
    if verb in WRITES:
        return verb
    if verb != "SELECT":
        raise Unfit("execution", f"a question is answered by SELECT, not by {verb[:20]!r}")
    if "COUNT(" in sql.upper().replace(" ", ""):
        return "counting"
    if found := _AGGREGATE.search(sql):
        return f"aggregation-{found[1].upper()}"
    if "ORDER BY" in sql.upper():
        return "ranking"
    return "comparison" if re.search(r"[<>]", sql) else "other"


def _grounded(told: str, sql: str, category: str, table: Table) -> None:
    """Values that a condition names must stand in the table."""
    cells = {cell for row in table.rows for cell in row}
    condition = re.split(r"\bWHERE\b", sql, maxsplit=1, flags=re.IGNORECASE)[1:]
    for value in _LITERAL.findall(condition[0]) if condition else []:
        plain = value.replace("''", "'")
        if plain not in cells and plain.strip("%,") and not plain.startswith("%"):
            raise Unfit("grounding", f"no cell of the table is {plain!r}")
        if category != "INSERT" and plain.strip("%,") and value.strip("%") not in told:
            raise Unfit("grounding", f"the question does not name {plain!r}")


def _label(told: str, result: Result) -> list[str]:
    found = rows(result.shown)
    parts = [str(row[0]) for row in found if len(row) == 1 and row[0] is not None]
    if not parts or len(parts) != result.rows or len(parts) > MOST_PARTS:
        raise Unfit("execution", f"the answer is not one column of 1 to {MOST_PARTS} values")
    if any(part in _LITERAL.findall(told) for part in parts):
        raise Unfit("start", "the answer stands in the question")
    return parts


def _world(tables: list[Table]) -> str:
    return digest([[table.name, table.columns, table.rows] for table in tables])
