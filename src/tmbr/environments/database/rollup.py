"""GROUP BY … WITH ROLLUP: the groups, and the groups of these by fewer and fewer keys."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from sqlglot import exp

from .emitter import Expr
from .errors import SqlError
from .grouping import Grouping
from .parts import Parts
from .scope import Query, Scope


class Rollup(Grouping):
    """Emits one query for each number of keys that are kept, and puts their rows in MySQL's order."""

    @abstractmethod
    def parts(self, tree: Any, parent: Scope | None, kept: int | None = None) -> Parts: ...

    @abstractmethod
    def order_keys(self, tree: Any, made: Parts) -> list[tuple[str, str]]: ...

    @abstractmethod
    def limit(self, tree: Any) -> str: ...

    def is_rolled(self, tree: Any) -> bool:
        group = tree.args.get("group")
        return group is not None and bool(group.args.get("rollup"))

    def rolled(self, tree: Any, parent: Scope | None) -> Query:
        if any(isinstance(node, exp.Window) for node in tree.walk()):
            raise SqlError(1235, "window functions WITH ROLLUP")
        keys = len(tree.args["group"].expressions)
        levels = [self.parts(tree, parent, kept) for kept in range(keys, -1, -1)]
        ordered = tree.args.get("order") is not None
        sides = [self._level(tree, made, ordered) for made in levels]
        count = len(self.order_keys(tree, levels[0])) if ordered else keys * 2
        ways = [way for _, way in self.order_keys(tree, levels[0])] if ordered else [""] * count
        order = ",".join(f"o{i}{way}" for i, way in enumerate(ways))
        columns = levels[0].columns
        names = ",".join(f"c{i}" for i in range(len(columns)))
        made = f"SELECT {names} FROM ({' UNION ALL '.join(sides)}) ORDER BY {order}"
        if levels[0].distinct:
            made = f"SELECT DISTINCT * FROM ({made})"
        return Query(f"SELECT * FROM ({made}){self.limit(tree)}", columns)

    def _level(self, tree: Any, made: Parts, ordered: bool) -> str:
        """The groups of so many keys, with what they are put in order by."""
        if ordered:
            keys = [f"k({key})" for key, _ in self.order_keys(tree, made)]
        else:
            assert made.scope.keys is not None
            kept = made.scope.kept or 0
            keys = [
                part
                for at, key in enumerate(made.scope.keys)
                for part in (str(int(at >= kept)), f"k({key})" if at < kept else "NULL")
            ]
        return made.sql("", [f"{key} AS o{i}" for i, key in enumerate(keys)])

    def grouping(self, arguments: list[Any], scope: Scope) -> Expr:
        """GROUPING: a bit for each argument that is rolled up."""
        number = 0
        for node in arguments:
            found = self.emit(node, replace(scope, keys=None, inside=True)).sql
            if found not in (scope.keys or []):
                raise SqlError(3602, scope.place[0])
            number = number * 2 + scope.rolled_up(found)
        return Expr(str(number), "int")
