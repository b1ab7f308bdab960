"""UNION, INTERSECT and EXCEPT."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from sqlglot import exp

from . import kinds
from .emitter import Emitter, Expr
from .errors import SqlError
from .scope import Output, Query, Scope
from .sqlite_text import call

#: What NULL is told apart by where NULL equals NULL.
_NULL = "004e554c4c00"


class SetOperations(Emitter):
    """Emits two queries as one."""

    @abstractmethod
    def tail(self, tree: Any, columns: tuple[Output, ...]) -> str:
        """ORDER BY and LIMIT over a whole query."""

    def set_operation(self, tree: Any, scope: Scope | None) -> Query:
        left, right = self.query(tree.this, scope), self.query(tree.expression, scope)
        if len(left.columns) != len(right.columns):
            raise SqlError(1222)
        columns = tuple(
            Output(a.name, f"c{i}", kinds.merge([a.kind, b.kind]))
            for i, (a, b) in enumerate(zip(left.columns, right.columns, strict=True))
        )
        distinct, union = bool(tree.args.get("distinct")), type(tree) is exp.Union
        sides = [self._converted(side, columns, distinct) for side in (left, right)]
        if not union and not distinct:
            raise SqlError(1235, "INTERSECT ALL and EXCEPT ALL")
        made = " UNION ALL ".join(sides) if union else _matched(tree.key, sides, len(columns))
        if distinct:  # of equal values the first is shown
            made = f"SELECT DISTINCT * FROM ({made})"
        tail = self.tail(tree, columns)
        return Query(f"SELECT * FROM ({made}){tail}", columns)

    def _converted(self, side: Query, columns: tuple[Output, ...], distinct: bool) -> str:
        """One side of a UNION, its columns of the kinds that both sides make."""
        parts = []
        for i, (old, new) in enumerate(zip(side.columns, columns, strict=True)):
            kind = "double" if kinds.is_double(old.kind) else old.kind
            if new.kind == "text" and kind.startswith("decimal."):  # all the digits that it has
                kind = "any"
            made = self.as_kind(Expr(f"c{i}", kind), new.kind)
            if new.kind.startswith("decimal."):
                made = call("fix", made, str(kinds.scale(new.kind)))
            collated = " COLLATE mysql" if distinct and new.kind in ("text", "any") else ""
            parts.append(f"{made}{collated} AS c{i}")
        return f"SELECT {','.join(parts)} FROM ({side.sql})"


def _matched(key: str, sides: list[str], width: int) -> str:
    """INTERSECT and EXCEPT: the rows of the left side that the right one has, or has not."""
    keys = ",".join(f"IFNULL(k(c{i}),x'{_NULL}')" for i in range(width))
    word = "IN" if key == "intersect" else "NOT IN"
    return f"SELECT * FROM ({sides[0]}) WHERE ({keys}) {word} (SELECT {keys} FROM ({sides[1]}))"
