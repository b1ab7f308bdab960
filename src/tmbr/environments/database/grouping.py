"""GROUP BY: what a query is grouped by, and whether it is aggregated at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from .emitter import Emitter
from .errors import SqlError
from .scope import Output, Scope


class Grouping(Emitter):
    """Reads GROUP BY."""

    def group(self, tree: Any, scope: Scope, items: list[tuple[str, Any]]) -> None:
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
        if any(group.args.get(key) for key in ("cube", "grouping_sets", "totals", "all")):
            raise self.refuse(group)
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
