"""Calls of functions, casts, and what has a syntax of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp

from . import kinds
from .about import ABOUT, VARIABLES
from .aggregate_calls import PICKING, RANKING, AggregateCalls
from .aggregates import AGGREGATES
from .catalog import DATABASE
from .emitter import Expr
from .errors import SqlError
from .functions import FUNCTIONS
from .scope import Scope
from .sqlite_text import call, quote, volatile

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


#: Functions of texts that give numbers.
_OF_TEXT = frozenset(
    ("length", "octet_length", "char_length", "character_length", "instr", "locate", "position",
     "find_in_set", "ascii", "ord", "strcmp")
)  # fmt: skip
#: Functions whose arguments come in pairs -> the rest of their number.
_PAIRED = {"json_object": 0, "json_set": 1, "json_insert": 1, "json_replace": 1, "json_array_append": 1}


class Calls(AggregateCalls):
    """Emits calls."""

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
        if name in RANKING or name in PICKING:
            raise SqlError(3593, name)
        return self.named(name, node.expressions, scope)

    def named(self, name: str, arguments: list[Any], scope: Scope) -> Expr:
        """A scalar function. Raises SqlError 1305 for an unknown one, 1582 for a wrong number."""
        if name in ABOUT and not arguments:
            return Expr(*ABOUT[name])
        if name == "grouping" and arguments:
            return self.grouping(arguments, scope)
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
        paired = name in _PAIRED and len(arguments) % 2 != _PAIRED[name]
        if paired:
            raise SqlError(1582, name.upper())
        made = [self.emit(_json_truth(one) if "json" in name else one, scope) for one in arguments]
        kind = (
            function.kind if isinstance(function.kind, str) else function.kind([m.kind for m in made])
        )
        if name in ("round", "truncate"):
            kind = _rounded_kind(kind, arguments)
        shown = [self.argument(one) if kind == "text" or name in _OF_TEXT else one.sql for one in made]
        if name in ("coalesce", "ifnull", "greatest", "least"):
            if kind == "text" and name in ("greatest", "least"):
                kind = "text"
            shown = [self.as_kind(one, kind) for one in made]
        return Expr((volatile if name == "rand" else call)(name, *shown), kind)

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
        return Expr(sql, "any" if kind == "date" else kind)

    def _stamped(self, name: str, arguments: list[Any], scope: Scope) -> Expr:
        if len(arguments) != 3 or arguments[0].name.upper() not in _UNITS:
            raise SqlError(1582, name.upper())
        unit = quote(arguments[0].name.upper())
        one, two = (self.emit(node, scope).sql for node in arguments[1:])
        if name == "timestampdiff":
            return Expr(call(name, unit, one, two), "int")
        return Expr(call("shift", two, one, unit, "1"), "any")

    def cast(self, node: Any, scope: Scope) -> Expr:
        made, to = self.emit(node.this, scope), node.args["to"]
        name = to.this.name if hasattr(to.this, "name") else str(to.this)
        sizes = [int(part.name) for part in to.expressions if part.name.isdigit()]
        shown = made.sql
        if made.kind.startswith("decimal."):
            shown = call("fix", made.sql, str(kinds.scale(made.kind)))
        elif name in ("CHAR", "NCHAR", "CHARACTER_SET", "BINARY"):
            shown = self.shown(made)
        size = str(sizes[0]) if sizes else "NULL"
        if name in ("CHAR", "NCHAR", "VARCHAR", "NVARCHAR", "TEXT", "CHARACTER_SET"):
            return Expr(call("to_char", shown, size), "text")
        if name == "DECIMAL":
            digits = sizes[1] if len(sizes) > 1 else 0
            if sizes and digits > sizes[0]:
                raise self.refuse(node)
            sql = call("to_decimal", made.sql, str(sizes[0] if sizes else 10), str(digits))
            return Expr(sql, kinds.decimal(digits))
        simple = {
            "BIGINT": ("signed", "int"), "INT": ("signed", "int"), "UBIGINT": ("unsigned", "uint"),
            "UINT": ("unsigned", "uint"), "DATE": ("to_date", "date"), "TIME": ("to_time", "time"),
            "DATETIME": ("to_datetime", "datetime"), "TIMESTAMP": ("to_datetime", "datetime"),
            "TIMESTAMPTZ": ("to_datetime", "datetime"),
            "DOUBLE": ("to_double", "double"), "FLOAT": ("to_float", "double"),
            "YEAR": ("signed", "int"), "JSON": ("as_json", "json"),
        }  # fmt: skip
        if name in simple:
            function, kind = simple[name]
            return Expr(call(function, shown), kind)
        if name in ("BINARY", "VARBINARY"):
            return Expr(call("to_binary", shown, size), "exact")
        raise self.refuse(node)

    def collate(self, node: Any, scope: Scope) -> Expr:
        name = node.expression.name.lower()
        made = self.text(node.this, scope)
        if name == "binary" or (name.startswith("utf8mb4") and name.endswith(("_bin", "_as_cs"))):
            return Expr(call("to_exact", made), "exact")
        if not name.startswith(("utf8", "latin1", "ascii", "ucs2", "utf16", "utf32")):
            raise SqlError(1273, name)
        if not name.startswith("utf8mb4"):
            raise SqlError(1253, name)
        return Expr(call("to_plain", made), "text")

    def substring(self, node: Any, scope: Scope) -> Expr:
        parts = [node.this, node.args.get("start"), node.args.get("length")]
        given = [part for part in parts if part is not None]
        return self.named("substring", given, scope)

    def trim(self, node: Any, scope: Scope) -> Expr:
        what, side = node.args.get("expression"), str(node.args.get("position") or "BOTH").upper()
        cut = self.text(what, scope) if what is not None else quote(" ")
        return Expr(call("trim", self.text(node.this, scope), cut, quote(side)), "text")

    def position(self, node: Any, scope: Scope) -> Expr:
        return self.named("locate", [node.args["substr"], node.this], scope)

    def extract(self, node: Any, scope: Scope) -> Expr:
        unit = node.name.upper()
        if unit not in _UNITS:
            raise self.refuse(node)
        made = self.emit(node.expression, scope)
        return Expr(call("part", made.sql, quote(unit)), "int")

    def adjacent(self, node: Any, scope: Scope) -> Expr:
        """Text literals side by side are one."""
        return self.named("concat", node.expressions, scope)

    def variable(self, node: Any, _: Scope) -> Expr:
        """`@name`; of what kind it is, the statements before this one have settled."""
        name = node.name.lower()
        kind = kinds.of(self.catalog.variables.get(name))
        made = call("to_kind", volatile("variable", quote(name)), quote(kind.partition(".")[0]))
        return Expr(made, kind)

    def assignment(self, node: Any, scope: Scope) -> Expr:
        """`@name := value`"""
        if not isinstance(node.this, exp.Parameter):
            raise self.refuse(node)
        self.assigns = True
        made = self.emit(node.expression, scope)
        shown = call("fix", made.sql, str(kinds.scale(made.kind))) if "." in made.kind else made.sql
        return Expr(volatile("assign", quote(node.this.name.lower()), shown), made.kind)

    def system_variable(self, node: Any, _: Scope) -> Expr:
        """`@@name`"""
        name = node.name.lower()
        if name not in VARIABLES:
            raise SqlError(1193, name)
        return Expr(*VARIABLES[name])

    def arrow(self, node: Any, scope: Scope) -> Expr:
        """`c -> '$.a'` and `c ->> '$.a'`, of a column only"""
        if not isinstance(node.this, exp.Column):
            raise self.refuse(node)
        made, where = self.emit(node.this, scope).sql, quote(str(node.expression.sql("mysql"))[1:-1])
        if isinstance(node, exp.JSONExtractScalar):
            return Expr(call("arrow", made, where), "exact")
        return Expr(call("json_extract", made, where), "json")

    def match(self, node: Any, scope: Scope) -> Expr:
        """No table has a FULLTEXT index."""
        for column in node.expressions:
            self.emit(column, scope)
        raise SqlError(1191)

    def member_of(self, node: Any, scope: Scope) -> Expr:
        made, array = self.emit(node.this, scope).sql, self.emit(node.expression, scope).sql
        return Expr(call("member_of", made, array), "int", True)

    call_handlers: ClassVar[dict[type, Callable[[Any, Any, Scope], Expr]]] = {
        exp.Anonymous: anonymous,
        exp.Cast: cast,
        exp.Collate: collate,
        exp.Substring: substring,
        exp.Trim: trim,
        exp.StrPosition: position,
        exp.Extract: extract,
        exp.Concat: adjacent,
        exp.JSONExtract: arrow,
        exp.JSONExtractScalar: arrow,
        exp.JSONArrayContains: member_of,
        exp.MatchAgainst: match,
        exp.Parameter: variable,
        exp.PropertyEQ: assignment,
        exp.SessionParameter: system_variable,
    }


def _json_truth(node: Any) -> Any:
    """TRUE and FALSE are not 1 and 0 in a document."""
    if not isinstance(node, exp.Boolean):
        return node
    return exp.cast(exp.Literal.string("true" if node.this else "false"), "JSON")


def _rounded_kind(kind: str, arguments: list[Any]) -> str:
    """ROUND and TRUNCATE show the digits that they keep, where these are written as a number."""
    if kind in ("int", "uint", "any", "null"):
        return kind
    digits = arguments[1] if len(arguments) > 1 else exp.Literal.number(0)
    known = isinstance(digits, exp.Literal) and digits.this.isdigit()
    if kinds.is_double(kind):
        constant = known or isinstance(digits, exp.Neg)
        return kinds.double(int(digits.this) if known else 0) if constant else kind
    return kinds.decimal(int(digits.this) if known else 0)
