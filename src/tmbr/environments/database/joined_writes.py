"""UPDATE and DELETE over a join: what changes is written down first, then each table changes once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from .catalog import Catalog, Table
from .columns import store_call
from .errors import SqlError
from .plan import Plan
from .scope import Scope, Source
from .selects import Compiler

#: The table in which the rows that change are written down while the statement runs.
_NOTES = "notes"


def update(tree: Any, source: str, catalog: Catalog) -> Plan:
    """All new values are worked out from the old ones; a row that is met twice changes once."""
    if tree.args.get("order") or tree.args.get("limit"):
        raise SqlError(1221, "UPDATE", "ORDER BY" if tree.args.get("order") else "LIMIT")
    compiler, scope = Compiler(source, catalog), Scope(clause="from clause")
    tables = compiler.joined_table(tree.this, scope)
    chosen: dict[int, dict[str, str]] = {}
    unique: list[tuple[str, tuple[str, ...]]] = []
    scope.clause = "field list"
    for one in tree.expressions:
        if not isinstance(one, exp.EQ) or not isinstance(one.this, exp.Column):
            raise compiler.refuse(one)
        owner, column = scope.find(one.this.name, one.this.table)
        at = scope.sources.index(owner.source(column))
        table = _table(scope.sources[at], catalog, "UPDATE")
        unique = unique or table.unique_keys()
        cell = table.column(column.name)
        made = store_call(compiler.emit(one.expression, scope).sql, table.columns[cell], 1)
        chosen.setdefault(at, {})[table.sql(cell)] = made
    columns, writes = [], []
    for at, cells in chosen.items():
        columns.append(f"{scope.sources[at].row} AS r{at}")
        columns += [f"{made} AS r{at}{name}" for name, made in cells.items()]
        names = ",".join(cells)
        new = ",".join(f"r{at}{name}" for name in cells)
        writes += [
            f"CREATE INDEX {_NOTES}{at} ON {_NOTES}(r{at})",
            f"UPDATE {scope.sources[at].origin} AS old SET ({names})=(SELECT {new} FROM {_NOTES}"
            f" WHERE r{at}=old.rowid ORDER BY {_NOTES}.rowid LIMIT 1)"
            f" WHERE rowid IN (SELECT r{at} FROM {_NOTES})",
        ]
    noted = _noted(columns, tables, tree, compiler, scope)
    writes = [noted, *writes, f"DROP TABLE {_NOTES}"]
    return Plan(writes=writes, catalog=catalog, strict=True, unique=unique)


def delete(tree: Any, source: str, catalog: Catalog) -> Plan:
    """`DELETE a, b FROM …` and `DELETE FROM a, b USING …`"""
    using = tree.args.get("using")
    named = tree.args.get("tables") or [
        tree.this,
        *(join.this for join in tree.this.args.get("joins") or []),
    ]
    compiler, scope = Compiler(source, catalog), Scope(clause="from clause")
    tables = compiler.joined_table(using[0] if using else tree.this, scope)
    chosen = [_named(node.name, scope) for node in named]
    columns, writes = [], []
    for at in chosen:
        _table(scope.sources[at], catalog, "DELETE")
        columns.append(f"{scope.sources[at].row} AS r{at}")
        writes.append(
            f"DELETE FROM {scope.sources[at].origin} WHERE rowid IN (SELECT r{at} FROM {_NOTES})"
        )
    noted = _noted(columns, tables, tree, compiler, scope)
    return Plan(writes=[noted, *writes, f"DROP TABLE {_NOTES}"], catalog=catalog, strict=True)


def _named(name: str, scope: Scope) -> int:
    found = [at for at, source in enumerate(scope.sources) if source.alias == name]
    if not found:
        raise SqlError(1109, name, "MULTI DELETE")
    return found[0]


def _table(source: Source, catalog: Catalog, word: str) -> Table:
    """The table that a source of the join is. Raises SqlError 1288 for a derived one."""
    found = (table for table in catalog.tables.values() if table.physical == source.origin)
    table = next(found, None)
    if table is None:
        raise SqlError(1288, source.alias, word)
    return table


def _noted(columns: list[str], tables: str, tree: Any, compiler: Compiler, scope: Scope) -> str:
    where = tree.args.get("where")
    test = "1"
    if where is not None:
        test = compiler.true(where.this, replace(scope, clause="where clause"))
    return f"CREATE TABLE {_NOTES} AS SELECT {','.join(columns)} FROM {tables} WHERE {test}"
