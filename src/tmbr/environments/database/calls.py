"""Calls of functions, aggregates and window functions, casts, and what has a syntax of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import exp

from . import kinds
from .aggregates import AGGREGATES
from .catalog import DATABASE
from .errors import SqlError, syntax_error
from .functions import FUNCTIONS
from .scope import Scope
from .sqlite_text import call, quote

if TYPE_CHECKING:
    from .expressions import Expr

VERSION = "8.0.36"
USER = "agent@localhost"
_RANKING = {
    "row_number": "int", "rank": "int", "dense_rank": "int", "ntile": "int", "percent_rank": "double",
    "cume_dist": "double",
}  # fmt: skip
_PICKING = ("lag", "lead", "first_value", "last_value", "nth_value")
_DOUBLES = frozenset(("std", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"))
_UNITS = frozenset(
    [
        "MICROSECOND",
        "SECOND",
        "MINUTE",
        "HOUR",
        "DAY",
        "WEEK",
        "MONTH",
        "QUARTER",
        "YEAR",
        "YEAR_MONTH",
        "DAY_HOUR",
        "DAY_MINUTE",
        "DAY_SECOND",
        "HOUR_MINUTE",
        "HOUR_SECOND",
        "MINUTE_SECOND",
    ]
)
_SHIFTS = {"date_add": 1, "adddate": 1, "date_sub": -1, "subdate": -1}
#: Functions whose answer the server's state gives.
_ABOUT: dict[str, tuple[str, str]] = {
    "database": (quote(DATABASE), "text"), "schema": (quote(DATABASE), "text"),
    "version": (quote(VERSION), "text"), "user": (quote(USER), "text"),
    "current_user": (quote(USER), "text"), "session_user": (quote(USER), "text"),
    "system_user": (quote(USER), "text"), "connection_id": ("1", "int"),
    "last_insert_id": ("0", "int"), "row_count": ("-1", "int"), "found_rows": ("0", "int"),
}  # fmt: skip
_VARIABLES: dict[str, tuple[str, str]] = {
    "version": (quote(VERSION), "text"),
    "sql_mode": (
        quote(
            "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
            "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
        ),
        "text",
    ),
    "autocommit": ("1", "int"),
    "max_allowed_packet": (str(16 * 2**20), "int"),
    "group_concat_max_len": ("1024", "int"),
    "cte_max_recursion_depth": ("1000", "int"),
    "character_set_database": (quote("utf8mb4"), "text"),
    "collation_database": (quote("utf8mb4_0900_ai_ci"), "text"),
    "collation_connection": (quote("utf8mb4_0900_ai_ci"), "text"),
    "lower_case_table_names": ("0", "int"),
    "version_comment": (quote("MySQL Community Server - GPL"), "text"),
}


class Calls:
    """The half of `Expressions` that is about calls; it needs the other half's `emit`."""

    source = ""
    database = DATABASE

    def emit(self, node: Any, scope: Scope) -> Expr:
        raise NotImplementedError

    def true(self, node: Any, scope: Scope) -> str:
        raise NotImplementedError

    def as_kind(self, made: Expr, kind: str) -> str:
        raise NotImplementedError

    def expr(self, sql: str, kind: str, truth: bool = False) -> Expr:
        from .expressions import Expr

        return Expr(sql, kind, truth)

    def refuse(self, node: Any) -> SqlError:
        """1064 at the first name or literal of a node that MySQL's grammar has not."""
        starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
        return syntax_error(self.source, min(starts, default=0))

    def text(self, node: Any, scope: Scope) -> str:
        """An argument that is shown: a decimal is rounded to what is shown of it."""
        made = self.emit(node, scope)
        if made.kind.startswith("decimal."):
            return call("fix", made.sql, str(kinds.scale(made.kind)))
        return made.sql

    def bare_call(self, name: str, scope: Scope) -> Expr | None:
        """CURRENT_DATE and the like, which are called without parentheses."""
        known = ("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
                 "utc_date", "utc_timestamp", "current_user")  # fmt: skip
        if name.lower() not in known or scope.has(name):
            return None
        return self.named(name.lower(), [], scope)

    def anonymous(self, node: Any, scope: Scope) -> Expr:
        name = str(node.this).lower()
        if name in AGGREGATES:
            return self.aggregate(name, node, scope)
        if name in _RANKING or name in _PICKING:
            raise SqlError(3593, name)
        return self.named(name, node.expressions, scope)

    def named(self, name: str, arguments: list[Any], scope: Scope) -> Expr:
        """A scalar function. Raises SqlError 1305 for an unknown one, 1582 for a wrong number."""
        if name in _ABOUT and not arguments:
            return self.expr(*_ABOUT[name])
        if name == "if":
            if len(arguments) != 3:
                raise SqlError(1582, "IF")
            return self.emit(exp.If(this=arguments[0], true=arguments[1], false=arguments[2]), scope)
        if name in _SHIFTS and len(arguments) == 2:
            return self._shift(name, arguments, scope)
        if name in ("timestampdiff", "timestampadd"):
            return self._stamped(name, arguments, scope)
        function = FUNCTIONS.get(name)
        if function is None:
            raise SqlError(1305, "FUNCTION", f"{DATABASE}.{name}")
        most = function.most if function.most is not None else len(arguments)
        if not function.fewest <= len(arguments) <= most:
            raise SqlError(1582, name.upper())
        made = [self.emit(one, scope) for one in arguments]
        kind = (
            function.kind if isinstance(function.kind, str) else function.kind([m.kind for m in made])
        )
        if name in ("round", "truncate"):
            kind = _rounded_kind(kind, arguments)
        shown = [
            call("fix", one.sql, str(kinds.scale(one.kind)))
            if one.kind.startswith("decimal.") and kind == "text"
            else one.sql
            for one in made
        ]
        if name in ("coalesce", "ifnull", "greatest", "least"):
            if kind == "text" and name in ("greatest", "least"):
                kind = "text"
            shown = [self.as_kind(one, kind) for one in made]
        return self.expr(call(name, *shown), kind)

    def _shift(self, name: str, arguments: list[Any], scope: Scope) -> Expr:
        span = arguments[1]
        if not isinstance(span, exp.Interval):
            if not name.endswith("date"):
                raise self.refuse(span)
            span = exp.Interval(this=span, unit=exp.Var(this="DAY"))
        return self.shifted(arguments[0], span, _SHIFTS[name], scope)

    def shifted(self, node: Any, span: Any, sign: int, scope: Scope) -> Expr:
        """A moment and an interval."""
        unit = span.args.get("unit")
        if unit is None or unit.name.upper() not in _UNITS:
            raise self.refuse(node)
        made, amount = self.emit(node, scope), self.emit(span.this, scope)
        kind = made.kind if made.kind in kinds.TEMPORAL else "text"
        sql = call("shift", made.sql, amount.sql, quote(unit.name.upper()), str(sign))
        return self.expr(sql, "any" if kind == "date" else kind)

    def _stamped(self, name: str, arguments: list[Any], scope: Scope) -> Expr:
        if len(arguments) != 3 or arguments[0].name.upper() not in _UNITS:
            raise SqlError(1582, name.upper())
        unit = quote(arguments[0].name.upper())
        one, two = (self.emit(node, scope).sql for node in arguments[1:])
        if name == "timestampdiff":
            return self.expr(call(name, unit, one, two), "int")
        return self.expr(call("shift", two, one, unit, "1"), "any")

    def aggregate(self, name: str, node: Any, scope: Scope) -> Expr:
        """An aggregate of this query's groups. Raises SqlError 1111 where none may stand."""
        if not scope.aggregates or scope.inside:
            raise SqlError(1111)
        arguments = node.expressions
        within = replace(scope, inside=True)
        if name == "count" and len(arguments) == 1 and isinstance(arguments[0], exp.Star):
            return self.expr("COUNT(*)", "int")
        distinct = bool(arguments) and isinstance(arguments[0], exp.Distinct)
        if distinct:
            arguments = arguments[0].expressions
        if not arguments or (len(arguments) > 1 and not (name == "count" and distinct)):
            raise self.refuse(node)
        made = [self.emit(one, within) for one in arguments]
        kind = _aggregate_kind(name, made[0].kind)
        if name == "count" and not distinct:
            return self.expr(f"COUNT({made[0].sql})", "int")
        sql = ",".join(one.sql for one in made)
        return self.expr(f"a({quote(name)},{int(distinct)},{sql})", kind)

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
        return self.expr(f"a('group_concat',{int(distinct)},{sql})", "text")

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
        if not scope.windows or node.args.get("alias"):
            raise SqlError(3593, name)
        plain = replace(scope, aggregates=scope.keys is not None)
        made, kind = self._windowed(name, inner, plain)
        parts = [f"k({self.emit(one, plain).sql})" for one in node.args.get("partition_by") or []]
        over = f"PARTITION BY {','.join(parts)}" if parts else ""
        order = node.args.get("order")
        if order is not None:
            over += f" ORDER BY {self.order(order.expressions, plain)}"
        spec = node.args.get("spec")
        if spec is not None:
            over += f" {_frame(spec)}"
        return self.expr(f"{made} OVER ({over})", kind)

    def _windowed(self, name: str, inner: Any, scope: Scope) -> tuple[str, str]:
        arguments = inner.expressions if isinstance(inner, exp.Anonymous) else []
        if name in _RANKING:
            given = [self.emit(one, scope).sql for one in arguments]
            return f"{name}({','.join(given)})", _RANKING[name]
        if name in _PICKING:
            emitted = [self.emit(one, scope) for one in arguments]
            if not emitted:
                raise SqlError(1582, name.upper())
            return f"{name}({','.join(one.sql for one in emitted)})", emitted[0].kind
        if name not in AGGREGATES:
            raise SqlError(1305, "FUNCTION", f"{DATABASE}.{name}")
        made = self.aggregate(name, inner, replace(scope, aggregates=True, keys=None, inside=False))
        return made.sql, made.kind

    def order(self, items: list[Any], scope: Scope) -> str:
        return ",".join(
            f"k({self.emit(one.this, scope).sql})" + (" DESC" if one.args.get("desc") else "")
            for one in items
        )

    def cast(self, node: Any, scope: Scope) -> Expr:
        made, to = self.emit(node.this, scope), node.args["to"]
        name = to.this.name if hasattr(to.this, "name") else str(to.this)
        sizes = [int(part.name) for part in to.expressions if part.name.isdigit()]
        shown = made.sql
        if made.kind.startswith("decimal."):
            shown = call("fix", made.sql, str(kinds.scale(made.kind)))
        size = str(sizes[0]) if sizes else "NULL"
        if name in ("CHAR", "NCHAR", "VARCHAR", "NVARCHAR", "TEXT", "CHARACTER_SET"):
            return self.expr(call("to_char", shown, size), "text")
        if name == "DECIMAL":
            digits = sizes[1] if len(sizes) > 1 else 0
            if sizes and digits > sizes[0]:
                raise self.refuse(node)
            sql = call("to_decimal", made.sql, str(sizes[0] if sizes else 10), str(digits))
            return self.expr(sql, kinds.decimal(digits))
        simple = {
            "BIGINT": ("signed", "int"), "INT": ("signed", "int"), "UBIGINT": ("unsigned", "int"),
            "UINT": ("unsigned", "int"), "DATE": ("to_date", "date"), "TIME": ("to_time", "time"),
            "DATETIME": ("to_datetime", "datetime"), "TIMESTAMP": ("to_datetime", "datetime"),
            "DOUBLE": ("to_double", "double"), "FLOAT": ("to_double", "double"),
            "YEAR": ("signed", "int"),
        }  # fmt: skip
        if name in simple:
            function, kind = simple[name]
            return self.expr(call(function, shown), kind)
        if name in ("BINARY", "VARBINARY"):
            written = self.source[node.meta.get("start", 0) :][:6].lower() == "binary"
            function = "to_exact" if written or not sizes else "to_binary"
            return self.expr(call(function, shown), "exact")
        raise self.refuse(node)

    def collate(self, node: Any, scope: Scope) -> Expr:
        name = node.expression.name.lower()
        made = self.text(node.this, scope)
        if name == "binary" or name.endswith(("_bin", "_as_cs")):
            return self.expr(call("to_exact", made), "exact")
        if not name.startswith(("utf8", "latin1", "ascii", "ucs2", "utf16", "utf32")):
            raise SqlError(1273, name)
        return self.expr(call("to_plain", made), "text")

    def substring(self, node: Any, scope: Scope) -> Expr:
        parts = [node.this, node.args.get("start"), node.args.get("length")]
        given = [part for part in parts if part is not None]
        return self.named("substring", given, scope)

    def trim(self, node: Any, scope: Scope) -> Expr:
        what, side = node.args.get("expression"), str(node.args.get("position") or "BOTH").upper()
        cut = self.text(what, scope) if what is not None else quote(" ")
        return self.expr(call("trim", self.text(node.this, scope), cut, quote(side)), "text")

    def position(self, node: Any, scope: Scope) -> Expr:
        return self.named("locate", [node.args["substr"], node.this], scope)

    def extract(self, node: Any, scope: Scope) -> Expr:
        unit = node.name.upper()
        if unit not in _UNITS:
            raise self.refuse(node)
        made = self.emit(node.expression, scope)
        return self.expr(call("part", made.sql, quote(unit)), "int")

    def adjacent(self, node: Any, scope: Scope) -> Expr:
        """Text literals side by side are one."""
        return self.named("concat", node.expressions, scope)

    def variable(self, node: Any, _: Scope) -> Expr:
        """`@@name`, and `@name`, which nothing has set."""
        if isinstance(node, exp.Parameter):
            return self.expr("NULL", "text")
        name = node.name.lower()
        if name not in _VARIABLES:
            raise SqlError(1193, name)
        return self.expr(*_VARIABLES[name])

    handlers: ClassVar[dict[type, Callable[[Any, Any, Scope], Expr]]] = {
        exp.Anonymous: anonymous,
        exp.GroupConcat: group_concat,
        exp.Window: window,
        exp.Cast: cast,
        exp.Collate: collate,
        exp.Substring: substring,
        exp.Trim: trim,
        exp.StrPosition: position,
        exp.Extract: extract,
        exp.Concat: adjacent,
        exp.Parameter: variable,
        exp.SessionParameter: variable,
    }


