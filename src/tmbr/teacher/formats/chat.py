"""Messages in the OpenAI chat shape, as several formats hold them.

Calls without ids, as TRL and ShareGPT allow them, are numbered, and answers without one belong to the
calls in order.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from tmbr.core.chat import message_json
from tmbr.core.rows import Span, Turn
from tmbr.core.types import Message, Role, Tool, ToolCall
from tmbr.teacher.formats.base import (
    BadRow,
    Lost,
    as_json,
    as_text,
    filled,
    free,
    items_of,
    shown,
    text,
)

#: A loss or a weight at most: no larger number is a float.
_MOST = sys.float_info.max
_KEYS = {"role", "content", "tool_calls", "tool_call_id", "loss", "weight", "weights", "name"}
#: What OpenAI's own files write besides, and what says nothing.
_IDLE = ("refusal", "audio", "annotations", "function_call")


def read_turns(value: Any, key: str, lost: Lost) -> tuple[Turn, ...]:
    """Turns with their loss, which OpenAI calls `weight`; where no turn says it, all answers train.

    Raises BadRow.
    """
    return filled(numbered(single_turns(value, key, lost), key), key)


def single_turns(value: Any, key: str, lost: Lost) -> list[Turn]:
    """The same, each turn by itself: calls and their answers may lack ids, turns may be empty."""
    said: list[float | None] = []
    turns: list[Turn] = []
    for at, part in items_of(value, key):
        plain = {name: told for name, told in part.items() if told is not None}
        message = _message(plain, at, lost)
        loss = read_loss(plain.get("loss", plain.get("weight")), message.role, at)
        said.append(loss)
        turns.append(Turn(message, loss or 0.0, _weights(plain, message, at)))
    return default_loss(turns, said)


def read_messages(value: Any, key: str, lost: Lost) -> tuple[Message, ...]:
    """Messages of which none is trained on. Raises BadRow."""
    return tuple(turn.message for turn in read_turns(value, key, lost))


def _message(plain: Mapping[str, Any], key: str, lost: Lost) -> Message:
    role = _role(plain.get("role"), f"{key}.role")
    unknown = [name for name in plain if name not in _KEYS and not (name in _IDLE and not plain[name])]
    lost.passed_over(unknown, "key of a message")
    if "name" in plain and role != "tool":  # a tool's name is told by its call
        lost.passed_over(["name"], "key of a message")
    calls = tuple(
        _call(call, at) for at, call in items_of(plain.get("tool_calls") or (), f"{key}.tool_calls")
    )
    if calls and role != "assistant":
        raise BadRow(f"{key}.tool_calls", f"belongs to assistant turns, this one is {role!r}")
    answers = text(plain, "tool_call_id") if "tool_call_id" in plain else None
    return Message(role, _content(plain.get("content", ""), f"{key}.content"), calls, answers)


def _role(value: Any, key: str) -> Role:
    roles: tuple[Role, ...] = get_args(Role)
    for role in roles:
        if role == value:
            return role
    raise BadRow(key, f"must be one of {', '.join(roles)}, not {shown(value)}")


def _content(value: Any, key: str) -> str:
    """Text, or OpenAI's list of parts if all of them are text."""
    if not isinstance(value, list):
        return as_text(value, key)
    for at, part in items_of(value, key):
        if part.get("type") != "text":
            raise BadRow(
                at, f"is a part of type {shown(part.get('type'))}; only text can be trained on"
            )
    return "".join(text(part, "text") for part in value)


def _call(call: Mapping[str, Any], key: str) -> ToolCall:
    function = call.get("function", call)
    if not isinstance(function, Mapping):
        raise BadRow(f"{key}.function", f"must be an object, not {shown(function)}")
    return read_call({**function, "id": call.get("id")}, key)


def read_call(call: Mapping[str, Any], key: str) -> ToolCall:
    """A call `{id, name, arguments}` with arguments as text or as data. Raises BadRow."""
    name, told = call.get("name"), call.get("arguments")
    if not isinstance(name, str) or not name:
        raise BadRow(f"{key}.name", "is missing: a call names its tool")
    at = f"{key}.arguments"
    arguments = (
        as_text(told, at) if isinstance(told, str) else as_json({} if told is None else told, at)
    )
    own = call.get("id")
    id = "" if own is None else as_text(str(own), f"{key}.id")
    return ToolCall(id, as_text(name, f"{key}.name"), arguments)


