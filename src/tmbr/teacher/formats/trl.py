"""TRL's three: conversations, prompt and completion, prompt and two answers.

Arguments of calls are data, as chat templates take them, and a tool's answer carries its tool's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, ClassVar

from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message
from tmbr.teacher.formats.base import (
    BadRow,
    Format,
    Item,
    Kind,
    Lost,
    all_trained,
    as_pair,
    as_row,
    filled,
    marks,
    named,
    text,
    unweighted,
)
from tmbr.teacher.formats.chat import (
    numbered,
    read_messages,
    read_tools,
    single_turns,
    write_message_as_data,
    write_tools,
)
from tmbr.teacher.formats.messages import Messages, answered, read_margin


class Trl(Messages):
    """`{"messages": […], "tools": […]}`; with `assistant_only_loss` every assistant turn trains.

    Read as `messages` is, which it cannot be told from.
    """

    name = "trl"
    summary = "TRL's conversations: messages and tools, every assistant turn trains"

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        row = unweighted(as_row(item, lost), lost)
        all_trained(row.turns, lost)
        said = [turn.message for turn in row.turns]
        return {**marks(row), "messages": _messages(said, "messages", lost), **write_tools(row.tools)}


class TrlPrompt(Format):
    """`{"prompt": […], "completion": […], "tools": […]}`: all of the completion trains."""

    name = "trl-prompt"
    summary = "TRL's prompt and completion, both lists of messages"
    columns: ClassVar[Mapping[str, Kind]] = {
        "id": "text",
        "source": "text",
        "prompt": "messages",
        "completion": "messages",
        "tools": "json",
    }

    def fits(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record.get("prompt"), list) and isinstance(record.get("completion"), list)

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Row:
        plain = self.known(record, lost)
        prompt = [Turn(turn.message) for turn in single_turns(plain.get("prompt"), "prompt", lost)]
        answer = single_turns(plain.get("completion"), "completion", lost)
        if not answer:
            raise BadRow("completion", "is empty")
        turns = filled(numbered([*prompt, *answer], "messages"), "messages")
        return Row(named(plain, id), turns, read_tools(plain.get("tools")), text(plain, "source", ""))

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        row = unweighted(as_row(item, lost), lost)
        trained = [index for index, turn in enumerate(row.turns) if turn.loss > 0]
        if not trained or trained[0] == 0:
            raise BadRow("messages", "must be a prompt and an answer that trains")
        first, last = trained[0], trained[-1]
        all_trained(row.turns[first : last + 1], lost, first)
        if first < last:
            lost.drop("turn between two answers that does not train", f"messages.{first + 1}")
        if last + 1 < len(row.turns):
            lost.drop("turn after the last answer", f"messages.{last + 1}")
        said = [turn.message for turn in row.turns]
        return {
            **marks(row),
            "prompt": _messages(said[:first], "prompt", lost),
            "completion": _messages(said[first : last + 1], "completion", lost),
            **write_tools(row.tools),
        }


class TrlPreference(Format):
    """`{"prompt": […], "chosen": […], "rejected": […], "margin", "tools"}`

    Also read: answers that repeat the prompt in place of a column for it, and all three as text.
    """

    name = "trl-preference"
    summary = "TRL's preferences: prompt, chosen and rejected, lists of messages"
    columns: ClassVar[Mapping[str, Kind]] = {
        "id": "text",
        "prompt": "messages",
        "chosen": "messages",
        "rejected": "messages",
        "margin": "number",
        "tools": "json",
    }

    def fits(self, record: Mapping[str, Any]) -> bool:
        kinds = {type(record.get(key)) for key in ("chosen", "rejected")}
        return kinds in ({list}, {str})

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Pair:
        plain = self.known(record, lost)
        chosen = _read(plain, "chosen", "assistant", lost)
        rejected = _read(plain, "rejected", "assistant", lost)
        if "prompt" in plain:
            prompt = _read(plain, "prompt", "user", lost)
        else:
            prompt = tuple(
                a for a, b in takewhile(lambda ab: ab[0] == ab[1], zip(chosen, rejected, strict=False))
            )
            chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
        for key, answer in (("chosen", chosen), ("rejected", rejected)):
            if len(answer) != 1:
                raise BadRow(
                    key, f"has {len(answer)} messages after the prompt; a pair compares two answers"
                )
        if not prompt:
            raise BadRow("prompt", "is missing, and the answers do not begin with one")
        tools = read_tools(plain.get("tools"))
        return answered(
            Pair(named(plain, id), prompt, chosen[0], rejected[0], tools, read_margin(plain))
        )

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        pair = as_pair(item)
        return {
            "id": pair.id,
            "prompt": _messages(pair.prompt, "prompt", lost),
            "chosen": _messages([pair.chosen], "chosen", lost),
            "rejected": _messages([pair.rejected], "rejected", lost),
            "margin": pair.margin,
            **write_tools(pair.tools),
        }


def _read(plain: Mapping[str, Any], key: str, role: str, lost: Lost) -> tuple[Message, ...]:
    value = plain.get(key)
    return read_messages(
        [{"role": role, "content": value}] if isinstance(value, str) else value, key, lost
    )


def _messages(said: Sequence[Message], key: str, lost: Lost) -> list[dict[str, Any]]:
    """Messages as data, the answers of tools with the name of their tool."""
    names = {call.id: call.name for message in said for call in message.tool_calls}
    made = []
    for index, message in enumerate(said):
        written = write_message_as_data(message, f"{key}.{index}", lost)
        if message.tool_call_id in names:
            written["name"] = names[message.tool_call_id]
        made.append(written)
    return made
