"""ShareGPT with calls, as LLaMA-Factory reads it, and with a loss per message, as AgentTuning has it.

    {"conversations": [{"from": "gpt", "value": "…", "loss": 1.0}, …], "system": "…", "tools": "[…]"}

A `function_call` has its calls as JSON in `value`; what is said beside them stands before, between
`<think>` and `</think>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, Role, ToolCall
from tmbr.teacher.formats.base import (
    BadRow,
    Format,
    Item,
    Kind,
    Lost,
    as_row,
    as_text,
    filled,
    items_of,
    marks,
    named,
    shown,
    text,
    unweighted,
)
from tmbr.teacher.formats.chat import (
    arguments,
    default_loss,
    numbered,
    read_call,
    read_loss,
    read_tools,
)

_ROLES: Mapping[str, Role] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "function_call": "assistant",
    "observation": "tool",
    "tool": "tool",
    "system": "system",
}
_FROM: Mapping[Role, str] = {
    "user": "human",
    "assistant": "gpt",
    "tool": "observation",
    "system": "system",
}
_BEGIN, _END = "<think>\n", "\n</think>\n\n"


class ShareGpt(Format):
    """See the head of the file."""

    name = "sharegpt"
    summary = "ShareGPT: conversations of from and value, with a loss per message"
    columns: ClassVar[Mapping[str, Kind]] = {
        "id": "text",
        "source": "text",
        "system": "text",
        "conversations": "shared",
        "tools": "text",
    }

    def fits(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record.get("conversations"), list)

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Row:
        plain, key = self.known(record, lost), "conversations"
        told = text(plain, "system", "")
        turns = [Turn(Message("system", told))] if told else []
        said: list[float | None] = []
        for at, part in items_of(plain.get(key, ()), key):
            message = _message(part, at, lost)
            loss = read_loss(part.get("loss"), message.role, at)
            said.append(loss)
            turns.append(Turn(message, loss or 0.0))
        turns = default_loss(numbered(turns, key), said)
        tools = read_tools(plain.get("tools"))
        return Row(named(plain, id), filled(turns, key), tools, text(plain, "source", ""))

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        row = unweighted(as_row(item, lost), lost)
        first = row.turns[0].message
        system = {"system": first.content} if first.role == "system" and first.content else {}
        turns = row.turns[1:] if system else row.turns
        tools = json.dumps([dict(tool) for tool in row.tools], ensure_ascii=False)
        return {
            **marks(row),
            **system,
            "conversations": [_turn(turn) for turn in turns],
            **({"tools": tools} if row.tools else {}),
        }


def _message(part: Mapping[str, Any], key: str, lost: Lost) -> Message:
    lost.passed_over(
        (name for name in part if name not in ("from", "value", "loss", "tool_call_id")),
        "key of a message",
    )
    who, value = part.get("from"), part.get("value")
    role = _ROLES.get(who) if isinstance(who, str) else None
    if role is None:
        raise BadRow(f"{key}.from", f"must be one of {', '.join(_ROLES)}, not {shown(who)}")
    if who == "function_call":
        words, calls = _calls(value, f"{key}.value")
        return Message("assistant", words, calls)
    answers = part.get("tool_call_id")
    return Message(
        role,
        as_text(value, f"{key}.value"),
        tool_call_id=None if answers is None else as_text(answers, f"{key}.tool_call_id"),
    )


def _calls(value: Any, key: str) -> tuple[str, tuple[ToolCall, ...]]:
    """What is said beside the calls, and the calls."""
    words, calls = "", value
    if isinstance(value, str):
        words, written = _apart(value)
        try:
            calls = json.loads(written)
        except (ValueError, RecursionError) as error:
            raise BadRow(key, f"holds no call as JSON: {error}") from None
    found = items_of(calls if isinstance(calls, list) else [calls], key)
    return as_text(words, key), tuple(read_call(call, at) for at, call in found)


def _apart(value: str) -> tuple[str, str]:
    """Words and calls. Ours end at the last `_END`: the JSON after it has no line break in it."""
    if not value.lstrip().startswith(_BEGIN.strip()):
        return "", value
    if value.startswith(_BEGIN) and _END in value:
        words, _, written = value.removeprefix(_BEGIN).rpartition(_END)
        return words, written
    words, _, written = value.partition(_END.strip())
    return words.strip().removeprefix(_BEGIN.strip()).strip(), written


def _turn(turn: Turn) -> dict[str, Any]:
    message = turn.message
    made: dict[str, Any] = {"from": _FROM[message.role], "value": message.content}
    if message.tool_calls:
        calls = [_call(call) for call in message.tool_calls]
        written = json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)
        said = f"{_BEGIN}{message.content}{_END}" if message.content else ""
        made = {"from": "function_call", "value": said + written}
    if message.tool_call_id is not None:
        made["tool_call_id"] = message.tool_call_id
    if message.role == "assistant":
        made["loss"] = turn.loss
    return made


def _call(call: ToolCall) -> dict[str, Any]:
    """Arguments as data; as the text they are where they are no JSON object."""
    data = arguments(call)
    return {"id": call.id, "name": call.name, "arguments": call.arguments if data is None else data}
