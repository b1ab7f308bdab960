"""From MySQL's expressions to SQLite's: every operator whose meaning differs becomes a call of `f`.

Only what is listed here passes; any other node is a syntax error. `Expressions` is the half of the
compiler that reads expressions, `selects.Compiler` the other, which reads queries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from sqlglot import exp

from . import kinds
from .aggregate_calls import AggregateCalls
from .calls import Calls
from .emitter import Expr
from .errors import SqlError
from .predicates import COMPARISON, Predicates
from .scope import Scope
from .sqlite_text import blob, call, quote
from .values import INT_MAX

_ARITHMETIC = {exp.Add: "add", exp.Sub: "sub", exp.Mul: "mul", exp.Div: "div", exp.Mod: "mod"}
_BITS = {
    exp.BitwiseAnd: "bit_and", exp.BitwiseOr: "bit_or", exp.BitwiseXor: "bit_xor",
    exp.BitwiseLeftShift: "shift_left", exp.BitwiseRightShift: "shift_right",
}  # fmt: skip


class Expressions(Calls, Predicates):
    """Emits any expression. A subclass supplies `query(tree, scope)` for what is nested."""

    def emit(self, node: Any, scope: Scope) -> Expr:
        """Raises SqlError for what MySQL would refuse."""
        if scope.keys is not None and not scope.inside and len(scope.keys) > 0:
            grouped = self._group_key(node, scope)
            if grouped is not None:
                return grouped
        for family, names in ((self._arithmetic, _ARITHMETIC), (self._comparison, COMPARISON)):
            if type(node) in names:
                return family(node, names[type(node)], scope)
        if isinstance(node, exp.BitwiseNot):
            return Expr(call("bit_not", self.emit(node.this, scope).sql), "int")
        if type(node) in _BITS:
            a, b = self.emit(node.this, scope), self.emit(node.expression, scope)
            return Expr(call(_BITS[type(node)], a.sql, b.sql), "int")
        handler = self._handlers.get(type(node))
        if handler is None:
            raise self.refuse(node)
        return handler(self, node, scope)

    def _group_key(self, node: Any, scope: Scope) -> Expr | None:
        """In an aggregated query an expression that is grouped by stands for its group's first row."""
        if isinstance(node, exp.Literal | exp.Subquery | exp.Exists | exp.Window | exp.Paren):
            return None
        column = isinstance(node, exp.Column)
        if not column and all(key.count(".") == 1 and "(" not in key for key in scope.keys or []):
            return None
        if any(self.is_aggregate(part) for part in node.find_all(exp.Anonymous, exp.GroupConcat)):
            return None
        if any(True for _ in node.find_all(exp.Select)):
            return None
        try:
            plain = self.emit(node, replace(scope, keys=None, inside=True))
        except SqlError:
            return None
        if plain.sql not in (scope.keys or []):
            return None
        if scope.rolled_up(plain.sql):
            return Expr("NULL", plain.kind)
        return Expr(f"a('first',0,{plain.sql})", plain.kind)

    def _arithmetic(self, node: Any, name: str, scope: Scope) -> Expr:
        for one, other in ((node.this, node.expression), (node.expression, node.this)):
            if isinstance(one, exp.Interval):
                sign = -1 if isinstance(node, exp.Sub) else 1
                return self.shifted(other, one, sign, scope)
        a, b = self.emit(node.this, scope), self.emit(node.expression, scope)
        kind = kinds.arithmetic(name, a.kind, b.kind)
        if name == "div":
            return Expr(call(name, a.sql, b.sql, str(kinds.scale(a.kind) + 4)), kind)
        unsigned = kind == "uint" and name != "mod"
        return Expr(call(f"u{name}" if unsigned else name, a.sql, b.sql), kind)

    def _literal(self, node: Any, _: Scope) -> Expr:
        if node.is_string:
            return Expr(quote(node.this), "text")
        written = node.this.lower()
        if "e" in written:
            return Expr(repr(min(float(written), 1.7976931348623157e308)), "double")
        if "." in written:
            digits = len(written.partition(".")[2])
            return Expr(blob(b"D" + _decimal(written)), kinds.decimal(digits))
        if len(written) < 19:
            return Expr(str(int(written)), "int")
        if int(written) < 2**64:
            return Expr(blob(b"U" + written.encode()) if int(written) > INT_MAX else written, "int")
        return Expr(blob(b"D" + _decimal(written[:65])), "decimal.0")

    def _column(self, node: Any, scope: Scope) -> Expr:
        name, table = node.name, node.table
        if isinstance(node.this, exp.Star):
            raise self.refuse(node)
        bare = not table and not node.this.args.get("quoted")
        if bare and (made := self.bare_call(name, scope)) is not None:
            return made
        if not table and name.lower() in scope.replaced:
            at = scope.sources[0].columns[
                [c.name.lower() for c in scope.sources[0].columns].index(name.lower())
            ]
            return Expr(scope.replaced[name.lower()], at.kind)
        if not table and self._prefers_alias(name, scope, isinstance(node.parent, exp.Ordered | None)):
            return self._alias(name, scope)
        owner, found = scope.find(name, table)
        shown = {*scope.listed, *(scope.keys or [])}
        plain = scope.clause == "having clause" and owner is scope and not scope.inside
        if plain and found.sql not in shown:
            raise SqlError(1054, f"{table}.{name}" if table else name, scope.clause)
        if owner.keys is None or owner.inside or owner is not scope:
            return Expr(found.sql, found.kind)
        if found.sql in owner.fixed or scope.clause == "where clause":
            return Expr(f"a('first',0,{found.sql})", found.kind)
        told = f"{owner.owner(found.sql)}"
        raise SqlError(1055 if owner.explicit else 1140, *scope.place, f"{self.database}.{told}")

    def _prefers_alias(self, name: str, scope: Scope, whole: bool) -> bool:
        """HAVING, and ORDER BY of a `whole` name, look at the select list first; GROUP BY, and ORDER BY
        of what a name is a part of, look there last."""
        low = name.lower()
        if low not in scope.aliases or low in scope.expanding:
            return False
        if scope.clause == "order clause":
            return whole or not scope.has(name)
        if scope.clause == "having clause":
            return not (scope.has(name) and any(name.lower() == k for k in self.grouped_names(scope)))
        return scope.clause == "group statement" and not scope.has(name)

    def grouped_names(self, scope: Scope) -> list[str]:
        """Names of the columns that are grouped by."""
        owned = (scope.owner(key) for key in scope.keys or [])
        return [name.rpartition(".")[2].lower() for name in owned]

    def _alias(self, name: str, scope: Scope) -> Expr:
        low = name.lower()
        inner = replace(scope, expanding={*scope.expanding, low})
        if scope.clause == "group statement" and any(
            self.is_aggregate(part)
            for part in scope.aliases[low].find_all(exp.Anonymous, exp.GroupConcat)
        ):
            raise SqlError(1056, name)
        if scope.clause == "having clause":  # it may be of columns that HAVING itself may not name
            inner.clause = "field list"
        return self.emit(scope.aliases[low], inner)

    def _case(self, node: Any, scope: Scope) -> Expr:
        value = self.emit(node.this, scope).sql if node.this else None
        branches = [self.emit(one.args["true"], scope) for one in node.args["ifs"]]
        default = node.args.get("default")
        last = self.emit(default, scope) if default else Expr("NULL", "null")
        kind = kinds.merge([*(b.kind for b in branches), last.kind])
        made = "CASE"
        for one, branch in zip(node.args["ifs"], branches, strict=True):
            test = (
                call("eq", value, self.emit(one.this, scope).sql)
                if value is not None
                else self.true(one.this, scope)
            )
            made += f" WHEN {test} THEN {self.as_kind(branch, kind)}"
        return Expr(f"{made} ELSE {self.as_kind(last, kind)} END", kind)

    def _if(self, node: Any, scope: Scope) -> Expr:
        if node.args.get("false") is None:
            raise SqlError(1582, "IF")
        yes, no = self.emit(node.args["true"], scope), self.emit(node.args["false"], scope)
        kind = kinds.merge([yes.kind, no.kind])
        test = self.true(node.this, scope)
        made = f"CASE WHEN {test} THEN {self.as_kind(yes, kind)} ELSE {self.as_kind(no, kind)} END"
        return Expr(made, kind)

    def _subquery(self, node: Any, scope: Scope) -> Expr:
        inner = self.query(node, scope)
        if len(inner.columns) != 1:
            raise SqlError(1241, 1)
        return Expr(f"(SELECT a('single',0,c0) FROM ({inner.sql}))", inner.columns[0].kind)

    def _neg(self, node: Any, scope: Scope) -> Expr:
        made = self.emit(node.this, scope)
        kind = "int" if made.kind == "uint" else made.kind
        kind = kind if kinds.digits(kind) is not None or kind == "any" else "double"
        return Expr(call("neg", made.sql), kind)

    def _intdiv(self, node: Any, scope: Scope) -> Expr:
        a, b = self.emit(node.this, scope).sql, self.emit(node.expression, scope).sql
        return Expr(call("intdiv", a, b), "int")

    _handlers: ClassVar[dict[type, Callable[[Any, Any, Scope], Expr]]] = {
        exp.Literal: _literal,
        exp.Null: lambda *_: Expr("NULL", "null"),
        exp.Boolean: lambda _, node, __: Expr(str(int(node.this)), "int", True),
        exp.National: lambda _, node, __: Expr(quote(str(node.this)), "text"),
        exp.Introducer: lambda self, node, scope: self.emit(node.expression, scope),
        exp.BitString: lambda _, node, __: Expr(blob(b"B" + _bits(node.this)), "exact"),
        exp.HexString: lambda _, node, __: Expr(blob(b"B" + _hex(node.this)), "exact"),
        exp.Column: _column,
        exp.Paren: lambda self, node, scope: self.emit(node.this, scope),
        exp.Neg: _neg,
        exp.IntDiv: _intdiv,
        exp.Case: _case,
        exp.If: _if,
        exp.Subquery: _subquery,
        exp.Select: _subquery,
        exp.Union: _subquery,
        exp.Intersect: _subquery,
        exp.Except: _subquery,
        **Predicates.predicate_handlers,
        **AggregateCalls.aggregate_handlers,
        **Calls.call_handlers,
    }


def _decimal(written: str) -> bytes:
    whole, point, digits = written.partition(".")
    return f"{int(whole or 0)}{point if digits else ''}{digits}".encode()


def _hex(digits: str) -> bytes:
    return bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")


def _bits(digits: str) -> bytes:
    return int(digits or "0", 2).to_bytes(max(1, (len(digits) + 7) // 8), "big")
