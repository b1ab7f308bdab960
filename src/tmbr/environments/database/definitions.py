"""CREATE, ALTER, DROP, TRUNCATE and RENAME: mostly a new catalog, for MySQL's names are only there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from . import columns as types
from . import kinds
from .catalog import Catalog, Column, Table, check_name
from .errors import SqlError
from .plan import Plan
from .selects import Compiler
from .writes import target


def create(tree: Any, source: str, catalog: Catalog) -> Plan:
    kind = str(tree.args.get("kind") or "").upper()
    if kind in ("DATABASE", "SCHEMA"):
        raise SqlError(1044, tree.this.name)
    if kind == "INDEX":
        return _index(tree, catalog)
    if kind not in ("TABLE", "VIEW"):
        raise SqlError(1227, "SUPER")
    node = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if node.name in catalog.tables and not (kind == "VIEW" and tree.args.get("replace")):
        if tree.args.get("exists"):
            return Plan(catalog=catalog)
        raise SqlError(1050, node.name)
    if kind == "VIEW":
        return _view(tree, source, catalog, node.name)
    like = list(tree.find_all(exp.LikeProperty))
    if like:
        table = catalog.new_table(node.name, target(like[0].this, catalog).columns)
        return Plan(writes=[_created(table)], catalog=catalog.with_table(table))
    parts = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    made = [types_of(part, source, catalog) for part in parts if isinstance(part, exp.ColumnDef)]
    made = _keyed(tree.this, made)
    query = Compiler(source, catalog).query(tree.expression) if tree.expression else None
    if query is not None:
        made += [_as_column(c.name, c.kind) for c in query.columns]
    if not made:
        raise SqlError(1113)
    table = catalog.new_table(node.name, tuple(made))
    writes = [_created(table), *_indices(table)]
    if query is not None:
        names = ",".join(f"c{i + len(made) - len(query.columns)}" for i in range(len(query.columns)))
        writes.append(f"INSERT INTO {table.physical}({names}) {query.sql}")
    return Plan(writes=writes, catalog=catalog.with_table(table))


def _view(tree: Any, source: str, catalog: Catalog, name: str) -> Plan:
    query = Compiler(source, catalog).query(tree.expression)
    body = tree.expression.sql(dialect="mysql")
    made = tuple(_as_column(c.name, c.kind) for c in query.columns)
    return Plan(catalog=catalog.with_table(catalog.new_table(name, made, body)))


def _as_column(name: str, kind: str) -> Column:
    """The column that a query's result becomes."""
    if kind == "int":
        return Column(name, "bigint", "int", None)
    if kind.startswith("decimal."):
        return Column(name, f"decimal(65,{kind[8:]})", kind, None)
    if kind == "uint":
        return Column(name, "bigint unsigned", "int", None)
    if kinds.is_double(kind):
        return Column(name, "double", "double", None)
    if kind in ("date", "datetime", "time"):
        return Column(name, kind, kind, None)
    return Column(name)


def _created(table: Table) -> str:
    """A counting key is SQLite's own row number."""
    parts = [
        f"{table.sql(i)}{' INTEGER PRIMARY KEY AUTOINCREMENT' if c.counts else ''}"
        for i, c in enumerate(table.columns)
    ]
    return f"CREATE TABLE {table.physical}({','.join(parts)})"


def _indices(table: Table) -> list[str]:
    """Unique keys, by the collation."""
    primary = [i for i, c in enumerate(table.columns) if c.key == "PRI" and not c.counts]
    groups = ([primary] if primary else []) + [
        [i] for i, c in enumerate(table.columns) if c.key == "UNI"
    ]
    return [
        f"CREATE UNIQUE INDEX u{table.physical}_{n} ON {table.physical}"
        f"({','.join(f'k({table.sql(i)})' for i in group)})"
        for n, group in enumerate(groups)
    ]


def types_of(part: Any, source: str, catalog: Catalog) -> Column:
    """A column's definition. Raises SqlError for what is no type of MySQL's."""
    compiler = Compiler(source, catalog)
    made = types.column(part.name, part.args["kind"]) if part.args.get("kind") else None
    if made is None:
        raise compiler.refuse(part)
    for constraint in part.args.get("constraints") or []:
        kind = constraint.kind
        if isinstance(kind, exp.NotNullColumnConstraint):
            made = replace(made, nullable=bool(kind.args.get("allow_null")))
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            made = replace(made, key="PRI", nullable=False)
        elif isinstance(kind, exp.UniqueColumnConstraint):
            made = replace(made, key="UNI")
        elif isinstance(kind, exp.AutoIncrementColumnConstraint):
            made = replace(made, counts=True, nullable=False)
        elif isinstance(kind, exp.DefaultColumnConstraint):
            value = kind.this
            name = "CURRENT_TIMESTAMP" if isinstance(value, exp.Column | exp.Anonymous) else value.name
            made = replace(made, default=None if isinstance(value, exp.Null) else name)
        elif not isinstance(kind, exp.CommentColumnConstraint | exp.CharacterSetColumnConstraint
                            | exp.CollateColumnConstraint):  # fmt: skip
            raise compiler.refuse(part)
    return made


