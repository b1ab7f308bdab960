"""What is true, false or unknown: comparisons, IN, EXISTS, LIKE, REGEXP, BETWEEN, and their logic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp

from .emitter import Emitter, Expr
from .errors import SqlError
from .scope import Scope
from .sqlite_text import call, quote

COMPARISON = {
    exp.EQ: "eq", exp.NEQ: "ne", exp.LT: "lt", exp.LTE: "le", exp.GT: "gt", exp.GTE: "ge",
    exp.NullSafeEQ: "same",
}  # fmt: skip


#: A function of SQLite's takes no more than 127 arguments.
_LISTED = 100


class Predicates(Emitter):
    """Emits conditions."""

    def _comparison(self, node: Any, name: str, scope: Scope) -> Expr:
        left, right = node.this, node.expression
        if isinstance(right, exp.Any | exp.All):
            return self._quantified(node, name, scope)
        if _width(left) or _width(right):
            return self._rows(node, name, scope)
        a, b = self.emit(left, scope), self.emit(right, scope)
        return Expr(call(name, a.sql, b.sql), "int", True)

    def _rows(self, node: Any, name: str, scope: Scope) -> Expr:
        """`(a, b) = (c, d)`, `ROW(a, b) < ROW(c, d)`: by the first that differ."""
        left, right = node.this, node.expression
        if _width(left) != _width(right):
            raise SqlError(1241, _width(left) or 1)
        pairs = [
            (self.emit(a, scope).sql, self.emit(b, scope).sql)
            for a, b in zip(left.expressions, right.expressions, strict=True)
        ]
        if name in ("eq", "ne", "same"):
            made = " AND ".join(call("same" if name == "same" else "eq", a, b) for a, b in pairs)
            return Expr(f"(NOT ({made}))" if name == "ne" else f"({made})", "int", True)
        made = call(name, *pairs[-1])
        strictly = {"le": "lt", "ge": "gt"}.get(name, name)
        for a, b in reversed(pairs[:-1]):
            made = f"({call(strictly, a, b)} OR ({call('eq', a, b)} AND {made}))"
        return Expr(made, "int", True)

    def _quantified(self, node: Any, name: str, scope: Scope) -> Expr:
        inner = node.expression.this
        rows = self._packed(inner.this if isinstance(inner, exp.Subquery) else inner, scope, 1)
        which = "all" if isinstance(node.expression, exp.All) else "any"
        value = self.emit(node.this, scope).sql
        return Expr(call("quantified", quote(name), quote(which), value, rows), "int", True)

    def _packed(self, tree: Any, scope: Scope, width: int) -> str:
        if tree.args.get("limit"):
            raise SqlError(1235, "LIMIT & IN/ALL/ANY/SOME subquery")
        inner = self.query(tree, scope)
        if len(inner.columns) != width:
            raise SqlError(1241, width)
        names = ",".join(f"c{i}" for i in range(width))
        return f"(SELECT a('packed',0,{names}) FROM ({inner.sql}))"

    def _in(self, node: Any, scope: Scope) -> Expr:
        inner = node.args.get("query")
        if inner is not None:
            values = node.this.expressions if _width(node.this) else [node.this]
            tree = inner.this if isinstance(inner, exp.Subquery) else inner
            rows = self._packed(tree, scope, len(values))
            made = [self.emit(value, scope).sql for value in values]
            return Expr(call("in_rows", rows, *made), "int", True)
        if _width(node.this):
            tests = [self._rows(exp.EQ(this=node.this, expression=one), "eq", scope).sql
                     for one in node.expressions]  # fmt: skip
            return Expr(f"({' OR '.join(tests)})", "int", True)
        if not node.expressions:
            raise self.refuse(node)
        value, *options = (self.emit(one, scope).sql for one in (node.this, *node.expressions))
        tests = [
            call("is_in", value, *options[at : at + _LISTED]) for at in range(0, len(options), _LISTED)
        ]
        return Expr(f"({' OR '.join(tests)})", "int", True)

    def _exists(self, node: Any, scope: Scope) -> Expr:
        inner = node.this.this if isinstance(node.this, exp.Subquery) else node.this
        return Expr(f"(EXISTS ({self.query(inner, scope).sql}))", "int", True)

    def _is(self, node: Any, scope: Scope) -> Expr:
        made, what = self.emit(node.this, scope), node.expression
        if isinstance(what, exp.Null):
            return Expr(f"({made.sql} IS NULL)", "int", True)
        if isinstance(what, exp.Boolean):
            return Expr(call("is_truth", made.sql, str(int(what.this))), "int", True)
        raise self.refuse(node)

    def _like(self, node: Any, scope: Scope) -> Expr:
        pattern, escape = node.expression, ""
        if isinstance(node.parent, exp.Escape):
            escape = self.emit(node.parent.expression, scope).sql
        a, b = self.text(node.this, scope), self.text(pattern, scope)
        made = call("like", a, b, escape) if escape else call("like", a, b)
        return Expr(f"(NOT {made})" if node.args.get("negate") else made, "int", True)

    def _regexp(self, node: Any, scope: Scope) -> Expr:
        a, b = self.text(node.this, scope), self.text(node.expression, scope)
        made = call("regexp", a, b)
        return Expr(f"(NOT {made})" if node.args.get("negate") else made, "int", True)

    def _between(self, node: Any, scope: Scope) -> Expr:
        parts = [self.emit(node.args[key], scope).sql for key in ("this", "low", "high")]
        made = call("between", *parts)
        return Expr(f"(NOT {made})" if node.args.get("negate") else made, "int", True)

    def _logic(self, node: Any, scope: Scope) -> Expr:
        word = "AND" if isinstance(node, exp.And) else "OR"
        made = f"({self.true(node.this, scope)} {word} {self.true(node.expression, scope)})"
        return Expr(made, "int", True)

    def _xor(self, node: Any, scope: Scope) -> Expr:
        a, b = self.emit(node.this, scope).sql, self.emit(node.expression, scope).sql
        return Expr(call("xor", a, b), "int", True)

    def _not(self, node: Any, scope: Scope) -> Expr:
        return Expr(f"(NOT {self.true(node.this, scope)})", "int", True)

    predicate_handlers: ClassVar[dict[type, Callable[[Any, Any, Scope], Expr]]] = {
        exp.Not: _not,
        exp.And: _logic,
        exp.Or: _logic,
        exp.Xor: _xor,
        exp.Is: _is,
        exp.Like: _like,
        exp.Escape: lambda self, node, scope: self.emit(node.this, scope),
        exp.RegexpLike: _regexp,
        exp.Between: _between,
        exp.In: _in,
        exp.Exists: _exists,
    }


def _width(node: Any) -> int:
    """How many values a row constructor has; 0 for what is none."""
    row = isinstance(node, exp.Anonymous) and node.name.upper() == "ROW"
    return len(node.expressions) if row or isinstance(node, exp.Tuple) else 0
