"""tmbr's own: OpenAI's `messages` with `tools` and a loss per message, and pairs of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tmbr.core.chat import message_json
from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, Turn
from tmbr.teacher.formats.base import (
    BadRow,
    Format,
    Item,
    Kind,
    Lost,
    as_pair,
    as_row,
    free,
    marks,
    named,
    text,
)
from tmbr.teacher.formats.chat import (
    read_messages,
    read_tools,
    read_turns,
    write_tools,
)


class Messages(Format):
    """`{"messages": [{"role", "content", "tool_calls", "tool_call_id", "loss"}], "tools"}`"""

    name = "messages"
    summary = "OpenAI messages with tools and a loss per message: tmbr's own"
    columns: ClassVar[Mapping[str, Kind]] = {
        "id": "text",
        "source": "text",
        "messages": "messages",
        "tools": "json",
    }

    def fits(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record.get("messages"), list) and record.get("chosen") is None

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Row:
        plain = self.known(record, lost)
        turns = read_turns(plain.get("messages"), "messages", lost)
        return Row(named(plain, id), turns, read_tools(plain.get("tools")), text(plain, "source", ""))

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        row = as_row(item, lost)
        return {**marks(row), "messages": [_turn(turn) for turn in row.turns], **write_tools(row.tools)}


def _turn(turn: Turn) -> dict[str, Any]:
    made = message_json(turn.message)
    if turn.message.role == "assistant":
        made["loss"] = turn.loss
    if turn.weights:
        made["weights"] = [list(span) for span in turn.weights]
    return made


class Pairs(Format):
    """`{"messages": […], "chosen": {…}, "rejected": {…}, "margin", "tools"}`"""

    name = "pairs"
    summary = "one conversation and two answers to it: tmbr's own"
    columns: ClassVar[Mapping[str, Kind]] = {
        "id": "text",
        "messages": "messages",
        "chosen": "json",
        "rejected": "json",
        "margin": "number",
        "tools": "json",
    }

    def fits(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record.get("messages"), list) and isinstance(
            record.get("chosen"), Mapping | str
        )

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Pair:
        plain = self.known(record, lost)
        prompt = read_messages(plain.get("messages"), "messages", lost)
        chosen, rejected = (
            read_messages([free(plain.get(key), key)], key, lost)[0] for key in ("chosen", "rejected")
        )
        tools = read_tools(plain.get("tools"))
        return answered(Pair(named(plain, id), prompt, chosen, rejected, tools, read_margin(plain)))

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:  # noqa: ARG002 (nothing can be lost)
        pair = as_pair(item)
        return {
            "id": pair.id,
            "messages": [message_json(message) for message in pair.prompt],
            "chosen": message_json(pair.chosen),
            "rejected": message_json(pair.rejected),
            "margin": pair.margin,
            **write_tools(pair.tools),
        }


def answered(pair: Pair) -> Pair:
    """The same pair. Raises BadRow unless both answers are the assistant's."""
    for key, answer in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        if answer.role != "assistant":
            raise BadRow(f"{key}.role", f"must be assistant, not {answer.role!r}")
    return pair


def read_margin(plain: Mapping[str, Any]) -> float:
    margin = plain.get("margin", 1.0)
    if not isinstance(margin, int | float) or not 0 < margin <= 1:
        raise BadRow("margin", f"must be a number in (0, 1], not {margin!r}")
    return float(margin)
