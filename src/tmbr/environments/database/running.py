"""The statement that runs: its mode, its variables, and what it has used of what it may.

All limits count what the statement itself does, so that the same statement on the same rows ends at the
same point on any machine, whatever else runs beside it.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from .errors import SqlError

#: A statement may take so many steps. An operation of SQLite's is a step, so is a character that one
#: of our functions reads, and a call of it is `CALL`.
MAX_STEPS = 40_000_000
CALL = 40
#: Characters that our functions give and rows that joins, aggregates and windows hold, all added up.
MAX_SIZE = 256 * 2**20
#: What a row is counted as beside its texts.
ROW = 64


class Statement(threading.local):
    """What the running statement is: whether a bad conversion is an error (MySQL's strict mode, in
    statements that write), which error a function raised, how often RAND was drawn, what was last
    stored in each column, the session's variables, and what was used."""

    def __init__(self) -> None:
        self.now = datetime(2024, 1, 1, 12, 0, 0)
        self.variables: dict[str, Any] = {}
        self.begin(strict=False)

    def begin(self, strict: bool) -> None:
        self.strict = strict
        self.error: SqlError | None = None
        self.draws = 0
        self.stored: dict[str, str] = {}
        self.steps = 0
        self.size = 0

    def charge(self, steps: int, size: int = 0) -> None:
        """Raises SqlError (3024 or 1114) where the statement has used up its steps or its memory."""
        self.steps += steps
        self.size += size
        if self.steps > MAX_STEPS:
            raise SqlError(3024)
        if self.size > MAX_SIZE:
            raise SqlError(1114, "#sql_temporary")


statement = Statement()
