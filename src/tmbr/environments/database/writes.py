"""INSERT, REPLACE, and UPDATE and DELETE of one table, compiled to SQLite under strict mode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from . import joined_writes
from .catalog import Catalog, Table
from .columns import store_call
from .dialect import MAX_STATEMENT
from .errors import SqlError, syntax_error
from .plan import Plan
from .scope import Output, Scope, Source
from .selects import Compiler
from .sqlite_text import quote

#: What the row that was not inserted is called where it has no name: nothing that can be written.
_GIVEN = "\0"


def target(node: Any, catalog: Catalog) -> Table:
    """The table that a statement writes. Raises SqlError."""
    if not isinstance(node, exp.Table):
        raise SqlError(1149)
    table = catalog.table(node.name, node.db)
    if table.view is not None:
        raise SqlError(1105, f"the view {table.name!r} is not updatable")
    return table


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
                unique=table.unique_keys())  # fmt: skip


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
            given[at] = compiler.emit(cell, scope).sql
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
    """ON DUPLICATE KEY UPDATE; a table without a unique key has no duplicates. VALUES(c), and `new.c`,
    are of the row that was not inserted."""
    clause = tree.args.get("conflict")
    if clause is None or not table.unique_keys():
        return ""
    alias = tree.expression.args.get("alias") if isinstance(tree.expression, exp.Values) else None
    given = alias.name if alias is not None else _GIVEN
    names = [c.name for c in table.columns]
    old, new = (
        tuple(Output(c.name, f"{owner}.{table.sql(i)}", c.kind) for i, c in enumerate(table.columns))
        for owner in (table.physical, "excluded")
    )
    scope = Scope(
        sources=[Source(table.name, old), Source(given, new, hidden={*map(str.lower, names)})]
    )
    parts = []
    for one in clause.expressions:
        at = table.column(one.this.name)
        value = one.expression.transform(_given, given)
        made = store_call(compiler.emit(value, scope).sql, table.columns[at], 1)
        scope.replaced[table.columns[at].name.lower()] = made
        parts.append(f"{table.sql(at)}={made}")
    return f" ON CONFLICT DO UPDATE SET {','.join(parts)}"


def _given(node: Any, owner: str) -> Any:
    """`VALUES(c)` as a column of the row that was not inserted."""
    if isinstance(node, exp.Anonymous) and node.name.upper() == "VALUES" and len(node.expressions) == 1:
        named = node.expressions[0].this
        return exp.Column(this=named, table=exp.Identifier(this=owner, quoted=True))
    return node


def update(tree: Any, source: str, catalog: Catalog) -> Plan:
    """UPDATE of one table. Later assignments see the earlier ones."""
    node = tree.this
    if not tree.expressions:
        raise syntax_error(source, max(0, source.lower().find("where")))
    if node.args.get("joins"):
        return joined_writes.update(tree, source, catalog)
    table = target(node, catalog)
    compiler = Compiler(source, catalog, table.name)
    scope = _scope(table, node)
    chosen: dict[str, str] = {}
    for one in tree.expressions:
        at, value = assignment(one, scope, table, compiler)
        made = stored(table, at, value, compiler, scope)
        if len(made) > MAX_STATEMENT:  # each assignment may write out the one before it twice
            raise SqlError(1153)
        scope.replaced[table.columns[at].name.lower()] = made
        chosen[table.sql(at)] = made
    scope.replaced = {}
    where = _limited(tree, compiler, scope, table, _where(tree, compiler, scope))
    sets = ",".join(f"{name}={made}" for name, made in chosen.items())
    sql = f"UPDATE {table.physical} AS s0 SET {sets}{where}"
    return Plan(writes=[sql], catalog=catalog, strict=True, unique=table.unique_keys())


def assignment(one: Any, scope: Scope, table: Table, compiler: Compiler) -> tuple[int, Any]:
    """(position, value) of `c = value`. Raises SqlError."""
    if not isinstance(one, exp.EQ) or not isinstance(one.this, exp.Column):
        raise compiler.refuse(one)
    if one.this.table and one.this.table != scope.sources[0].alias:
        raise SqlError(1054, f"{one.this.table}.{one.this.name}", "field list")
    return table.column(one.this.name), one.expression


def stored(table: Table, at: int, value: Any, compiler: Compiler, scope: Scope) -> str:
    """SQL of what a column is set to."""
    if isinstance(value, exp.Column | exp.Var) and value.name.upper() == "DEFAULT":
        return _cell(table, at, None, 1)
    return store_call(compiler.emit(value, scope).sql, table.columns[at], 1)


def delete(tree: Any, source: str, catalog: Catalog) -> Plan:
    """DELETE from one table."""
    node = tree.this
    if not isinstance(node, exp.Table):  # `DELETE t WHERE …`
        raise syntax_error(source, max(0, source.lower().find("where")))
    if tree.args.get("tables") or tree.args.get("using"):
        return joined_writes.delete(tree, source, catalog)
    table = target(node, catalog)
    compiler = Compiler(source, catalog, table.name)
    scope = _scope(table, node)
    where = _limited(tree, compiler, scope, table, _where(tree, compiler, scope))
    sql = f"DELETE FROM {table.physical} AS s0{where}"
    return Plan(writes=[sql], catalog=catalog, strict=True)


def _scope(table: Table, node: Any) -> Scope:
    columns = tuple(Output(c.name, f"s0.{table.sql(i)}", c.kind) for i, c in enumerate(table.columns))
    return Scope(sources=[Source(node.alias or table.name, columns)])


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
