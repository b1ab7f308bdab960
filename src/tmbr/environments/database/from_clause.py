"""FROM: tables, views, derived tables and joins, which become the sources of a scope."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from .catalog import DATABASE, Catalog
from .dialect import parse
from .emitter import Emitter
from .errors import SqlError
from .schema_tables import information_schema
from .scope import Output, Scope, Source
from .sqlite_text import call

#: So many tables may stand in a statement, with those that its views stand for.
MAX_TABLES = 500


class FromClause(Emitter):
    """Emits FROM. written: the table that the statement writes, which it may not read."""

    def __init__(self, source: str, catalog: Catalog, written: str | None = None) -> None:
        self.source = source
        self.catalog = catalog
        self.written = written
        self.recursive: str | None = None
        self._ctes: list[dict[str, Source]] = []
        self._names = 0
        self._views: tuple[str, ...] = ()

    def from_clause(self, tree: Any, scope: Scope) -> str:
        clause = tree.args.get("from_") or tree.args.get("from")
        if clause is None:
            return ""
        made = self.joined_table(clause.this, scope)
        for join in tree.args.get("joins") or []:
            made = self._join(made, join, scope)
        return made

    def joined_table(self, node: Any, scope: Scope) -> str:
        """One table of FROM, which becomes a source of the scope; with the joins that hang on it."""
        if isinstance(node, exp.Subquery):
            if isinstance(node.this, exp.Table):
                made = f"({self.joined_table(node.this, scope)})"
            else:
                made = self._derived(node, scope)
        elif isinstance(node, exp.Table):
            if isinstance(node.this, exp.Identifier) and node.name.upper() == "DUAL" and not node.alias:
                return "(SELECT 1)"
            made = self._base(node, scope)
        else:
            raise self.refuse(node)
        for join in node.args.get("joins") or []:
            made = self._join(made, join, scope)
        return made

    def _derived(self, node: Any, scope: Scope) -> str:
        if not node.alias:
            raise SqlError(1248)
        written, self.written = self.written, None  # its rows are worked out before any is changed
        inner = self.query(node.this, scope.parent)
        self.written = written
        alias = self.fresh()
        columns = renamed(inner.columns, [c.name for c in node.args["alias"].columns])
        scope.add(Source(node.alias, _placed(columns, alias)))
        return f"({inner.sql}) AS {alias}"

    def _base(self, node: Any, scope: Scope) -> str:
        if not isinstance(node.this, exp.Identifier) or node.args.get("pivots"):
            raise self.refuse(node)
        name, database, alias = node.name, node.db, self.fresh()
        shown = node.alias or name
        if node.args.get("alias") is not None and node.args["alias"].columns:
            raise self.refuse(node)
        for level in reversed(self._ctes):
            if not database and name in level:
                source = level[name]
                counter = f"{alias}.d" if source.counter else None
                scope.add(Source(shown, _placed(source.columns, alias), counter=counter))
                return f"{source.alias} AS {alias}"
        if database.lower() == "information_schema":
            query = information_schema(name, self.catalog)
            scope.add(Source(shown, _placed(query.columns, alias)))
            return f"({query.sql}) AS {alias}"
        if database not in ("", DATABASE):
            raise SqlError(1049, database) if database != "mysql" else SqlError(1142, "SELECT", name)
        table = self.catalog.table(name)
        if table.name == self.written:
            raise SqlError(1093, self.written)
        if table.view is not None:
            return self._view(table.view, shown, scope, name, alias)
        columns = tuple(Output(c.name, table.sql(i), c.kind) for i, c in enumerate(table.columns))
        scope.add(Source(shown, tuple(replace(c, sql=f"{alias}.{c.sql}") for c in columns),
                         table.physical))  # fmt: skip
        return f"{table.physical} AS {alias}"

    def _view(self, sql: str, shown: str, scope: Scope, name: str, alias: str) -> str:
        if name in self._views or len(self._views) > 8:
            raise SqlError(1146, f"{DATABASE}.{name}")
        inner = type(self)(sql, self.catalog, self.written)
        inner._views = (*self._views, name)
        inner._names = self._names
        query = inner.query(parse(sql), None)
        self._names = inner._names
        scope.add(Source(shown, _placed(query.columns, alias)))
        return f"({query.sql}) AS {alias}"

    def fresh(self) -> str:
        self._names += 1
        if self._names > MAX_TABLES:  # views of views: their text grows with each
            raise SqlError(1436)
        return f"s{self._names}"

    def _join(self, left: str, join: Any, scope: Scope) -> str:
        side, kind = (str(join.args.get(key) or "").upper() for key in ("side", "kind"))
        natural = str(join.args.get("method") or "").upper() == "NATURAL"
        if side == "FULL" or kind not in ("", "INNER", "CROSS", "OUTER", "STRAIGHT_JOIN", "STRAIGHT"):
            raise self.refuse(join)
        before = list(scope.sources)
        right = self.joined_table(join.this, scope)
        added = [source for source in scope.sources if source not in before]
        word = f"{side} JOIN" if side else "JOIN"
        on = join.args.get("on")
        using = [column.name for column in join.args.get("using") or []]
        if natural:
            using = _shared(before, added)
        if side and on is None and not using and not natural:
            raise self.refuse(join)
        tests = [self._using(name, before, added, side) for name in using]
        if on is not None:
            tests.append(self.true(on, replace(scope, clause="on clause")))
        return f"{left} {word} {right} ON {' AND '.join(tests) or '1'}"

    def _using(self, name: str, before: list[Source], added: list[Source], side: str) -> str:
        low = name.lower()
        pairs = []
        for sources in (before, added):
            found = [
                c for s in sources for c in s.columns if c.name.lower() == low and low not in s.hidden
            ]
            if not found:
                raise SqlError(1054, name, "from clause")
            pairs.append(found[0])
        for source in before if side == "RIGHT" else added:
            source.hidden.add(low)
        return call("eq", pairs[0].sql, pairs[1].sql)


def _shared(before: list[Source], added: list[Source]) -> list[str]:
    """Names that both sides of a NATURAL join have, in the left side's order."""
    right = {c.name.lower() for s in added for c in s.columns}
    return [c.name for s in before for c in s.columns if c.name.lower() in right]


def renamed(columns: tuple[Output, ...], names: list[str]) -> tuple[Output, ...]:
    if names and len(names) != len(columns):
        raise SqlError(1353)
    given = names or [c.name for c in columns]
    seen: set[str] = set()
    for name in given:
        if name.lower() in seen:
            raise SqlError(1060, name)
        seen.add(name.lower())
    return tuple(
        Output(n, f"c{i}", c.kind) for i, (n, c) in enumerate(zip(given, columns, strict=True))
    )


def _placed(columns: tuple[Output, ...], alias: str) -> tuple[Output, ...]:
    return tuple(Output(c.name, f"{alias}.c{i}", c.kind) for i, c in enumerate(columns))
