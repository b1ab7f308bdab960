"""INSERT, REPLACE, UPDATE and DELETE, compiled to SQLite under strict mode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from .catalog import Catalog, Table
from .columns import store_call
from .errors import SqlError
from .plan import Plan
from .scope import Output, Scope, Source
from .selects import Compiler
from .sqlite_text import quote


def target(node: Any, catalog: Catalog) -> Table:
    """The table that a statement writes. Raises SqlError."""
    if not isinstance(node, exp.Table):
        raise SqlError(1149)
    table = catalog.table(node.name, node.db)
    if table.view is not None:
        raise SqlError(1105, f"the view {table.name!r} is not updatable")
    return table


def unique_keys(table: Table) -> list[tuple[str, tuple[str, ...]]]:
    keys = []
    primary = tuple(c.name for c in table.columns if c.key == "PRI")
    if primary:
        keys.append((f"{table.name}.PRIMARY", primary))
    keys += [(f"{table.name}.{c.name}", (c.name,)) for c in table.columns if c.key == "UNI"]
    return keys


def insert(tree: Any, source: str, catalog: Catalog, replacing: bool) -> Plan:
    """INSERT and REPLACE, from VALUES, SET or a query."""
    schema = tree.this
    named = schema.expressions if isinstance(schema, exp.Schema) else []
    table = target(schema.this if isinstance(schema, exp.Schema) else schema, catalog)
    compiler = Compiler(source, catalog)
    wanted = [table.column(node.name) for node in named] or list(range(len(table.columns)))
    for i, at in enumerate(wanted):
        if at in wanted[:i]:
            raise SqlError(1110, table.columns[at].name)
    rows = tree.expression
    if isinstance(rows, exp.Values):
        body, recursive = _values(rows, table, wanted, compiler), None
    else:
        query = compiler.query(rows)
        if len(query.columns) != len(wanted):
            raise SqlError(1136, 1)
        given = {at: f"c{i}" for i, at in enumerate(wanted)}
        cells = [_cell(table, at, given.get(at), 1) for at in range(len(table.columns))]
        body, recursive = f"SELECT {','.join(cells)} FROM ({query.sql}) WHERE 1", compiler.recursive
    names = ",".join(table.sql(at) for at in range(len(table.columns)))
    word = (
        "INSERT OR REPLACE"
        if replacing
        else "INSERT OR IGNORE"
        if tree.args.get("ignore")
        else "INSERT"
    )
    sql = f"{word} INTO {table.physical}({names}) {body}{_conflict(tree, table, compiler)}"
    strict = not tree.args.get("ignore")
    return Plan(writes=[sql], catalog=catalog, strict=strict, recursive=recursive is not None,
                unique=unique_keys(table))  # fmt: skip


def _values(rows: Any, table: Table, wanted: list[int], compiler: Compiler) -> str:
    made = []
    for number, row in enumerate(rows.expressions, 1):
        cells = row.expressions if isinstance(row, exp.Tuple) else [row]
        if len(cells) != len(wanted) and not (len(cells) == 0 and len(rows.expressions) == 1):
            raise SqlError(1136, number)
        given: dict[int, str | None] = {}
        for at, cell in zip(wanted, cells, strict=False):
            if isinstance(cell, exp.Var) and cell.name.upper() == "DEFAULT":
                continue
            scope = Scope(clause="field list", sources=[])
            given[at] = compiler.text(cell, scope)
        shown = [_cell(table, at, given.get(at), number) for at in range(len(table.columns))]
        made.append(f"({','.join(shown)})")
    return f"VALUES {','.join(made)}"


def _cell(table: Table, at: int, given: str | None, row: int) -> str:
    """One stored value: what is given, or the column's default."""
    column = table.columns[at]
    if column.counts:
        return f"NULLIF({given or 'NULL'},0)"
    if given is None:
        if column.default is None and not column.nullable:
            raise SqlError(1364, column.name)
        if column.default == "CURRENT_TIMESTAMP":
            given = "f('now')"
        else:
            given = quote(column.default) if column.default is not None else "NULL"
    return store_call(given, column, row)


def _conflict(tree: Any, table: Table, compiler: Compiler) -> str:
    """ON DUPLICATE KEY UPDATE; a table without a unique key has no duplicates."""
    clause = tree.args.get("conflict")
    if clause is None or not unique_keys(table):
        return ""
    columns = tuple(
        Output(c.name, f"{table.physical}.{table.sql(i)}", c.kind) for i, c in enumerate(table.columns)
    )
    scope = Scope(sources=[Source(table.name, columns)], clause="field list")
    parts = []
    for one in clause.expressions:
        at = table.column(one.this.name)
        for call in list(one.expression.find_all(exp.Anonymous)):
            if call.name.upper() == "VALUES":
                raise SqlError(1235, "VALUES() in ON DUPLICATE KEY UPDATE")
        made = compiler.emit(one.expression, scope).sql
        parts.append(f"{table.sql(at)}={store_call(made, table.columns[at], 1)}")
    return f" ON CONFLICT DO UPDATE SET {','.join(parts)}"