def read_loss(value: Any, role: str, key: str) -> float | None:
    """A number, or true and false as AgentTuning's files have it; None where nothing is said."""
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 <= value <= _MOST:
        raise BadRow(f"{key}.loss", f"must be a number of at least 0, not {shown(value)}")
    if value and role != "assistant":
        raise BadRow(f"{key}.loss", f"belongs to assistant turns, this one is {role!r}")
    return float(value)


def default_loss(turns: Iterable[Turn], said: Iterable[float | None]) -> list[Turn]:
    """Every assistant turn trains where nobody says which do."""
    if any(loss is not None for loss in said):
        return list(turns)
    return [replace(turn, loss=float(turn.message.role == "assistant")) for turn in turns]


def _weights(plain: Mapping[str, Any], message: Message, key: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    told = plain.get("weights", [])
    if not isinstance(told, list):
        raise BadRow(f"{key}.weights", f"must be a list, not {shown(told)}")
    for span in told:
        match span:
            case [int(start), int(end), int() | float() as weight] | {
                "start": int(start),
                "end": int(end),
                "weight": int() | float() as weight,
            } if (
                0 <= start < end <= len(message.content)
                and 0 <= weight <= _MOST
                and message.role == "assistant"
            ):
                spans.append((start, end, float(weight)))
            case _:
                raise BadRow(f"{key}.weights", f"{shown(span)} is no span of this content")
    return tuple(spans)


def numbered(turns: Iterable[Turn], key: str) -> list[Turn]:
    """Calls without an id get one, and answers without one that of the first call unanswered."""
    found: list[Turn] = []
    waiting: list[str] = []
    count = 0
    for index, turn in enumerate(turns):
        message = turn.message
        if message.tool_calls:
            calls = tuple(
                call if call.id else replace(call, id=f"call_{number}")
                for number, call in enumerate(message.tool_calls, count + 1)
            )
            count += len(calls)
            waiting += [call.id for call in calls]
            message = replace(message, tool_calls=calls)
        if message.role == "tool":
            if message.tool_call_id is None:
                if not waiting:
                    raise BadRow(
                        f"{key}.{index}", "answers no call: none before it waits for an answer"
                    )
                message = replace(message, tool_call_id=waiting[0])
            if message.tool_call_id in waiting:
                waiting.remove(message.tool_call_id)
        found.append(turn if message is turn.message else replace(turn, message=message))
    return found


def read_tools(value: Any, key: str = "tools") -> tuple[Tool, ...]:
    """Tools in OpenAI's schema; also as JSON text, and as bare functions. Raises BadRow."""
    tools: list[Tool] = []
    for at, tool in items_of(free(value or (), key), key):
        whole = tool if "function" in tool else {"type": "function", "function": tool}
        if not isinstance(whole["function"], Mapping) or not isinstance(
            whole["function"].get("name"), str
        ):
            raise BadRow(at, "is no tool: it has no name")
        as_json(whole, at)  # or it could not be written again
        tools.append(dict(whole))
    return tuple(tools)


def write_message_as_data(message: Message, key: str, lost: Lost) -> dict[str, Any]:
    """The shape that chat templates take: arguments are data. Raises BadRow where they are not."""
    made = message_json(message)
    for index, call in enumerate(message.tool_calls):
        data = arguments(call)
        if data is None:
            lost.drop("arguments that are no JSON object", f"{key}.tool_calls.{index}")
        else:
            made["tool_calls"][index]["function"]["arguments"] = data
    return made


def arguments(call: ToolCall) -> dict[str, Any] | None:
    """Arguments as data; None where they are not a JSON object."""
    try:
        data = json.loads(call.arguments)
        json.dumps(data, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def write_tools(tools: Iterable[Tool]) -> dict[str, Any]:
    """The column `tools` where there are any."""
    made = [dict(tool) for tool in tools]
    return {"tools": made} if made else {}
