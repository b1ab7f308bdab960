"""What tables there are: an immutable value that forks share, beside the image of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .errors import SqlError
from .values import Value

DATABASE = "dbbench"
MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Column:
    """shown: the type as DESCRIBE prints it. kind: see `kinds`. size: the most characters of a text, or
    (digits before, digits after the point) of a decimal. key: `PRI`, `UNI`, `MUL` or nothing."""

    name: str
    shown: str = "text"
    kind: str = "text"
    size: int | None = 65_535
    nullable: bool = True
    default: str | None = None
    key: str = ""
    counts: bool = False  # AUTO_INCREMENT
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """physical: the name in SQLite, whose columns are `c0`, `c1`, …: MySQL's names may be anything.

    slots: the number of each column's physical name; width: the next free one. view: the
    statement that a view stands for.
    """

    name: str
    physical: str
    columns: tuple[Column, ...]
    slots: tuple[int, ...]
    width: int
    view: str | None = None

    def position(self, name: str) -> int | None:
        """Column names know no case."""
        low = name.lower()
        return next((i for i, c in enumerate(self.columns) if c.name.lower() == low), None)

    def column(self, name: str, clause: str = "field list") -> int:
        at = self.position(name)
        if at is None:
            raise SqlError(1054, name, clause)
        return at

    def unique_keys(self) -> list[tuple[str, tuple[str, ...]]]:
        """(name, columns) of each, in the order of SQLite's indices."""
        primary = tuple(c.name for c in self.columns if c.key == "PRI")
        keys = [(f"{self.name}.PRIMARY", primary)] if primary else []
        return keys + [(f"{self.name}.{c.name}", (c.name,)) for c in self.columns if c.key == "UNI"]

    def sql(self, at: int) -> str:
        return f"c{self.slots[at]}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Table names know case, as on MySQL under Linux. variables: the session's own."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    made: int = 0
    variables: Mapping[str, Value] = field(default_factory=dict)

    def table(self, name: str, database: str = "") -> Table:
        """Raises SqlError 1146 where there is none."""
        found = self.tables.get(name) if database in ("", DATABASE) else None
        if found is None:
            raise SqlError(1146, f"{database or DATABASE}.{name}")
        return found

    def with_table(self, table: Table) -> Catalog:
        return replace(self, tables={**self.tables, table.name: table}, made=self.made + 1)

    def without(self, name: str) -> Catalog:
        return replace(self, tables={k: v for k, v in self.tables.items() if k != name})

    def new_table(self, name: str, columns: tuple[Column, ...], view: str | None = None) -> Table:
        """Raises SqlError for names that MySQL refuses."""
        check_name(name, 1103)
        seen: set[str] = set()
        for column in columns:
            check_name(column.name, 1166)
            if column.name.lower() in seen:
                raise SqlError(1060, column.name)
            seen.add(column.name.lower())
        return Table(name, f"t{self.made}", columns, tuple(range(len(columns))), len(columns), view)


def check_name(name: str, number: int) -> None:
    if not name or name != name.rstrip(" "):
        raise SqlError(number, name)
    if len(name) > MAX_NAME:
        raise SqlError(1059, name)
