"""The clauses of one SELECT in SQLite's SQL, before they are put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .scope import Output, Scope
from .sqlite_text import call


@dataclass(frozen=True, slots=True)
class Parts:
    """tables: FROM. filters: WHERE. after: HAVING, where the query has it."""

    scope: Scope
    tables: str
    filters: Sequence[str]
    after: str | None
    columns: tuple[Output, ...]
    distinct: bool = False

    @property
    def counter(self) -> str | None:
        """The hidden column of a recursive table, which counts the rounds."""
        return next((source.counter for source in self.scope.sources if source.counter), None)

    def sql(self, tail: str, hidden: Sequence[str] = ()) -> str:
        """tail: ORDER BY and LIMIT. hidden: columns beside those that are shown."""
        shown = [f"{self._shown(column)} AS c{i}" for i, column in enumerate(self.columns)]
        if self.counter is not None:
            shown.append(f"{call('depth', self.counter)} AS d")
        filters = [*self.filters, *self._held()]
        sql = f"SELECT {'DISTINCT ' if self.distinct else ''}{','.join((*shown, *hidden))}"
        sql += f" FROM {self.tables}" if self.tables else ""
        sql += f" WHERE {' AND '.join(filters)}" if filters else ""
        return sql + self._grouped() + tail

    def _shown(self, column: Output) -> str:
        text = column.kind in ("text", "any")
        return f"{column.sql} COLLATE mysql" if self.distinct and text else column.sql

    def _held(self) -> list[str]:
        """A join may have to hold its rows: what they may hold is counted."""
        if len(self.scope.sources) < 2 or not self.scope.used:
            return []
        return [f"held({','.join(f'LENGTH({column})' for column in sorted(self.scope.used))})"]

    def _grouped(self) -> str:
        scope = self.scope
        if scope.keys is None:
            return ""
        having = f" HAVING {self.after}" if self.after is not None else ""
        if not scope.explicit:
            return having
        keys = [f"k({key})" for key in scope.keys[: scope.kept]]
        return f" GROUP BY {','.join(keys) if keys else chr(39) + 'all' + chr(39)}{having}"
