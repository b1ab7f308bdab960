"""What is wrong with a row or a pair that can be read: over what a template would stumble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tmbr.core.pairs import Pair
from tmbr.core.rows import Row
from tmbr.core.types import Message, Tool
from tmbr.teacher.formats.base import Item
from tmbr.teacher.formats.chat import arguments

#: Key and what is wrong there.
Problem = tuple[str, str]


def problems(item: Item) -> Iterator[Problem]:
    """Everything that is wrong with an item.

    Turns that do not alternate, calls that are not answered or answer nothing, arguments that are no
    JSON, tools that are not offered, and rows from which nothing is learnt. An empty assistant turn, or
    a loss elsewhere than on the assistant's, is found when the row is read.
    """
    if isinstance(item, Row):
        yield from _conversation([turn.message for turn in item.turns], item.tools)
        if not any(turn.loss > 0 for turn in item.turns):
            yield "messages", "no turn carries loss, so nothing is learnt from this row"
    else:
        yield from _pair(item)


def _pair(pair: Pair) -> Iterator[Problem]:
    yield from _conversation(pair.prompt, pair.tools)
    if pair.prompt[-1].role == "assistant":
        yield (
            f"messages.{len(pair.prompt) - 1}",
            "ends with the assistant, so there is nothing to answer",
        )
    for key, answer in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        yield from _calls(answer, key, {tool["function"]["name"] for tool in pair.tools})
    if pair.chosen == pair.rejected:
        yield "rejected", "is the same answer as the chosen one"


def _conversation(said: Sequence[Message], tools: Sequence[Tool]) -> Iterator[Problem]:
    offered = {tool["function"]["name"] for tool in tools}
    waiting: dict[str, int] = {}
    for index, message in enumerate(said):
        key = f"messages.{index}"
        yield from _order(said, index)
        if message.role == "tool":
            if waiting.pop(message.tool_call_id or "", None) is None:
                yield (
                    f"{key}.tool_call_id",
                    f"{message.tool_call_id!r} is no call that waits for an answer",
                )
            continue
        yield from _unanswered(waiting)
        waiting = {call.id: index for call in message.tool_calls}
        if len(waiting) < len(message.tool_calls):
            yield f"{key}.tool_calls", "two calls have one id"
        yield from _calls(message, key, offered)
    if waiting and len(waiting) < len(said[max(waiting.values())].tool_calls):
        yield from _unanswered(
            waiting
        )  # an episode may end with its last call, not in the midst of one


def _order(said: Sequence[Message], index: int) -> Iterator[Problem]:
    role, before = said[index].role, said[index - 1].role if index else None
    if role == "system" and index:
        yield f"messages.{index}.role", "a system message stands at the beginning"
    elif role in ("user", "assistant") and role == before:
        yield f"messages.{index}.role", f"{role} follows {role}; turns alternate"


def _unanswered(waiting: dict[str, int]) -> Iterator[Problem]:
    for id, index in waiting.items():
        yield f"messages.{index}.tool_calls", f"the call {id!r} is not answered"


def _calls(message: Message, key: str, offered: set[str]) -> Iterator[Problem]:
    for index, call in enumerate(message.tool_calls):
        at = f"{key}.tool_calls.{index}.function"
        if arguments(call) is None:
            yield f"{at}.arguments", f"are no JSON object: {call.arguments[:40]!r}"
        if call.name not in offered:
            yield f"{at}.name", f"the tool {call.name!r} is not among those offered"
