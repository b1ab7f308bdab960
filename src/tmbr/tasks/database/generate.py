"""Seeded tables and requests of our own: all of DBBench's types, solvable, no download."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tmbr.environments.database import Table, quoted
from tmbr.tasks.database.themes import THEMES, Theme, proper_name
from tmbr.tasks.database.wordings import ENDS, WORDINGS, write, write_pairs

#: Part of every sample's digest; raise it when the same seed gives another problem.
GENERATOR = "1"
ROWS = (8, 40)
#: A list that is asked for has at most so many parts, so that the server's answer is not cut.
MOST_PARTS = 6


@dataclass(frozen=True, slots=True)
class Problem:
    """kind: DBBench's type. label: the parts of the answer; None for a change. query: solves it."""

    table: Table
    kind: str
    instruction: str
    query: str
    label: tuple[str, ...] | None


def literal(text: str) -> str:
    """A text as MySQL reads it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def number(column: str, thousands: bool) -> str:
    """A column of texts as numbers."""
    plain = f"REPLACE({quoted(column)}, ',', '')" if thousands else quoted(column)
    return f"CAST({plain} AS DECIMAL(20,4))"


def value_of(cell: str) -> float:
    return float(cell.replace(",", ""))


def generate(seed: int) -> Problem:
    """The problem of a seed; equal seeds give equal problems."""
    rng = Random(seed)
    theme = rng.choice(THEMES)
    kind = rng.choice(list(WORDINGS))
    while True:
        table = _table(rng, theme)
        made = _Draft(rng, theme, table).problem(kind)
        if made is not None:
            return made


def _table(rng: Random, theme: Theme) -> Table:
    count = rng.randint(*ROWS)
    keys: list[str] = []
    while len(keys) < count:
        name = proper_name(rng)
        if name not in keys:
            keys.append(name)
    rows = tuple(
        tuple(_cell(rng, theme, name, kind, key) for name, kind in theme.columns) for key in keys
    )
    return Table(rng.choice(theme.names), tuple(name for name, _ in theme.columns), rows)


def _cell(rng: Random, theme: Theme, name: str, kind: str, key: str) -> str:
    if kind == "key":
        return key
    if kind == "group":
        return rng.choice(theme.groups[name])
    if kind == "year":
        return str(rng.randint(1880, 2015))
    return f"{rng.randint(1_000, 99_999):,}" if kind == "thousands" else str(rng.randint(1, 400))


class _Draft:
    """A table about which something is asked."""

    def __init__(self, rng: Random, theme: Theme, table: Table) -> None:
        self.rng = rng
        self.table = table
        self.kinds: dict[str, str] = dict(theme.columns)
        self.key = theme.columns[0][0]
        self.groups = [name for name, kind in theme.columns if kind == "group"]
        self.numbers = [name for name, kind in theme.columns if kind in ("number", "thousands")]

    def problem(self, kind: str) -> Problem | None:
        """None when the drawn table has no clear answer; another one is drawn then."""
        if kind in ("INSERT", "UPDATE", "DELETE"):
            return self._change(kind)
        if kind == "ranking":
            return self._ranking(kind)
        if kind == "comparison":
            return self._comparison(kind)
        return self._lookup(kind) if kind == "other" else self._grouped(kind)

    def _ask(self, kind: str, query: str, label: list[str] | None, **parts: str) -> Problem:
        sentence = write(self.rng.choice(WORDINGS[kind]), **parts)
        return Problem(self.table, kind, sentence, query, None if label is None else tuple(label))

    def _column(self, name: str) -> list[str]:
        at = self.table.columns.index(name)
        return [row[at] for row in self.table.rows]

    def _number(self, name: str) -> str:
        return number(name, self.kinds[name] == "thousands")

    def _from(self, what: str, tail: str) -> str:
        return f"SELECT {what} FROM {quoted(self.table.name)} {tail}"

    def _lookup(self, kind: str) -> Problem:
        wanted = self.rng.choice(self.table.columns[1:])
        at = self.rng.randrange(len(self.table.rows))
        value = self._column(self.key)[at]
        query = self._from(quoted(wanted), f"WHERE {quoted(self.key)} = {literal(value)}")
        return self._ask(
            kind, query, [self._column(wanted)[at]], wanted=wanted, column=self.key, value=value
        )

    def _grouped(self, kind: str) -> Problem:
        """Counting, and what is worked out over the rows of one group."""
        column, wanted = self.rng.choice(self.groups), self.rng.choice(self.numbers)
        value = self.rng.choice(self._column(column))
        group = zip(self._column(column), self._column(wanted), strict=True)
        cells = [value_of(cell) for there, cell in group if there == value]
        tail = f"WHERE {quoted(column)} = {literal(value)}"
        if kind == "counting":
            return self._ask(
                kind, self._from("COUNT(*)", tail), [str(len(cells))], column=column, value=value
            )
        name = kind.removeprefix("aggregation-")
        made = {
            "SUM": sum(cells),
            "AVG": sum(cells) / len(cells),
            "MAX": max(cells),
            "MIN": min(cells),
        }[name]
        query = self._from(f"{name}({self._number(wanted)})", tail)
        return self._ask(kind, query, [f"{made:.4f}"], wanted=wanted, column=column, value=value)

    def _ranking(self, kind: str) -> Problem | None:
        column, end = self.rng.choice(self.numbers), self.rng.choice(list(ENDS))
        cells = [value_of(cell) for cell in self._column(column)]
        best = max(cells) if end == "highest" else min(cells)
        if cells.count(best) > 1:
            return None
        query = self._from(quoted(self.key), f"ORDER BY {self._number(column)} {ENDS[end]} LIMIT 1")
        label = [self._column(self.key)[cells.index(best)]]
        return self._ask(kind, query, label, wanted=self.key, column=column, end=end)

    def _comparison(self, kind: str) -> Problem:
        column = self.rng.choice(self.numbers)
        pairs = zip(self._column(self.key), map(value_of, self._column(column)), strict=True)
        ranked = sorted(pairs, key=lambda pair: -pair[1])
        count = self.rng.randint(1, MOST_PARTS)
        bound = ranked[count][1]
        label = [key for key, cell in ranked if cell > bound] or [ranked[0][0]]
        bound = bound if any(cell > bound for _, cell in ranked) else bound - 1
        label = [key for key, cell in ranked if cell > bound]
        query = self._from(quoted(self.key), f"WHERE {self._number(column)} > {bound:.0f}")
        return self._ask(kind, query, label, wanted=self.key, column=column, value=f"{bound:.0f}")

    def _change(self, kind: str) -> Problem:
        name = quoted(self.table.name)
        if kind == "INSERT":
            made = {c: self.rng.choice(self._column(c)) for c in self.table.columns}
            made[self.key] = f"New {proper_name(self.rng)}"
            query = (
                f"INSERT INTO {name} ({', '.join(map(quoted, made))})"
                f" VALUES ({', '.join(map(literal, made.values()))})"
            )
            return self._ask(kind, query, None, pairs=write_pairs(made))
        column = self.rng.choice([self.key, *self.groups])
        value = self.rng.choice(self._column(column))
        test = f"WHERE {quoted(column)} = {literal(value)}"
        if kind == "DELETE":
            return self._ask(kind, f"DELETE FROM {name} {test}", None, column=column, value=value)
        wanted = self.rng.choice([c for c in self.table.columns[1:] if c != column])
        new = (
            self.rng.choice(self._column(wanted))
            if wanted in self.groups
            else str(self.rng.randint(1, 999))
        )
        query = f"UPDATE {name} SET {quoted(wanted)} = {literal(new)} {test}"
        return self._ask(kind, query, None, wanted=wanted, new=new, column=column, value=value)
