"""Queries: SELECT, UNION, WITH and order, compiled to SQLite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from . import kinds
from .catalog import DATABASE
from .emitter import Expr
from .errors import SqlError
from .expressions import Expressions
from .from_clause import FromClause, renamed
from .parts import Parts
from .rollup import Rollup
from .scope import Output, Query, Scope, Source
from .set_operations import SetOperations
from .sqlite_text import call

#: Parts of a SELECT that sqlglot reads in other dialects only.
_FOREIGN = (
    "qualify", "laterals", "pivots", "cluster", "distribute", "sort", "prewhere", "connect", "match",
    "settings", "format", "sample", "kind", "hint", "into", "top",
)  # fmt: skip


class Compiler(Expressions, FromClause, Rollup, SetOperations):
    """One statement's compiler. written: the table that the statement writes, which it may not read."""

    def query(self, tree: Any, scope: Scope | None = None) -> Query:
        """A SELECT or UNION, with or without parentheses. Raises SqlError."""
        if isinstance(tree, exp.Subquery | exp.Paren) and not tree.args.get("alias"):
            return self._wrapped(tree, scope)
        if isinstance(tree, exp.SetOperation):
            return self._with(tree, scope, self.set_operation)
        if isinstance(tree, exp.Select):
            return self._with(tree, scope, self._select)
        raise self.refuse(tree)

    def _wrapped(self, tree: Any, scope: Scope | None) -> Query:
        """`(SELECT …) ORDER BY … LIMIT …`"""
        inner = self.query(tree.this, scope)
        tail = self.tail(tree, inner.columns)
        return Query(f"SELECT * FROM ({inner.sql}){tail}" if tail else inner.sql, inner.columns)

    def _with(self, tree: Any, scope: Scope | None, compile_: Any) -> Query:
        clause = tree.args.get("with_") or tree.args.get("with")
        if clause is None:
            made: Query = compile_(tree, scope)
            return made
        known: dict[str, Source] = {}
        self._ctes.append(known)
        parts = [self._cte(cte, known, bool(clause.args.get("recursive")), scope)
                 for cte in clause.expressions]  # fmt: skip
        inner = compile_(tree, scope)
        self._ctes.pop()
        return Query(f"WITH RECURSIVE {','.join(parts)} {inner.sql}", inner.columns)

    def _cte(self, cte: Any, known: dict[str, Source], recursive: bool, scope: Scope | None) -> str:
        alias = cte.args["alias"]
        name, named = alias.name, [column.name for column in alias.columns]
        self._names += 1
        physical = f"w{self._names}"
        body = cte.this
        refers = any(table.name == name and not table.db for table in body.find_all(exp.Table))
        if recursive and refers:
            if not isinstance(body, exp.Union):
                raise SqlError(3577, name)
            first = self.query(body.this, scope)
            columns = renamed(first.columns, named)
            word = "UNION" if body.args.get("distinct") else "UNION ALL"
            known[name] = Source(physical, columns, counter="d" if word == "UNION ALL" else None)
            second = self.query(body.expression, scope)
            if len(second.columns) != len(first.columns):
                raise SqlError(1222)
            known[name] = Source(physical, columns)
            names = [f"c{i}" for i in range(len(columns))]
            if word == "UNION":
                self.recursive = name  # it has no counter: only the steps end it
                return f"{physical}({','.join(names)}) AS ({first.sql} UNION {second.sql})"
            if not second.counted:
                raise SqlError(3577, name)
            start = f"SELECT *,0 FROM ({first.sql})"
            return f"{physical}({','.join(names)},d) AS ({start} UNION ALL {second.sql})"
        inner = self.query(body, scope)
        known[name] = Source(physical, renamed(inner.columns, named))
        names = [f"c{i}" for i in range(len(inner.columns))]
        return f"{physical}({','.join(names)}) AS ({inner.sql})"

    def tail(self, tree: Any, columns: tuple[Output, ...]) -> str:
        """ORDER BY and LIMIT over a whole query, by its columns' names."""
        scope = Scope(sources=[Source("", columns)], clause="order clause")
        made = ""
        if order := tree.args.get("order"):
            keys = [self._ordinal(one, columns) or self.emit(one.this, scope).sql
                    for one in order.expressions]  # fmt: skip
            ways = [" DESC" if one.args.get("desc") else "" for one in order.expressions]
            made = " ORDER BY " + ",".join(f"k({k}){w}" for k, w in zip(keys, ways, strict=True))
        return made + self.limit(tree)

    def _ordinal(self, item: Any, columns: tuple[Output, ...]) -> str | None:
        node = item.this
        if not isinstance(node, exp.Literal) or node.is_string or not node.this.isdigit():
            return None
        at = int(node.this)
        if not 1 <= at <= len(columns):
            raise SqlError(1054, node.this, "order clause")
        return f"c{at - 1}"

    def limit(self, tree: Any) -> str:
        limit, offset = tree.args.get("limit"), tree.args.get("offset")
        if limit is None and offset is None:
            return ""
        numbers = []
        for part in (limit, offset):
            value = part.expression if part is not None else exp.Literal.number(0)
            if not isinstance(part, exp.Limit | exp.Offset | None):
                raise self.refuse(part)
            if not isinstance(value, exp.Literal) or value.is_string or not value.name.isdigit():
                raise self.refuse(part)
            numbers.append(min(int(value.name[:19]), 2**63 - 1))
        if limit is None:
            raise self.refuse(offset)
        return f" LIMIT {numbers[0]} OFFSET {numbers[1]}"

    def _select(self, tree: Any, parent: Scope | None) -> Query:
        for key in _FOREIGN:
            if tree.args.get(key):
                raise SqlError(1290) if key == "into" else self.refuse(tree)
        if not tree.expressions:
            raise self.refuse(tree)
        if self.is_rolled(tree):
            return self.rolled(tree, parent)
        made = self.parts(tree, parent)
        if self._assigns_in_order(tree, made):
            return self._staged(tree, made)
        order = self.order_by(tree, made)
        return Query(made.sql(order + self.limit(tree)), made.columns, made.counter is not None)

    def parts(self, tree: Any, parent: Scope | None, kept: int | None = None) -> Parts:
        """A SELECT's clauses, compiled. kept: so many of its GROUP BY keys are not rolled up."""
        scope = Scope(parent=parent, clause="from clause", kept=kept)
        scope.windowed = {one.name.lower(): one for one in tree.args.get("windows") or []}
        tables = self.from_clause(tree, scope)
        items = self._items(tree, scope)
        scope.aliases = {i.alias.lower(): i.this for i in tree.expressions if isinstance(i, exp.Alias)}
        where = tree.args.get("where")
        filters = []
        if where is not None:
            filters.append(self.true(where.this, replace(scope, clause="where clause", aliases={})))
        self.group(tree, scope, items)
        having = tree.args.get("having")
        after = None
        if having is not None:
            scope.listed = self._listed(items, scope)
            within = replace(scope, clause="having clause", aggregates=True, place=(1, "HAVING clause"))
            after = self.true(having.this, within)
            if scope.keys is None:
                filters.append(after)
        distinct = tree.args.get("distinct") is not None
        held = distinct or scope.keys is not None
        columns = tuple(
            self._output(i, name, node, scope, held) for i, (name, node) in enumerate(items)
        )
        return Parts(scope, tables, filters, after, columns, distinct)

    def _assigns_in_order(self, tree: Any, made: Parts) -> bool:
        """Whether variables are set row by row, and the rows are put in order."""
        if not tree.args.get("order") or made.scope.keys is not None or made.distinct:
            return False
        return any(node.find(exp.PropertyEQ) for node in tree.expressions)

    def _staged(self, tree: Any, made: Parts) -> Query:
        """As MySQL does, put rows in order first, and work out what is shown of them after that."""
        tail = self.order_by(tree, made) + self.limit(tree)
        seen = [column for source in made.scope.sources for column in source.columns]
        inner = replace(made, columns=tuple(seen)).sql(tail)
        name = self.fresh()
        late = Scope(parent=made.scope.parent, windowed=made.scope.windowed)
        at = 0
        for source in made.scope.sources:
            end = at + len(source.columns)
            moved = tuple(replace(c, sql=f"{name}.c{i}") for i, c in enumerate(source.columns, at))
            late.sources.append(replace(source, columns=moved))
            at = end
        items = self._items(tree, late)
        columns = tuple(
            self._output(i, called, node, late, False) for i, (called, node) in enumerate(items)
        )
        shown = ",".join(f"{column.sql} AS c{i}" for i, column in enumerate(columns))
        body = f"WITH {name} AS MATERIALIZED ({inner}) SELECT {shown} FROM {name}"
        return Query(f"SELECT * FROM ({body})", columns)

    def order_by(self, tree: Any, made: Parts) -> str:
        if tree.args.get("order"):
            keys = ",".join(f"k({key}){way}" for key, way in self.order_keys(tree, made))
            return f" ORDER BY {keys}"
        scope = made.scope
        first = scope.keys is not None and scope.explicit and len(scope.sources) == 1
        rows = scope.sources[0].origin if first else None
        return " ORDER BY MIN(rowid)" if rows and rows.startswith("t") else ""

    def order_keys(self, tree: Any, made: Parts) -> list[tuple[str, str]]:
        """(SQL, direction) of each expression of ORDER BY."""
        found = []
        for at, item in enumerate(tree.args["order"].expressions, 1):
            ordinal = self._ordinal(item, made.columns)
            key = made.columns[int(ordinal[1:])].sql if ordinal else None
            if key is None:
                inner = replace(made.scope, clause="order clause", aggregates=True, windows=True,
                                place=(at, "ORDER BY"))  # fmt: skip
                key = self.emit(item.this, inner).sql
            if made.distinct and key not in [c.sql for c in made.columns]:
                raise SqlError(3065, at, f"{DATABASE}.{made.scope.owner(key)}")
            found.append((key, " DESC" if item.args.get("desc") else ""))
        return found

    def _items(self, tree: Any, scope: Scope) -> list[tuple[str, Any]]:
        """(name, expression) of each column; a star becomes the columns that it stands for."""
        items: list[tuple[str, Any]] = []
        for node in tree.expressions:
            star = isinstance(node, exp.Star)
            if star and any(node.args.values()):
                raise self.refuse(tree)
            if star or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
                if not scope.sources:
                    raise SqlError(1096)
                items += [(c.name, c) for c in scope.all_columns("" if star else node.table)]
            elif isinstance(node, exp.Alias):
                items.append((node.alias, node.this))
            else:
                items.append((self._column_name(node), node))
        return items

    def _listed(self, items: list[tuple[str, Any]], scope: Scope) -> set[str]:
        """The plain columns of the select list: HAVING may name these and no others."""
        found = set()
        for _, node in items:
            if isinstance(node, Output):
                found.add(node.sql)
            elif isinstance(node, exp.Column) and any(scope.matches(node.name, node.table)):
                found.add(scope.find(node.name, node.table)[1].sql)
        return found

    def _column_name(self, node: Any) -> str:
        if isinstance(node, exp.Column):
            return str(node.name)
        if isinstance(node, exp.Literal):
            return str(node.this)
        return str(node.sql(dialect="mysql")) if not isinstance(node, exp.Null) else "NULL"

    def _output(self, at: int, name: str, node: Any, scope: Scope, held: bool) -> Output:
        """held: the rows are written down, which rounds decimals to what is shown of them."""
        scope = replace(scope, clause="field list", aggregates=True, windows=True,
                        place=(at + 1, "SELECT list"))  # fmt: skip
        if isinstance(node, Output):
            made = self._starred(node, scope)
        else:
            made = self.emit(node, replace(scope, aliases={}))
        sql = made.sql
        if held and made.kind.startswith("decimal."):
            sql = call("fix", sql, str(kinds.scale(made.kind)))
        return Output(name, sql, made.kind)

    def _starred(self, column: Output, scope: Scope) -> Expr:
        if scope.keys is None:
            return Expr(column.sql, column.kind)
        if scope.rolled_up(column.sql):
            return Expr("NULL", column.kind)
        if column.sql in scope.keys or column.sql in scope.fixed:
            return Expr(f"a('first',0,{column.sql})", column.kind)
        told = f"{DATABASE}.{scope.owner(column.sql)}"
        raise SqlError(1055 if scope.explicit else 1140, *scope.place, told)
