"""What the server tells of its own tables: information_schema, and the rows of SHOW and DESCRIBE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .catalog import DATABASE, Catalog, Table
from .errors import SqlError
from .scope import Output, Query
from .sqlite_text import quote

if TYPE_CHECKING:
    from .catalog import Column

Cell = str | int | None
COLLATION = "utf8mb4_0900_ai_ci"
#: What InnoDB estimates of a table that was never analysed.
ROWS = 0


def constant(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Query:
    """A query that gives these rows."""
    columns = tuple(
        Output(name, f"c{i}", "int" if any(isinstance(row[i], int) for row in rows) else "text")
        for i, name in enumerate(names)
    )
    if not rows:
        empty = ",".join(f"NULL AS c{i}" for i in range(len(names)))
        return Query(f"SELECT {empty} WHERE 0", columns)
    parts = [
        "SELECT " + ",".join(f"{_cell(cell)} AS c{i}" for i, cell in enumerate(row)) for row in rows
    ]
    return Query(" UNION ALL ".join(parts), columns)


def _cell(cell: Cell) -> str:
    if cell is None:
        return "NULL"
    return quote(cell) if isinstance(cell, str) else str(cell)


def information_schema(name: str, catalog: Catalog) -> Query:
    """One of information_schema's tables. Raises SqlError 1109 for those that are not kept."""
    tables = sorted(catalog.tables.values(), key=lambda table: table.name)
    kind = name.upper()
    if kind == "SCHEMATA":
        rows: list[list[Cell]] = [
            ["def", schema, "utf8mb4", COLLATION, None, "NO"] for schema in databases()
        ]
        return constant(
            ["CATALOG_NAME", "SCHEMA_NAME", "DEFAULT_CHARACTER_SET_NAME", "DEFAULT_COLLATION_NAME",
             "SQL_PATH", "DEFAULT_ENCRYPTION"],
            rows,
        )  # fmt: skip
    if kind == "TABLES":
        rows = [
            ["def", DATABASE, t.name, "VIEW" if t.view else "BASE TABLE", None if t.view else "InnoDB",
             None if t.view else 10, None if t.view else "Dynamic",
             None if t.view else ROWS, None if t.view else COLLATION, "VIEW" if t.view else ""]
            for t in tables
        ]  # fmt: skip
        return constant(
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "ENGINE", "VERSION",
             "ROW_FORMAT", "TABLE_ROWS", "TABLE_COLLATION",
             "TABLE_COMMENT"],
            rows,
        )  # fmt: skip
    if kind == "COLUMNS":
        return constant(
            ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION",
             "COLUMN_DEFAULT", "IS_NULLABLE", "DATA_TYPE", "CHARACTER_MAXIMUM_LENGTH", "COLUMN_TYPE",
             "COLUMN_KEY", "EXTRA", "COLUMN_COMMENT"],
            [
                ["def", DATABASE, t.name, c.name, i, c.default, "YES" if c.nullable else "NO",
                 c.shown.partition("(")[0].partition(" ")[0], c.size if c.kind == "text" else None,
                 c.shown, c.key, "auto_increment" if c.counts else "", ""]
                for t in tables for i, c in enumerate(t.columns, 1)
            ],
        )  # fmt: skip
    raise SqlError(1109, kind, "information_schema")


def databases() -> list[str]:
    return [DATABASE, "information_schema", "performance_schema"]


def describe(table: Table) -> list[list[Cell]]:
    """The rows of DESCRIBE: field, type, null, key, default, extra."""
    return [
        [c.name, c.shown, "YES" if c.nullable else "NO", c.key, c.default,
         "auto_increment" if c.counts else ""]
        for c in table.columns
    ]  # fmt: skip


def create_statement(table: Table) -> str:
    """What SHOW CREATE TABLE prints."""
    lines = [f"  {_declared(column)}" for column in table.columns]
    primary = [f"`{c.name}`" for c in table.columns if c.key == "PRI"]
    if primary:
        lines.append(f"  PRIMARY KEY ({','.join(primary)})")
    body = ",\n".join(lines)
    return (
        f"CREATE TABLE `{table.name}` (\n{body}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        f" COLLATE={COLLATION}"
    )


def _declared(column: Column) -> str:
    parts = [f"`{column.name}`", column.shown]
    if not column.nullable:
        parts.append("NOT NULL")
    if column.counts:
        parts.append("AUTO_INCREMENT")
    elif column.default is not None:
        parts.append(f"DEFAULT '{column.default}'")
    elif column.nullable and column.shown != "text":
        parts.append("DEFAULT NULL")
    return " ".join(parts)
