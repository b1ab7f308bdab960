"""The production backend: a real MySQL or MariaDB server by URL, one database an episode.

A fork clones the episode's database, since DDL would break savepoints. The user in the URL should have
rights on databases named `tmbr\\_%` alone: what an agent writes runs as it is written.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from tmbr.core.errors import ConfigError, EnvironmentFault

from .catalog import DATABASE
from .errors import ERRORS, SqlError
from .results import Result, refused, show
from .tables import Table, quoted

#: The server stops a statement after so many seconds.
MAX_SECONDS = 10.0
T = TypeVar("T")
#: The client's numbers for a connection that is gone.
_LOST = (0, 2006, 2013, 2055)


def connect(url: str) -> Any:
    """A connection to `mysql://user:password@host:port`. Raises ConfigError, which never tells the
    password."""
    try:
        import pymysql
    except ModuleNotFoundError:
        raise ConfigError("a MySQL server needs pymysql: pip install 'tmbr[db]'") from None
    form = "give it as mysql://USER:PASSWORD@HOST:PORT"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 3306
    except ValueError:
        raise ConfigError(f"the database URL cannot be read; {form}") from None
    if parts.scheme not in ("mysql", "mariadb") or not host or not parts.username:
        raise ConfigError(f"the database URL is not of a MySQL server; {form}")
    user = unquote(parts.username)
    try:
        made = pymysql.connect(
            host=host, port=port, user=user, password=unquote(parts.password or ""), autocommit=True,
            charset="utf8mb4", connect_timeout=10, local_infile=False,
        )  # fmt: skip
    except pymysql.MySQLError as error:
        number = error.args[0] if error.args else 0
        if number == 1045:
            raise ConfigError(f"{host}:{port} refuses {user!r}: wrong user or password") from None
        raise ConfigError(f"no MySQL server answers at {host}:{port} (error {number})") from None
    _settle(made)
    return made


def _settle(connection: Any) -> None:
    """AgentBench's settings, and a limit on a statement's time, which the two servers name apart."""
    import pymysql

    with connection.cursor() as cursor:
        cursor.execute("SET SESSION group_concat_max_len = 1024")
        cursor.execute(
            "SET SESSION sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,"
            "NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
        )
        try:
            cursor.execute(f"SET SESSION max_statement_time = {MAX_SECONDS}")
        except pymysql.MySQLError:
            cursor.execute(f"SET SESSION max_execution_time = {int(MAX_SECONDS * 1000)}")


class Server:
    """An episode's database on a server."""

    __slots__ = ("_connection", "_name", "_url")

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = connect(url)
        self._name = f"tmbr_{uuid.uuid4().hex[:12]}"
        self._own(f"CREATE DATABASE {self._name} CHARACTER SET utf8mb4")
        self._own(f"USE {self._name}")

    @classmethod
    def of(cls, url: str, tables: Sequence[Table]) -> Server:
        """A database with these tables, all columns TEXT. Raises ConfigError where the server cannot be
        reached, SqlError for names or rows that it refuses."""
        import pymysql

        made = cls(url)
        try:
            for table in tables:
                names = ",".join(f"{quoted(column)} TEXT" for column in table.columns)
                made._own(f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} ({names})")
                marks = ",".join(["%s"] * len(table.columns))
                with made._connection.cursor() as cursor:
                    cursor.executemany(f"INSERT INTO {quoted(table.name)} VALUES ({marks})", table.rows)
        except pymysql.MySQLError as error:
            made.close()
            raise made._error(error) from None
        return made

    def execute(self, sql: str) -> Result:
        """Run one statement; what the server says is the result, with the database called `dbbench`."""
        import pymysql
        from pymysql.cursors import SSCursor

        try:
            with closing(self._connection.cursor(SSCursor)) as cursor:
                cursor.execute(sql.encode("utf-8", "replace").decode())
                changed = cursor.description is None
                return show(() if changed else iter(cursor.fetchone, None), changed)
        except pymysql.MySQLError as error:
            return refused(self._error(error))

    def _error(self, error: Exception) -> SqlError:
        """Raises EnvironmentFault where the server is gone."""
        number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if number in _LOST:
            raise EnvironmentFault(
                f"the database server is gone (error {number}); is it still running?"
            )
        said = str(error.args[1]).replace(self._name, DATABASE) if len(error.args) > 1 else ""
        state = ERRORS[number][0] if number in ERRORS else "HY000"
        return SqlError(number, state=state, text=said or "Unknown error")

    def _own(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def _kept(self, work: Callable[[], T]) -> T:
        """Do the world's own work on the server. Raises EnvironmentFault where it fails."""
        import pymysql

        try:
            return work()
        except pymysql.MySQLError as error:
            raise EnvironmentFault(f"the database server failed (error {error.args[0]})") from None

    def _tables(self) -> list[tuple[str, bool]]:
        """(name, whether it is a view), tables first."""
        found = self._kept(lambda: self._own(f"SHOW FULL TABLES FROM {self._name}"))
        return sorted(((str(name), kind == "VIEW") for name, kind in found), key=lambda pair: pair[1])

    def fork(self) -> Server:
        return self._kept(self._clone)

    def _clone(self) -> Server:
        copy = Server(self._url)
        for name, view in self._tables():
            if view:
                body = str(self._own(f"SHOW CREATE VIEW {self._name}.{quoted(name)}")[0][1])
                copy._own(body.replace(self._name, copy._name))
                continue
            there = f"{self._name}.{quoted(name)}"
            copy._own(f"CREATE TABLE {quoted(name)} LIKE {there}")
            copy._own(f"INSERT INTO {quoted(name)} SELECT * FROM {there}")
        return copy

    def state_key(self) -> str:
        """A hash of all tables and rows, in their order."""
        names = [f"{self._name}.{quoted(name)}" for name, _ in self._tables()]
        rows = self._kept(lambda: [self._own(f"SELECT * FROM {name}") for name in names])
        told = repr([names, rows]).replace(self._name, DATABASE)
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]

    def close(self) -> None:
        """Drop the episode's database; a server that is gone has nothing to drop."""
        import pymysql

        with suppress(pymysql.MySQLError):
            self._own(f"DROP DATABASE IF EXISTS {self._name}")
        with suppress(pymysql.MySQLError):
            self._connection.close()