def update(tree: Any, source: str, catalog: Catalog) -> Plan:
    """UPDATE of one table, which others may be joined to. Later assignments see the earlier ones."""
    node = tree.this
    table = target(node, catalog)
    joined = bool(node.args.get("joins"))
    compiler = Compiler(source, catalog, None if joined else table.name)
    scope = _scope(table, node)
    others = _joined(node, compiler, scope)
    parts = []
    scope.clause = "field list"
    for one in tree.expressions:
        if not isinstance(one, exp.EQ) or not isinstance(one.this, exp.Column):
            raise compiler.refuse(one)
        if one.this.table and one.this.table != scope.sources[0].alias:
            raise SqlError(1235, "UPDATE of a joined table")
        at = table.column(one.this.name)
        column = table.columns[at]
        if (
            isinstance(one.expression, exp.Column | exp.Var)
            and one.expression.name.upper() == "DEFAULT"
        ):
            made = _cell(table, at, None, 1)
        else:
            made = store_call(compiler.text(one.expression, scope), column, 1)
        scope.replaced[column.name.lower()] = made
        parts.append((table.sql(at), made))
    chosen = dict(parts)
    scope.replaced = {}
    filters = [*others[1], *_where(tree, compiler, scope)]
    where = _limited(tree, compiler, scope, table, filters)
    tables = f" FROM {','.join(others[0])}" if others[0] else ""
    sets = ",".join(f"{name}={made}" for name, made in chosen.items())
    sql = f"UPDATE {table.physical} AS s0 SET {sets}{tables}{where}"
    return Plan(writes=[sql], catalog=catalog, strict=True, unique=unique_keys(table))


def delete(tree: Any, source: str, catalog: Catalog) -> Plan:
    """DELETE from one table, which others may be joined to."""
    node = tree.this
    named = tree.args.get("tables") or []
    if len(named) > 1 or (named and named[0].name not in (node.name, node.alias)):
        raise SqlError(1235, "DELETE from several tables")
    table = target(node, catalog)
    joined = bool(node.args.get("joins"))
    compiler = Compiler(source, catalog, None if joined else table.name)
    scope = _scope(table, node)
    others = _joined(node, compiler, scope)
    filters = [*others[1], *_where(tree, compiler, scope)]
    if others[0]:
        inner = f"SELECT s0.rowid FROM {table.physical} AS s0,{','.join(others[0])}"
        sql = f"DELETE FROM {table.physical} WHERE rowid IN ({inner}{_and(filters)})"
    else:
        sql = f"DELETE FROM {table.physical} AS s0{_limited(tree, compiler, scope, table, filters)}"
    return Plan(writes=[sql], catalog=catalog, strict=True)


def _scope(table: Table, node: Any) -> Scope:
    columns = tuple(Output(c.name, f"s0.{table.sql(i)}", c.kind) for i, c in enumerate(table.columns))
    return Scope(sources=[Source(node.alias or table.name, columns)])


def _joined(node: Any, compiler: Compiler, scope: Scope) -> tuple[list[str], list[str]]:
    """Tables that are joined to the written one, and on what."""
    tables, tests = [], []
    for join in node.args.get("joins") or []:
        if str(join.args.get("side") or ""):
            raise SqlError(1235, "outer joins in a statement that writes")
        tables.append(compiler.joined_table(join.this, scope))
        if join.args.get("on") is not None:
            tests.append(compiler.true(join.args["on"], replace(scope, clause="on clause")))
    return tables, tests


def _where(tree: Any, compiler: Compiler, scope: Scope) -> list[str]:
    where = tree.args.get("where")
    if where is None:
        return []
    return [compiler.true(where.this, replace(scope, clause="where clause"))]


def _and(filters: list[str]) -> str:
    return f" WHERE {' AND '.join(filters)}" if filters else ""


def _limited(tree: Any, compiler: Compiler, scope: Scope, table: Table, filters: list[str]) -> str:
    """WHERE, and ORDER BY with LIMIT by the rows' numbers."""
    order, limit = tree.args.get("order"), compiler.limit(tree)
    if not limit:
        return _and(filters)
    keys = (
        compiler.order(order.expressions, replace(scope, clause="order clause")) if order else "rowid"
    )
    inner = f"SELECT rowid FROM {table.physical} AS s0{_and(filters)} ORDER BY {keys}{limit}"
    return f" WHERE rowid IN ({inner})"
