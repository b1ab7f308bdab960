"""Tables as a world starts with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .results import Result


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts; every row has a value for each column."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Database(Protocol):
    """A live database of one episode, whichever server answers."""

    def execute(self, sql: str) -> Result: ...

    def fork(self) -> Database: ...

    def state_key(self) -> str: ...

    def close(self) -> None: ...


def quoted(name: str) -> str:
    """A name as MySQL reads it."""
    return "`" + name.replace("`", "``") + "`"


def fingerprint(database: Database, table: str, columns: Sequence[str]) -> str | None:
    """The hash of a table by which AgentBench scores a write (AgentBench
    src/server/tasks/dbbench/result_processor.py); None where the table or a column is gone.

    Rows are joined by commas and hashed to five digits; these are sorted, joined and hashed again. As
    on a server with its default `group_concat_max_len`, only the first 1,024 characters of them count.
    """
    row = f"SUBSTRING(MD5(CONCAT_WS(',',{','.join(map(quoted, columns))})),1,5)"
    rows = f"(SELECT {row} AS h FROM {quoted(table)}) AS r"
    told = database.execute(f"SELECT MD5(GROUP_CONCAT(h ORDER BY h)) FROM {rows}")
    return None if told.error else told.shown.strip("[](),'")
