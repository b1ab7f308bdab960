"""Traces as a source: the committed branch of an episode that was solved is a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tmbr.core.rows import Row, rows
from tmbr.core.store import TRACES, decode_trace
from tmbr.teacher.formats.base import BadRow, Kind, Lost, Readable, filled


class Episodes(Readable):
    """Lines of a traces.jsonl; only read."""

    name = "traces"
    summary = "traces of episodes; only read: the solved ones become rows"
    columns: ClassVar[Mapping[str, Kind]] = {}

    def fits(self, record: Mapping[str, Any]) -> bool:
        return record.get("schema") == TRACES

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Row | None:  # noqa: ARG002
        if self.fits(record):
            return None
        try:
            trace = decode_trace(json.dumps(record).encode())
        except ValueError as error:
            key, _, why = str(error).rpartition(": ")
            raise BadRow(key or "trace", why) from None
        for row in rows([trace]):  # one, of the committed branch
            filled(row.turns, "messages")
            return row
        lost.counts["episode that was not solved"] += 1
        return None
