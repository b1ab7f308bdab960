"""The same statement on the embedded database and on a real server: do they answer alike?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tmbr.environments.database import Embedded, Table, quoted
from tmbr.environments.database.errors import SqlError

WRITES = ("insert", "update", "delete", "replace")


@dataclass(frozen=True, slots=True)
class Answer:
    """rows: as they are printed; sorted where no order is asked. error: its number."""

    rows: tuple[str, ...] = ()
    error: int | None = None


def printed(rows: Any, ordered: bool) -> tuple[str, ...]:
    shown = [repr(tuple(row)) for row in rows]
    return tuple(shown if ordered else sorted(shown))


class Pair:
    """One table on both sides."""

    def __init__(self, connection: Any, table: Table) -> None:
        self.cursor = connection.cursor()
        self.connection = connection
        self.table = table
        self.ours = Embedded.of([table])
        name, names = quoted(table.name), [quoted(column) for column in table.columns]
        self.cursor.execute("DROP DATABASE IF EXISTS dbbench")
        self.cursor.execute("CREATE DATABASE dbbench")
        self.cursor.execute("USE dbbench")
        self.cursor.execute(f"CREATE TABLE {name} ({', '.join(f'{c} TEXT' for c in names)})")
        marks = ", ".join(["%s"] * len(names))
        if table.rows:
            self.cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", table.rows)

    def both(self, sql: str, ordered: bool) -> tuple[Answer, Answer]:
        if sql.split(None, 1)[0].lower() in WRITES:
            return self._wrote(sql)
        return self._asked(sql, ordered), self._ours(sql, ordered)

    def _ours(self, sql: str, ordered: bool) -> Answer:
        try:
            return Answer(printed(self.ours.rows(sql), ordered))
        except SqlError as error:
            return Answer(error=error.number)

    def _asked(self, sql: str, ordered: bool) -> Answer:
        import pymysql

        try:
            self.cursor.execute(sql)
            return Answer(printed(self.cursor.fetchall(), ordered))
        except pymysql.MySQLError as error:
            return Answer(error=error.args[0])

    def _wrote(self, sql: str) -> tuple[Answer, Answer]:
        """What the whole table holds after a write, which is then taken back."""
        import pymysql

        look = f"SELECT * FROM {quoted(self.table.name)}"
        self.cursor.execute("START TRANSACTION")
        try:
            self.cursor.execute(sql)
            theirs = self._asked(look, ordered=True)
        except pymysql.MySQLError as error:
            theirs = Answer(error=error.args[0])
        self.cursor.execute("ROLLBACK")
        fork = self.ours.fork()
        error_number = fork.execute(sql).error
        ours = (
            Answer(error=error_number)
            if error_number
            else Answer(printed(fork.rows(look), ordered=True))
        )
        fork.close()
        return theirs, ours
