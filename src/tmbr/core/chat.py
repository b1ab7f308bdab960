"""A conversation as a tokenizer's chat template writes it.

What a reward model is trained on and what it reads as a judge are made by the same function, `reading`.
The tokenizer is any of transformers'; it is handed in, so nothing heavy is imported here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from tmbr.core.errors import ConfigError
from tmbr.core.types import Message, Tool


def message_json(message: Message) -> dict[str, Any]:
    """A message in the OpenAI chat shape: arguments of calls as text."""
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        made["tool_call_id"] = message.tool_call_id
    return made


def template_message(message: Message) -> dict[str, Any]:
    """A message as chat templates expect it: arguments of calls as data where they are valid JSON."""
    made = message_json(message)
    for call in made.get("tool_calls", ()):
        call["function"]["arguments"] = _data(call["function"]["arguments"])
    return made


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def reading(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool]) -> tuple[int, ...]:
    """Token ids of a whole conversation, up to the last that the template writes of its last message.

    User turns in a row are one, as in every conversation that a model is told. The reward is read at
    the last token. Raises ConfigError when the template cannot render it.
    """
    try:
        text: str = tokenizer.apply_chat_template(
            [template_message(message) for message in _joined(messages)],
            tools=[dict(tool) for tool in tools] or None,
            tokenize=False,
        )
    except Exception as error:  # a template may raise anything
        raise ConfigError(f"the chat template cannot render this conversation: {error}") from None
    # Some templates begin the next turn's line after the end of a turn: no part of what was said.
    return tuple(tokenizer.encode(text.rstrip(), add_special_tokens=False))


def _joined(messages: Sequence[Message]) -> list[Message]:
    found: list[Message] = []
    for role, run in groupby(messages, key=lambda message: message.role):
        same = list(run)
        if role == "user":
            same = [Message("user", "\n".join(message.content for message in same))]
        found += same
    return found
