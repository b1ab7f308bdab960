"""What a statement answers, and how AgentBench shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import SqlError
from .values import Value

#: AgentBench shows so many characters of an answer.
SHOWN = 800
CUT = "[TRUNCATED]"


@dataclass(frozen=True, slots=True)
class Result:
    """shown: what the agent is told. error: MySQL's number where the statement was refused.

    rows: how many a query gave. changed: the statement may have changed the database.
    """

    shown: str
    error: int | None = None
    rows: int = 0
    changed: bool = False


def refused(error: SqlError) -> Result:
    return Result(_cut(str(error)), error.number)


def show(rows: Iterable[tuple[Value, ...]], changed: bool = False) -> Result:
    """`str(list of tuples)`, cut. Rows beyond the cut are counted, and not kept."""
    parts: list[str] = []
    size = count = 0
    for row in rows:
        count += 1
        if size <= SHOWN:
            parts.append(_tuple(row))
            size += len(parts[-1]) + 2
    return Result(_cut(f"[{', '.join(parts)}]"), None, count, changed)


def _tuple(row: tuple[Value, ...]) -> str:
    """`str(row)`; a value longer than what is shown is cut before it is written out."""
    short = tuple(v[: SHOWN + 1] if isinstance(v, str | bytes) else v for v in row)
    plain = tuple(str(v) if isinstance(v, str) else v for v in short)
    return str(plain)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + CUT
