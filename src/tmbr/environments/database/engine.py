"""SQLite as the engine below: one in-memory connection that knows MySQL's functions, with limits.

Nothing that an agent writes reaches SQLite as it is: only what the compiler emits does. ATTACH is off
by limit, extensions cannot be loaded, and no file function exists.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from . import callbacks, kinds
from .aggregates import Aggregate
from .errors import SqlError
from .operators import fix
from .plan import Plan
from .results import Result, show
from .running import CALL, MAX_STEPS, statement
from .scope import Query
from .values import MAX_PACKET, Raw, Value, decode

#: Should a statement's steps ever be slow, the clock ends it after so many seconds.
MAX_SECONDS = 60.0
#: Pages of 4 KiB that a database may have.
MAX_PAGES = 16_384
T = TypeVar("T")
_STEP = 2_000  # operations between two looks at the limits


class Engine:
    """A connection with an image in it; one statement runs on it at a time."""

    def __init__(self, image: bytes | None = None) -> None:
        self._turn = threading.Lock()
        # Without a cache of statements: a cached one begins to count where it ended.
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=0
        )
        if image is not None:
            self._connection.deserialize(image)
        connection = self._connection
        connection.create_function("f", -1, callbacks.function, deterministic=True)
        connection.create_function("v", -1, callbacks.function)
        connection.create_function("k", 1, callbacks.key, deterministic=True)
        connection.create_function("truth", 1, callbacks.condition, deterministic=True)
        connection.create_function("held", -1, callbacks.held)
        connection.create_window_function("a", -1, Aggregate)
        connection.create_collation("mysql", callbacks.collated)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * MAX_PACKET)
        connection.execute(f"PRAGMA max_page_count={MAX_PAGES}")
        connection.execute("PRAGMA temp_store=MEMORY")

    def image(self) -> bytes:
        """The database as bytes."""
        return self._connection.serialize()

    def close(self) -> None:
        self._connection.close()

    def run(self, plan: Plan) -> Result:
        """Run a compiled statement; a refused one changes nothing. Raises SqlError."""
        if plan.query is not None:
            query = plan.query
            made = self._limited(plan, lambda: show(self._rows(query)))
            if plan.single and made.rows > 1:
                raise SqlError(1172)
            return Result("[]") if plan.silent else made
        self._limited(plan, lambda: self._write(plan))
        return Result("[]", changed=True)

    def query(self, plan: Plan) -> list[tuple[Value, ...]]:
        """All rows of a compiled query, uncut. Raises SqlError."""
        assert plan.query is not None
        query = plan.query
        return self._limited(plan, lambda: list(self._rows(query)))

    def _limited(self, plan: Plan, work: Callable[[], T]) -> T:
        """Do some work under the limits; what SQLite says of it becomes what MySQL would say."""
        with self._turn:
            statement.begin(plan.strict)
            self._connection.set_progress_handler(_Limit(), _STEP)
            return self._tried(plan, work)

    def _tried(self, plan: Plan, work: Callable[[], T]) -> T:
        try:
            return work()
        except (sqlite3.Error, MemoryError, OverflowError, ValueError) as error:
            raise self._told(error, plan) from None
        finally:
            statement.strict = False
            self._connection.set_progress_handler(None, 0)

    def _rows(self, query: Query) -> Iterator[tuple[Value, ...]]:
        """The rows as they are shown: of decimals and of some doubles so many digits."""
        width = len(query.columns)
        cut = {i: kinds.digits(c.kind) for i, c in enumerate(query.columns) if "." in c.kind}
        for raw in self._connection.execute(query.sql):
            statement.charge(CALL + callbacks.size(raw))
            row = list(map(decode, raw[:width]))
            for i, digits in cut.items():
                row[i] = fix(row[i], digits or 0)
            yield tuple(row)

    def _write(self, plan: Plan) -> None:
        self._connection.execute("BEGIN")
        try:
            for sql in plan.writes:
                self._connection.execute(sql)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def rows(self, sql: str, parameters: tuple[Raw, ...] = ()) -> list[tuple[Raw, ...]]:
        """For the world's own use: filling and reading tables."""
        return self._connection.execute(sql, parameters).fetchall()

    def fill(self, sql: str, rows: list[tuple[str, ...]]) -> None:
        self._connection.executemany(sql, rows)

    def _told(self, error: Exception, plan: Plan) -> SqlError:
        """What MySQL would say to an error of SQLite's."""
        said, known = str(error), statement.error
        if plan.recursive and ("interrupted" in said or (known is not None and known.number == 3024)):
            return SqlError(3636)
        if known is not None:
            return known
        if "interrupted" in said:
            return SqlError(3024)
        if "database or disk is full" in said:
            return SqlError(1114, "#sql_table")
        if said.startswith("UNIQUE constraint failed") and plan.unique:
            return self._duplicate(said, plan)
        if "too many columns" in said:
            return SqlError(1117)
        if "too big" in said or isinstance(error, MemoryError):
            return SqlError(1153)
        return SqlError(1105, said)

    def _duplicate(self, said: str, plan: Plan) -> SqlError:
        tail = said.rpartition("_")[2].rstrip("'")
        at = int(tail) if tail.isdigit() else 0
        name, columns = plan.unique[min(at, len(plan.unique) - 1)]
        return SqlError(1062, "-".join(statement.stored.get(c, "") for c in columns), name)


class _Limit:
    """A progress handler that stops a statement at its limits."""

    def __init__(self) -> None:
        self._until = time.monotonic() + MAX_SECONDS

    def __call__(self) -> int:
        statement.steps += _STEP
        return int(statement.steps > MAX_STEPS or time.monotonic() > self._until)
