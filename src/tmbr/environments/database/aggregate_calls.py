"""Calls of aggregates and of window functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from sqlglot import exp

from . import kinds
from .aggregates import AGGREGATES
from .catalog import DATABASE
from .emitter import Emitter, Expr
from .errors import SqlError
from .scope import Scope
from .sqlite_text import blob, call, quote

RANKING = {
    "row_number": "int", "rank": "int", "dense_rank": "int", "ntile": "int", "percent_rank": "double",
    "cume_dist": "double",
}  # fmt: skip
PICKING = ("lag", "lead", "first_value", "last_value", "nth_value")
#: The most arguments that these take.
_PICKED = {"first_value": 1, "last_value": 1, "nth_value": 2}
#: What these are of no rows.
_EMPTY = {"count": "0", "bit_or": "0", "bit_xor": "0", "bit_and": blob(b"U18446744073709551615")}
_DOUBLES = frozenset(("std", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"))


class AggregateCalls(Emitter):
    """Emits what is worked out over many rows."""

    def aggregate(self, name: str, node: Any, scope: Scope, outer: Scope | None = None) -> Expr:
        """An aggregate of this query's groups, or over a window of them, whose arguments are read in
        `outer`. Raises SqlError 1111 where none may stand."""
        if not scope.aggregates or scope.inside:
            raise SqlError(1111)
        arguments = node.expressions
        within = outer or replace(scope, inside=True)
        if name == "count" and len(arguments) == 1 and isinstance(arguments[0], exp.Star):
            return Expr("COUNT(*)", "int")
        distinct = bool(arguments) and isinstance(arguments[0], exp.Distinct)
        if distinct:
            arguments = arguments[0].expressions
        several = (name == "count" and distinct) or (name == "json_objectagg" and len(arguments) == 2)
        if not arguments or (len(arguments) > 1 and not several):
            raise self.refuse(node)
        made = [self.emit(one, within) for one in arguments]
        kind = _aggregate_kind(name, made[0].kind)
        if name == "count" and not distinct:
            return Expr(f"COUNT({made[0].sql})", "int")
        sql = f"a({quote(name)},{int(distinct)},{','.join(one.sql for one in made)})"
        if name in _EMPTY and outer is None and not isinstance(node.parent, exp.Window):
            sql = f"IFNULL({sql},{_EMPTY[name]})"
        return Expr(sql, kind)

    def group_concat(self, node: Any, scope: Scope) -> Expr:
        if not scope.aggregates or scope.inside:
            raise SqlError(1111)
        within = replace(scope, inside=True)
        inner, order, distinct = node.this, [], False
        if isinstance(inner, exp.Order):
            inner, order = inner.this, inner.expressions
        if isinstance(inner, exp.Distinct):
            distinct, inner = True, inner.expressions
        parts = inner if isinstance(inner, list) else [inner]
        shown = [self.text(part, within) for part in parts]
        value = call("concat", *shown) if len(shown) > 1 else shown[0]
        separator = node.args.get("separator")
        between = self.emit(separator, within).sql if separator is not None else "','"
        keys = [self._order_in_group(one.this, parts, within) for one in order]
        directions = quote("".join("d" if one.args.get("desc") else "a" for one in order))
        sql = ",".join((value, between, directions, *keys))
        return Expr(f"a('group_concat',{int(distinct)},{sql})", "text")

    def _order_in_group(self, node: Any, parts: list[Any], scope: Scope) -> str:
        if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit():
            at = int(node.this)
            if not 1 <= at <= len(parts):
                raise SqlError(1054, node.this, "order clause")
            node = parts[at - 1]
        return self.emit(node, scope).sql

    def window(self, node: Any, scope: Scope) -> Expr:
        """`f(…) OVER (…)`: ranking by SQLite itself, aggregates by ours."""
        inner = node.this
        name = str(inner.this).lower() if isinstance(inner, exp.Anonymous) else "group_concat"
        if not scope.windows:
            raise SqlError(3593, name)
        plain = replace(scope, aggregates=scope.keys is not None)
        made, kind = self._windowed(name, inner, plain)
        return Expr(f"{made} OVER ({self._over(node, plain)})", kind)

    def _over(self, node: Any, scope: Scope) -> str:
        """A window's definition; one that names another adds to it."""
        partition, order, spec = (node.args.get(key) for key in ("partition_by", "order", "spec"))
        based, seen = node.args.get("alias"), [node]
        while based is not None:
            found = scope.windowed.get(based.name.lower())
            if found is None:
                raise SqlError(3579, based.name)
            if len(seen) > len(scope.windowed):
                raise SqlError(3580)
            seen.append(found)
            partition, order = (
                partition or found.args.get("partition_by"),
                order or found.args.get("order"),
            )
            spec, based = spec or found.args.get("spec"), found.args.get("alias")
        parts = [f"k({self.emit(one, scope).sql})" for one in partition or []]
        over = f"PARTITION BY {','.join(parts)}" if parts else ""
        over += f" ORDER BY {self.order(order.expressions, scope)}" if order is not None else ""
        return f"{over} {_frame(spec)}" if spec is not None else over

    def _windowed(self, name: str, inner: Any, scope: Scope) -> tuple[str, str]:
        arguments = inner.expressions if isinstance(inner, exp.Anonymous) else []
        if name in RANKING:
            if len(arguments) != (name == "ntile"):
                raise self.refuse(inner)
            given = [self.emit(one, scope).sql for one in arguments]
            return f"{name}({','.join(given)})", RANKING[name]
        if name in PICKING:
            emitted = [self.emit(one, scope) for one in arguments]
            if not 1 <= len(emitted) <= _PICKED.get(name, 3) or (
                name == "nth_value" and len(emitted) < 2
            ):
                raise self.refuse(inner)
            return f"{name}({','.join(one.sql for one in emitted)})", emitted[0].kind
        if name not in AGGREGATES:
            raise SqlError(1305, "FUNCTION", f"{DATABASE}.{name}")
        if arguments and isinstance(arguments[0], exp.Distinct):
            raise SqlError(1235, "<window function>(DISTINCT ..)")
        grouped = scope if scope.keys is not None else None
        made = self.aggregate(name, inner, replace(scope, aggregates=True, inside=False), grouped)
        return made.sql, made.kind

    def order(self, items: list[Any], scope: Scope) -> str:
        return ",".join(
            f"k({self.emit(one.this, scope).sql})" + (" DESC" if one.args.get("desc") else "")
            for one in items
        )

    aggregate_handlers: ClassVar[dict[type, Callable[[Any, Any, Scope], Expr]]] = {
        exp.GroupConcat: group_concat,
        exp.Window: window,
    }