def _keyed(schema: Any, made: list[Column]) -> list[Column]:
    """Keys that are declared after the columns."""
    if not isinstance(schema, exp.Schema):
        return made
    for part in schema.expressions:
        mark = "PRI" if isinstance(part, exp.PrimaryKey) else "UNI" if isinstance(
            part, exp.UniqueColumnConstraint) else ""  # fmt: skip
        if not mark:
            continue
        names = {node.name.lower() for node in part.find_all(exp.Identifier)}
        names &= {c.name.lower() for c in made}
        if mark == "UNI" and len(names) != 1:
            continue
        made = [replace(c, key=mark, nullable=c.nullable and mark != "PRI") if c.name.lower() in names
                else c for c in made]  # fmt: skip
    for one in made:
        if one.key and one.kind == "text" and one.size is not None and one.size >= 65_535:
            raise SqlError(1170, one.name)
    return made


def _index(tree: Any, catalog: Catalog) -> Plan:
    """An index changes no answer; a text needs a key length."""
    table = target(tree.this.args["table"], catalog)
    for node in tree.this.find_all(exp.Column):
        at = table.position(node.name)
        if at is None:
            raise SqlError(1054, node.name, "field list")
        if table.columns[at].shown.endswith("text"):
            raise SqlError(1170, node.name)
    return Plan(catalog=catalog)


def drop(tree: Any, catalog: Catalog) -> Plan:
    kind = str(tree.args.get("kind") or "").upper()
    if kind in ("DATABASE", "SCHEMA"):
        raise SqlError(1044, tree.args["tables"][0].name)
    if kind not in ("TABLE", "VIEW"):
        raise SqlError(1091, tree.args["tables"][0].name)
    writes, missing = [], []
    for node in tree.args["tables"]:
        table = catalog.tables.get(node.name)
        if table is None or (table.view is not None) != (kind == "VIEW"):
            missing.append(f"dbbench.{node.name}")
            continue
        catalog = catalog.without(node.name)
        if table.view is None:
            writes.append(f"DROP TABLE {table.physical}")
    if missing and not tree.args.get("exists"):
        raise SqlError(1051, ",".join(missing))
    return Plan(writes=writes, catalog=catalog)


def truncate(tree: Any, catalog: Catalog) -> Plan:
    table = target(tree.expressions[0], catalog)
    return Plan(writes=[f"DELETE FROM {table.physical}"], catalog=catalog)


def rename(old: str, new: str, catalog: Catalog) -> Plan:
    table = catalog.table(old)
    check_name(new, 1103)
    if new in catalog.tables:
        raise SqlError(1050, new)
    made = catalog.without(old).with_table(replace(table, name=new))
    return Plan(catalog=made)


def alter(tree: Any, source: str, catalog: Catalog) -> Plan:
    table = target(tree.this, catalog)
    writes: list[str] = []
    for action in tree.args.get("actions") or []:
        if isinstance(action, exp.AlterRename):
            return rename(table.name, action.this.name, catalog)
        table = _altered(table, action, source, catalog, writes)
    return Plan(writes=writes, catalog=catalog.without(table.name).with_table(table), strict=True)


def _altered(table: Table, action: Any, source: str, catalog: Catalog, writes: list[str]) -> Table:
    if isinstance(action, exp.ColumnDef):
        return _added(table, action, source, catalog, writes)
    if isinstance(action, exp.Drop):
        name = action.args["tables"][0].name
        at = table.position(name)
        if at is None:
            raise SqlError(1091, name)
        if len(table.columns) == 1:
            raise SqlError(1090)
        return replace(table, columns=_cut(table.columns, at), slots=_cut(table.slots, at))
    if isinstance(action, exp.RenameColumn):
        at = table.column(action.this.name, table.name)
        return _with(
            table, at, replace(table.columns[at], name=_free(table, action.args["to"].name, at))
        )
    if isinstance(action, exp.ModifyColumn):
        made = types_of(action.this, source, catalog)
        old = action.args.get("rename_from")
        at = table.column(old.name if old else made.name, table.name)
        made = replace(made, name=_free(table, made.name, at))
        cell = table.sql(at)
        writes.append(f"UPDATE {table.physical} SET {cell}={types.store_call(cell, made, 1)}")
        return _with(table, at, made)
    raise Compiler(source, catalog).refuse(action)


def _free(table: Table, name: str, at: int) -> str:
    check_name(name, 1166)
    if table.position(name) not in (None, at):
        raise SqlError(1060, name)
    return name


def _with(table: Table, at: int, column: Column) -> Table:
    return replace(table, columns=(*table.columns[:at], column, *table.columns[at + 1 :]))


def _cut(items: Any, at: int) -> Any:
    return (*items[:at], *items[at + 1 :])


def _added(table: Table, action: Any, source: str, catalog: Catalog, writes: list[str]) -> Table:
    made = types_of(action, source, catalog)
    _free(table, made.name, -1)
    slot = table.width
    writes.append(f"ALTER TABLE {table.physical} ADD COLUMN c{slot}")
    filler = made.default if made.default is not None else None if made.nullable else (
        "" if made.kind == "text" else "0")  # fmt: skip
    if filler is not None:
        cell = types.store_call(f"'{filler}'", made, 1)
        writes.append(f"UPDATE {table.physical} SET c{slot}={cell}")
    at = len(table.columns)
    place = action.args.get("position")
    if place is not None:
        at = 0 if str(place.args.get("position")).upper() == "FIRST" else table.column(
            place.this.name, table.name) + 1  # fmt: skip
    return replace(
        table,
        width=slot + 1,
        columns=(*table.columns[:at], made, *table.columns[at:]),
        slots=(*table.slots[:at], slot, *table.slots[at:]),
    )
