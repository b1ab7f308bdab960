"""Queries: SELECT, UNION, WITH, joins, grouping and order, compiled to SQLite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from . import kinds
from .catalog import DATABASE, Catalog
from .errors import SqlError
from .expressions import Expr, Expressions
from .schema_tables import information_schema
from .scope import Output, Query, Scope, Source
from .sqlite_text import call

#: Parts of a SELECT that sqlglot reads in other dialects only.
_FOREIGN = (
    "qualify", "laterals", "pivots", "cluster", "distribute", "sort", "prewhere", "connect", "match",
    "settings", "format", "sample", "kind", "hint", "into", "top",
)  # fmt: skip


class Compiler(Expressions):
    """One statement's compiler. written: the table that the statement writes, which it may not read."""

    def __init__(self, source: str, catalog: Catalog, written: str | None = None) -> None:
        self.source = source
        self.catalog = catalog
        self.written = written
        self.recursive: str | None = None
        self._ctes: list[dict[str, Source]] = []
        self._names = 0
        self._views: tuple[str, ...] = ()

    def query(self, tree: Any, scope: Scope | None = None) -> Query:
        """A SELECT or UNION, with or without parentheses. Raises SqlError."""
        if isinstance(tree, exp.Subquery | exp.Paren) and not tree.args.get("alias"):
            return self._wrapped(tree, scope)
        if isinstance(tree, exp.Union):
            return self._with(tree, scope, self._union)
        if isinstance(tree, exp.Select):
            return self._with(tree, scope, self._select)
        raise self.refuse(tree)

    def _wrapped(self, tree: Any, scope: Scope | None) -> Query:
        """`(SELECT …) ORDER BY … LIMIT …`"""
        inner = self.query(tree.this, scope)
        tail = self._tail(tree, inner.columns)
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
            self.recursive = name
            first = self.query(body.this, scope)
            columns = _renamed(first.columns, named)
            word = "UNION" if body.args.get("distinct") else "UNION ALL"
            known[name] = Source(physical, columns, counter="d" if word == "UNION ALL" else None)
            second = self.query(body.expression, scope)
            if len(second.columns) != len(first.columns):
                raise SqlError(1222)
            known[name] = Source(physical, columns)
            names = [f"c{i}" for i in range(len(columns))]
            if word == "UNION":
                return f"{physical}({','.join(names)}) AS ({first.sql} UNION {second.sql})"
            if not second.counted:
                raise SqlError(3577, name)
            start = f"SELECT *,0 FROM ({first.sql})"
            return f"{physical}({','.join(names)},d) AS ({start} UNION ALL {second.sql})"
        inner = self.query(body, scope)
        known[name] = Source(physical, _renamed(inner.columns, named))
        names = [f"c{i}" for i in range(len(inner.columns))]
        return f"{physical}({','.join(names)}) AS ({inner.sql})"

    def _union(self, tree: Any, scope: Scope | None) -> Query:
        if type(tree) is not exp.Union:
            raise self.refuse(tree)
        left, right = self.query(tree.this, scope), self.query(tree.expression, scope)
        if len(left.columns) != len(right.columns):
            raise SqlError(1222)
        columns = tuple(
            Output(a.name, f"c{i}", kinds.merge([a.kind, b.kind]))
            for i, (a, b) in enumerate(zip(left.columns, right.columns, strict=True))
        )
        distinct = bool(tree.args.get("distinct"))
        sides = [self._converted(side, columns, distinct) for side in (left, right)]
        made = " UNION ALL ".join(sides)
        if distinct:  # of equal values the first is shown
            made = f"SELECT DISTINCT * FROM ({made})"
        tail = self._tail(tree, columns)
        return Query(f"SELECT * FROM ({made}){tail}", columns)

    def _converted(self, side: Query, columns: tuple[Output, ...], distinct: bool) -> str:
        """One side of a UNION, its columns of the kinds that both sides make."""
        parts = []
        for i, (old, new) in enumerate(zip(side.columns, columns, strict=True)):
            made = self.as_kind(Expr(f"c{i}", old.kind), new.kind)
            collated = " COLLATE mysql" if distinct and new.kind in ("text", "any") else ""
            parts.append(f"{made}{collated} AS c{i}")
        return f"SELECT {','.join(parts)} FROM ({side.sql})"

    def _tail(self, tree: Any, columns: tuple[Output, ...]) -> str:
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
            if not isinstance(part, exp.Limit | exp.Offset | None) or not value.name.isdigit():
                raise self.refuse(part)
            if isinstance(value, exp.Literal) and value.is_string:
                raise self.refuse(part)
            numbers.append(min(int(value.name[:19]), 2**63 - 1))
        if limit is None:
            raise self.refuse(offset)
        return f" LIMIT {numbers[0]} OFFSET {numbers[1]}"

    def _select(self, tree: Any, parent: Scope | None) -> Query:
        for key in _FOREIGN:
            if tree.args.get(key):
                raise SqlError(1290) if key == "into" else self.refuse(tree)
        scope = Scope(parent=parent, clause="from clause")
        tables = self._from(tree, scope)
        items = self._items(tree, scope)
        scope.aliases = {i.alias.lower(): i.this for i in tree.expressions if isinstance(i, exp.Alias)}
        where = tree.args.get("where")
        filters = []
        if where is not None:
            filters.append(self.true(where.this, replace(scope, clause="where clause", aliases={})))
        self._group(tree, scope, items)
        having = tree.args.get("having")
        if having is not None:
            made = self.true(
                having.this,
                replace(scope, clause="having clause", aggregates=True, place=(1, "HAVING clause")),
            )
            if scope.keys is None:
                filters.append(made)
        columns = [self._output(i, name, node, scope) for i, (name, node) in enumerate(items)]
        distinct = tree.args.get("distinct") is not None
        shown = [
            f"{c.sql} COLLATE mysql AS c{i}"
            if distinct and c.kind in ("text", "any")
            else f"{c.sql} AS c{i}"
            for i, c in enumerate(columns)
        ]
        counter = next((source.counter for source in scope.sources if source.counter), None)
        if counter is not None:  # a recursive table's hidden column counts the rounds
            shown.append(f"{call('depth', counter)} AS d")
        sql = f"SELECT {'DISTINCT ' if distinct else ''}{','.join(shown)}"
        sql += f" FROM {tables}" if tables else ""
        sql += f" WHERE {' AND '.join(filters)}" if filters else ""
        if scope.keys is not None and scope.explicit:
            sql += f" GROUP BY {','.join(f'k({key})' for key in scope.keys)}"
        if having is not None and scope.keys is not None:
            sql += f" HAVING {made}"
        sql += self._order(tree, scope, columns, distinct) + self.limit(tree)
        return Query(sql, tuple(columns), counter is not None)

    def _order(self, tree: Any, scope: Scope, columns: list[Output], distinct: bool) -> str:
        order = tree.args.get("order")
        if order is None:
            first = scope.keys is not None and scope.explicit and len(scope.sources) == 1
            rows = scope.sources[0].origin if first else None
            return " ORDER BY MIN(rowid)" if rows and rows.startswith("t") else ""
        parts = []
        for at, item in enumerate(order.expressions, 1):
            ordinal = self._ordinal(item, tuple(columns))
            key = columns[int(ordinal[1:])].sql if ordinal else None
            if key is None:
                inner = replace(scope, clause="order clause", aggregates=True, windows=True,
                                place=(at, "ORDER BY"))  # fmt: skip
                key = self.emit(item.this, inner).sql
            if distinct and key not in [c.sql for c in columns]:
                raise SqlError(3065, at, f"{DATABASE}.{scope.owner(key)}")
            parts.append(f"k({key}){' DESC' if item.args.get('desc') else ''}")
        return f" ORDER BY {','.join(parts)}"

    def _items(self, tree: Any, scope: Scope) -> list[tuple[str, Any]]:
        """(name, expression) of each column; a star becomes the columns that it stands for."""
        items: list[tuple[str, Any]] = []
        for node in tree.expressions:
            star = isinstance(node, exp.Star)
            if star or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
                if not scope.sources:
                    raise SqlError(1096)
                items += [(c.name, c) for c in scope.all_columns("" if star else node.table)]
            elif isinstance(node, exp.Alias):
                items.append((node.alias, node.this))
            else:
                items.append((self._column_name(node), node))
        return items

    def _column_name(self, node: Any) -> str:
        if isinstance(node, exp.Column):
            return str(node.name)
        if isinstance(node, exp.Literal):
            return str(node.this)
        return str(node.sql(dialect="mysql")) if not isinstance(node, exp.Null) else "NULL"

    def _output(self, at: int, name: str, node: Any, scope: Scope) -> Output:
        scope = replace(scope, clause="field list", aggregates=True, windows=True,
                        place=(at + 1, "SELECT list"))  # fmt: skip
        if isinstance(node, Output):
            made = self._starred(node, scope)
        else:
            made = self.emit(node, replace(scope, aliases={}))
        sql = made.sql
        if made.kind.startswith("decimal."):
            sql = call("fix", sql, str(kinds.scale(made.kind)))
        return Output(name, sql, made.kind)

    def _starred(self, column: Output, scope: Scope) -> Expr:
        if scope.keys is None:
            return Expr(column.sql, column.kind)
        if column.sql in scope.keys or column.sql in scope.fixed:
            return Expr(f"a('first',0,{column.sql})", column.kind)
        told = f"{DATABASE}.{scope.owner(column.sql)}"
        raise SqlError(1055 if scope.explicit else 1140, *scope.place, told)

    def _group(self, tree: Any, scope: Scope, items: list[tuple[str, Any]]) -> None:
        """Read GROUP BY, and see whether the query is aggregated at all."""
        group, having, order = (tree.args.get(key) for key in ("group", "having", "order"))
        spots = [node for _, node in items if not isinstance(node, Output)]
        spots += [part for part in (having, order) if part is not None]
        aggregated = any(self._own_aggregate(node) for node in spots)
        if group is None:
            if aggregated:
                scope.keys = []
                scope.fixed = self._fixed(tree, scope)
            return
        if any(group.args.get(key) for key in ("rollup", "cube", "grouping_sets", "totals", "all")):
            raise SqlError(1235, "WITH ROLLUP")
        inner = replace(scope, clause="group statement", windows=False)
        keys = []
        for node in group.expressions:
            number = isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit()
            if number and not 1 <= int(node.this) <= len(items):
                raise SqlError(1054, node.this, "group statement")
            made = items[int(node.this) - 1][1] if number else node
            if not isinstance(made, Output) and number and self._own_aggregate(made):
                raise SqlError(1056, items[int(node.this) - 1][0])
            keys.append(made.sql if isinstance(made, Output) else self.emit(made, inner).sql)
        scope.keys, scope.explicit = keys, True
        scope.fixed = self._fixed(tree, scope) | {k for k in keys if k.count(".") == 1 and "(" not in k}

    def _own_aggregate(self, node: Any) -> bool:
        """Whether an aggregate of this query stands in a node, not one of a query inside it."""
        stack = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, exp.Select | exp.Union):
                continue
            if isinstance(part, exp.GroupConcat | exp.Anonymous) and self.is_aggregate(part):
                return True
            stack.extend(part.iter_expressions())
        return False

    def _fixed(self, tree: Any, scope: Scope) -> set[str]:
        """Columns that WHERE equates with a constant: they depend on nothing else."""
        where = tree.args.get("where")
        found: set[str] = set()
        parts = [where.this] if where is not None else []
        while parts:
            part = parts.pop()
            if isinstance(part, exp.And):
                parts += [part.this, part.expression]
            elif isinstance(part, exp.Paren):
                parts.append(part.this)
            elif isinstance(part, exp.EQ):
                sides = (part.this, part.expression)
                for a, b in (sides, sides[::-1]):
                    if isinstance(a, exp.Column) and isinstance(b, exp.Literal) and b.is_string:
                        found.add(scope.find(a.name, a.table)[1].sql)
        return found

    def _from(self, tree: Any, scope: Scope) -> str:
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
        outer = scope.parent
        inner = self.query(node.this, outer)
        alias = self._fresh()
        columns = _renamed(inner.columns, [c.name for c in node.args["alias"].columns])
        scope.add(Source(node.alias, _placed(columns, alias)))
        return f"({inner.sql}) AS {alias}"

    def _base(self, node: Any, scope: Scope) -> str:
        if not isinstance(node.this, exp.Identifier) or node.args.get("pivots"):
            raise self.refuse(node)
        name, database, alias = node.name, node.db, self._fresh()
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
            return self._view(table.view, shown, scope, name)
        columns = tuple(Output(c.name, table.sql(i), c.kind) for i, c in enumerate(table.columns))
        scope.add(Source(shown, tuple(replace(c, sql=f"{alias}.{c.sql}") for c in columns),
                         table.physical))  # fmt: skip
        return f"{table.physical} AS {alias}"

    def _view(self, sql: str, shown: str, scope: Scope, name: str) -> str:
        from .dialect import parse

        if name in self._views or len(self._views) > 8:
            raise SqlError(1146, f"{DATABASE}.{name}")
        inner = Compiler(sql, self.catalog, self.written)
        inner._views = (*self._views, name)
        inner._names = self._names + 1000
        query = inner.query(parse(sql))
        alias = self._fresh()
        scope.add(Source(shown, _placed(query.columns, alias)))
        return f"({query.sql}) AS {alias}"

    def _fresh(self) -> str:
        self._names += 1
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


def _renamed(columns: tuple[Output, ...], names: list[str]) -> tuple[Output, ...]:
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
