"""The default backend: a MySQL that lives in the process, and forks by sharing its image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tmbr.core.errors import ConfigError

from .catalog import Catalog, Column, check_name
from .engine import Engine
from .errors import SqlError, syntax_error
from .plan import Plan
from .results import Result, refused
from .running import statement
from .tables import Table
from .values import Value


@dataclass(slots=True)
class _Shared:
    """What forks have in common: an image, and a connection to it through which all of them read."""

    image: bytes
    engine: Engine | None = None

    def reader(self) -> Engine:
        if self.engine is None:
            self.engine = Engine(self.image)
        return self.engine


@cache
def _compiler() -> Callable[[str, Catalog], Any]:
    """Raises ConfigError where sqlglot is not installed."""
    try:
        from .statements import compile_statement
    except ModuleNotFoundError as error:
        if error.name != "sqlglot":
            raise
        raise ConfigError("the database needs sqlglot: pip install 'tmbr[db]'") from None
    return compile_statement


class Embedded:
    """A database in SQLite that answers as MySQL does. A fork costs a reference; whoever writes first
    after it gets a copy of the image."""

    __slots__ = ("_own", "_shared", "catalog")

    def __init__(self, catalog: Catalog, shared: _Shared) -> None:
        self.catalog = catalog
        self._shared = shared
        self._own: Engine | None = None

    @classmethod
    def of(cls, tables: Sequence[Table]) -> Embedded:
        """A database with these tables, all columns TEXT. Raises SqlError for names or rows that MySQL
        refuses."""
        catalog, engine = Catalog(), Engine()
        for table in tables:
            if table.name in catalog.tables:
                continue
            check_name(table.name, 1103)
            made = catalog.new_table(table.name, tuple(map(Column, table.columns)))
            names = ",".join(f"c{i}" for i in range(len(table.columns)))
            engine.rows(f"CREATE TABLE {made.physical}({names})")
            for number, row in enumerate(table.rows, 1):
                if len(row) != len(table.columns):
                    raise SqlError(1136, number)
            marks = ",".join("?" * len(table.columns))
            engine.fill(f"INSERT INTO {made.physical} VALUES ({marks})", [*table.rows])
            catalog = catalog.with_table(made)
        return cls(catalog, _Shared(engine.image(), engine))

    def execute(self, sql: str) -> Result:
        """Run one statement. Whatever is wrong with it is in the result."""
        try:
            plan = self._plan(sql.encode("utf-8", "replace").decode())
            statement.variables = dict(self.catalog.variables)
            result = self._run(plan)
        except SqlError as error:
            return refused(error)
        except RecursionError:
            return refused(SqlError(1436))
        if plan.catalog is not None:
            self.catalog = plan.catalog
        if plan.assigns:
            self.catalog = replace(self.catalog, variables=statement.variables)
        return result

    def _plan(self, sql: str) -> Plan:
        """Raises SqlError. sqlglot's trees have forms without end, of which some hold what no handler
        expects: these are refused like any other that MySQL's grammar has not."""
        compile_ = _compiler()
        try:
            plan: Plan = compile_(sql, self.catalog)
        except (AttributeError, TypeError, LookupError, ValueError, AssertionError):
            raise syntax_error(sql, 0) from None
        return plan

    def _run(self, plan: Plan) -> Result:
        if plan.query is not None:
            return (self._own or self._shared.reader()).run(plan)
        if not plan.writes:
            return Result("[]")
        if self._own is None:
            self._own = Engine(self._shared.image)
        return self._own.run(plan)

    def rows(self, sql: str) -> list[tuple[Value, ...]]:
        """All rows of a query, as they are. Raises SqlError."""
        plan = self._plan(sql)
        statement.variables = dict(self.catalog.variables)
        return (self._own or self._shared.reader()).query(plan)

    def fork(self) -> Embedded:
        if self._own is not None:
            self._shared = _Shared(self._own.image(), self._own)
            self._own = None
        return Embedded(self.catalog, self._shared)

    def state_key(self) -> str:
        """A hash of all tables and rows, in their order."""
        engine = self._own or self._shared.reader()
        rows: list[object] = [
            (t.name, t.columns, t.view or engine.rows(
                f"SELECT {','.join(map(t.sql, range(len(t.columns))))} FROM {t.physical}"))
            for t in sorted(self.catalog.tables.values(), key=lambda t: t.name)
        ]  # fmt: skip
        rows.append(sorted(self.catalog.variables.items()))
        return hashlib.sha256(repr(rows).encode("utf-8", "replace")).hexdigest()[:16]

    def close(self) -> None:
        """Drop the copy that is its own; what forks share lives on with them."""
        if self._own is not None:
            self._own.close()
            self._own = None