def _aggregate_kind(name: str, kind: str) -> str:
    if name == "sum":
        return (
            kinds.decimal(kinds.scale(kind)) if kinds.exact(kind) else kinds.double(kinds.digits(kind))
        )
    if name == "avg":
        shown = kinds.digits(kind)
        if kinds.exact(kind):
            return kinds.decimal(kinds.scale(kind) + 4)
        return kinds.double(None if shown is None else shown + 4)
    if name.startswith("json_"):
        return "json"
    if name in ("count", "bit_and", "bit_or", "bit_xor"):
        return "int"
    if name in _DOUBLES:
        shown = kinds.digits(kind)
        return kinds.double(None if shown is None else shown + 4)
    return kind


def _frame(spec: Any) -> str:
    kind = str(spec.args.get("kind") or "RANGE").upper()
    ends = []
    for key in ("start", "end"):
        what, side = spec.args.get(key), str(spec.args.get(f"{key}_side") or "").upper()
        if what is None:
            what = "CURRENT ROW"
        shown = what if isinstance(what, str) else str(int(what.name))
        if (shown == "CURRENT ROW") == bool(side):
            raise SqlError(1064, f"{shown} {side}".strip(), 1)
        ends.append(f"{shown} {side}".strip())
    return f"{kind} BETWEEN {ends[0]} AND {ends[1]}"
