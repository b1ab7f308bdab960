"""What all parts of the compiler share: an expression in SQLite's SQL, and who emits it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from . import kinds
from .aggregates import AGGREGATES
from .catalog import DATABASE, Catalog
from .errors import SqlError, syntax_error
from .scope import Query, Scope
from .sqlite_text import call, quote


@dataclass(frozen=True, slots=True)
class Expr:
    """SQL for SQLite, and the kind of what it gives. truth: it is 0, 1 or NULL already."""

    sql: str
    kind: str
    truth: bool = False


class Emitter(ABC):
    """The base of the compiler's parts. `emit` and `query` are what the others build on."""

    source = ""
    database = DATABASE
    catalog = Catalog()
    assigns = False  # whether the statement sets variables

    @abstractmethod
    def emit(self, node: Any, scope: Scope) -> Expr:
        """Raises SqlError for what MySQL would refuse."""

    @abstractmethod
    def query(self, tree: Any, scope: Scope | None) -> Query:
        """A query that stands in another. Raises SqlError."""

    @abstractmethod
    def grouping(self, arguments: list[Any], scope: Scope) -> Expr:
        """Which of some expressions are rolled up."""

    def true(self, node: Any, scope: Scope) -> str:
        """As a condition."""
        made = self.emit(node, scope)
        if made.truth:
            return made.sql
        return f"truth({made.sql})"

    def text(self, node: Any, scope: Scope) -> str:
        """An argument that is shown: a decimal is rounded to what is shown of it."""
        return self.argument(self.emit(node, scope))

    def argument(self, made: Expr) -> str:
        if made.kind.startswith("decimal."):
            return call("fix", made.sql, str(kinds.scale(made.kind)))
        return self.shown(made)

    def shown(self, made: Expr) -> str:
        """A number of which so many digits are shown, as text; anything else as it is."""
        if not made.kind.startswith(("decimal.", "double.")):
            return made.sql
        return call("shown", made.sql, str(kinds.digits(made.kind)))

    def as_kind(self, made: Expr, kind: str) -> str:
        """A branch as what all branches are; a decimal is rounded to what is shown of it."""
        if made.kind == "null" or kind in ("any", "int", "uint", "exact", "null", "date", "time"):
            return made.sql
        if made.kind == kind and not kind.startswith("decimal."):
            return made.sql
        if kind == "text":
            return call("to_kind", self.shown(made), quote("text"))
        return call("to_kind", made.sql, quote(kind.partition(".")[0]))

    def is_aggregate(self, node: Any) -> bool:
        if isinstance(node.parent, exp.Window) and node.arg_key == "this":
            return False
        if isinstance(node, exp.GroupConcat):
            return True
        return isinstance(node, exp.Anonymous) and node.name.lower() in AGGREGATES

    def refuse(self, node: Any) -> SqlError:
        """1064 at the first name or literal of a node that MySQL's grammar has not."""
        parts = node.walk() if isinstance(node, exp.Expression) else ()
        starts = [part.meta["start"] for part in parts if "start" in part.meta]
        return syntax_error(self.source, min(starts, default=0))