def _rounded_kind(kind: str, arguments: list[Any]) -> str:
    if not kind.startswith("decimal."):
        return kind
    if len(arguments) < 2:
        return "decimal.0"
    digits = arguments[1]
    known = isinstance(digits, exp.Literal) and digits.this.isdigit()
    return kinds.decimal(min(kinds.scale(kind), int(digits.this))) if known else "decimal.0"


def _aggregate_kind(name: str, kind: str) -> str:
    if name == "sum":
        return kinds.decimal(kinds.scale(kind)) if kinds.exact(kind) else "double"
    if name == "avg":
        return kinds.decimal(kinds.scale(kind) + 4) if kinds.exact(kind) else "double"
    if name in ("count", "bit_and", "bit_or", "bit_xor"):
        return "int"
    return "double" if name in _DOUBLES else kind


def _frame(spec: Any) -> str:
    kind = str(spec.args.get("kind") or "RANGE").upper()
    ends = []
    for key in ("start", "end"):
        what, side = spec.args.get(key), str(spec.args.get(f"{key}_side") or "").upper()
        if what is None:
            what = "CURRENT ROW"
        shown = what if isinstance(what, str) else str(int(what.name))
        ends.append(f"{shown} {side}".strip())
    return f"{kind} BETWEEN {ends[0]} AND {ends[1]}"
