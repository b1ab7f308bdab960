"""Which tables and columns a name may mean, and what GROUP BY allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import SqlError


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a query or of a table in FROM: MySQL's name, SQLite's expression, its kind."""

    name: str
    sql: str
    kind: str


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query; its columns are `c0`, `c1`, … to whoever selects from it.

    counted: it has one more, `d`, which counts the rounds of a recursion.
    """

    sql: str
    columns: tuple[Output, ...]
    counted: bool = False


@dataclass(slots=True)
class Source:
    """One table of a FROM clause. hidden: columns that a USING or NATURAL join shows only once.

    origin: a table's physical name. counter: the hidden column of a recursive table.
    """

    alias: str
    columns: tuple[Output, ...]
    origin: str | None = None
    hidden: set[str] = field(default_factory=set)
    counter: str | None = None

    @property
    def row(self) -> str:
        """SQLite's number of a table's row."""
        return f"{self.columns[0].sql.partition('.')[0]}.rowid"


@dataclass(slots=True)
class Scope:
    """One SELECT's names. clause: what MySQL calls the part that is being read.

    keys: SQL of the GROUP BY expressions; None while the query is not aggregated. explicit: there is a
    GROUP BY. fixed: columns that WHERE ties to a constant. kept: so many keys are not rolled up (None:
    all). used: columns that are read. listed: those of the select list. windowed: the named windows.
    place: which expression of which clause is read, for messages.
    """

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    clause: str = "field list"
    aliases: dict[str, Any] = field(default_factory=dict)
    keys: list[str] | None = None
    explicit: bool = False
    fixed: set[str] = field(default_factory=set)
    place: tuple[int, str] = (1, "SELECT list")
    inside: bool = False  # an aggregate's argument
    windows: bool = False  # window functions may stand here
    aggregates: bool = False  # aggregate functions may stand here
    kept: int | None = None
    listed: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    windowed: dict[str, Any] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    expanding: set[str] = field(default_factory=set)

    def find(self, name: str, table: str) -> tuple[Scope, Output]:
        """The column that a name means, in this query or in one around it. Raises SqlError."""
        scope: Scope | None = self
        while scope is not None:
            found = [*scope.matches(name, table)]
            if len(found) > 1:
                raise SqlError(1052, f"{table}.{name}" if table else name, self.clause)
            if found:
                scope.used.add(found[0].sql)
                return scope, found[0]
            scope = scope.parent
        raise SqlError(1054, f"{table}.{name}" if table else name, self.clause)

    def matches(self, name: str, table: str) -> Iterator[Output]:
        low = name.lower()
        for source in self.sources:
            if table and source.alias != table:
                continue
            for column in source.columns:
                if column.name.lower() == low and (table or low not in source.hidden):
                    yield column

    def source(self, column: Output) -> Source:
        """The table of FROM that a column is of."""
        return next(source for source in self.sources if column in source.columns)

    def rolled_up(self, sql: str) -> bool:
        """Whether a grouped expression stands for all its values here."""
        return self.kept is not None and sql in (self.keys or [])[self.kept :]

    def has(self, name: str) -> bool:
        return any(True for _ in self.matches(name, ""))

    def owner(self, sql: str) -> str:
        """`table.column` for a message about an expression of this query."""
        for source in self.sources:
            for column in source.columns:
                if column.sql == sql:
                    return f"{source.alias}.{column.name}"
        return sql

    def add(self, source: Source) -> None:
        if any(source.alias == other.alias for other in self.sources):
            raise SqlError(1066, source.alias)
        self.sources.append(source)

    def all_columns(self, table: str = "") -> list[Output]:
        """What `*` or `t.*` stands for. Raises SqlError for an unknown table."""
        sources = [s for s in self.sources if not table or s.alias == table]
        if table and not sources:
            raise SqlError(1051, table)
        found = [c for s in sources for c in s.columns if table or c.name.lower() not in s.hidden]
        self.used.update(column.sql for column in found)
        return found
