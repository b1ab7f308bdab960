"""SQLite as the engine below: one in-memory connection that knows MySQL's functions, with limits.

Nothing that an agent writes reaches SQLite as it is: only what the compiler emits does. ATTACH is off
by limit, extensions cannot be loaded, and no file function exists.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from . import values
from .aggregates import Aggregate
from .collation import collate
from .comparison import sort_key, truth
from .errors import SqlError
from .functions import FUNCTIONS
from .internals import INTERNAL
from .plan import Plan
from .results import Result, show
from .values import MAX_PACKET, Raw, Value, decode, encode, statement

#: A statement may take so many of SQLite's operations, and so many seconds of the clock.
MAX_OPERATIONS = 40_000_000
MAX_SECONDS = 10.0
#: The process may grow by so much while a statement runs.
MAX_GROWTH = 512 * 2**20
#: Pages of 4 KiB that a database may have.
MAX_PAGES = 16_384
T = TypeVar("T")
_STEP = 2_000  # operations between two looks at the limits
_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def _resident() -> int:
    """Bytes of memory that the process holds; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def _call(name: str, *raw: Raw) -> Raw:
    """SQLite's `f`: any of MySQL's functions by name."""
    try:
        function = FUNCTIONS.get(name)
        if function is None:
            return encode(INTERNAL[name](*map(decode, raw)))
        if function.strict and None in raw:
            return None
        return encode(function.call(*map(decode, raw)))
    except SqlError as error:
        statement.error = error
        raise
    except (ValueError, OverflowError, ArithmeticError) as error:
        statement.error = SqlError(1690, "DOUBLE", f"{name}: {error}"[:80])
        raise


def _key(raw: Raw) -> Raw:
    return sort_key(decode(raw))


def _truth(raw: Raw) -> Raw:
    if type(raw) is int:
        return int(raw != 0)
    try:
        return truth(decode(raw))
    except SqlError as error:
        statement.error = error
        raise


class Engine:
    """A connection with an image in it. Not thread-safe; owned by one database at a time."""

    def __init__(self, image: bytes | None = None) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if image is not None:
            self._connection.deserialize(image)
        connection = self._connection
        connection.create_function("f", -1, _call, deterministic=True)
        connection.create_function("k", 1, _key, deterministic=True)
        connection.create_function("truth", 1, _truth, deterministic=True)
        connection.create_window_function("a", -1, Aggregate)
        connection.create_collation("mysql", collate)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * MAX_PACKET)
        connection.execute(f"PRAGMA max_page_count={MAX_PAGES}")

    def image(self) -> bytes:
        """The database as bytes."""
        return self._connection.serialize()

    def close(self) -> None:
        self._connection.close()

    def run(self, plan: Plan) -> Result:
        """Run a compiled statement; a refused one changes nothing. Raises SqlError."""
        if plan.query is not None:
            width, sql = len(plan.query.columns), plan.query.sql
            return self._limited(plan, lambda: show(self._rows(sql, width)))
        self._limited(plan, lambda: self._write(plan))
        return Result("[]", changed=True)

    def query(self, plan: Plan) -> list[tuple[Value, ...]]:
        """All rows of a compiled query, uncut. Raises SqlError."""
        assert plan.query is not None
        width, sql = len(plan.query.columns), plan.query.sql
        return self._limited(plan, lambda: list(self._rows(sql, width)))

    def _limited(self, plan: Plan, work: Callable[[], T]) -> T:
        """Do some work under the limits; what SQLite says of it becomes what MySQL would say."""
        statement.strict, statement.error, statement.draws = plan.strict, None, 0
        limit = _Limit()
        self._connection.set_progress_handler(limit, _STEP)
        try:
            return work()
        except (sqlite3.Error, MemoryError, OverflowError, ValueError) as error:
            raise self._told(error, plan, limit) from None
        finally:
            statement.strict = False
            self._connection.set_progress_handler(None, 0)

    def _rows(self, sql: str, width: int) -> Iterator[tuple[Value, ...]]:
        for row in self._connection.execute(sql):
            yield tuple(map(decode, row[:width]))

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

    def _told(self, error: Exception, plan: Plan, limit: _Limit) -> SqlError:
        """What MySQL would say to an error of SQLite's."""
        if statement.error is not None:
            return statement.error
        said = str(error)
        if "interrupted" in said:
            if limit.memory:
                return SqlError(1114, "#sql_temporary")
            return SqlError(3636) if plan.recursive else SqlError(3024)
        if "database or disk is full" in said:
            return SqlError(1114, "#sql_table")
        if said.startswith("UNIQUE constraint failed") and plan.unique:
            return self._duplicate(said, plan)
        if "too big" in said or isinstance(error, MemoryError):
            return SqlError(1153)
        return SqlError(1105, said)

    def _duplicate(self, said: str, plan: Plan) -> SqlError:
        tail = said.rpartition("_")[2].rstrip("'")
        at = int(tail) if tail.isdigit() else 0
        name, columns = plan.unique[min(at, len(plan.unique) - 1)]
        stored = values.statement.stored
        return SqlError(1062, "-".join(stored.get(c, "") for c in columns), name)


class _Limit:
    """A progress handler that stops a statement at its limits; `memory` tells at which."""

    def __init__(self) -> None:
        self._left = MAX_OPERATIONS // _STEP
        self._until = time.monotonic() + MAX_SECONDS
        self._start: int | None = None
        self.memory = False

    def __call__(self) -> int:
        self._left -= 1
        if self._start is None:
            self._start = _resident()
        elif self._left % 16 == 0:
            self.memory = _resident() - self._start > MAX_GROWTH
        return int(self._left <= 0 or self.memory or time.monotonic() > self._until)
