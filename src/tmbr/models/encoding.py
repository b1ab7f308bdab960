"""A conversation as token ids, in which nothing that was sampled is tokenised a second time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from tmbr.core.chat import template_message
from tmbr.core.errors import ConfigError
from tmbr.core.types import Context, Message, Tool, ToolCall, digest

#: Ends of a turn by the names that chat templates give them, besides the tokenizer's own.
END_OF_TURN = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "<end_of_turn>",
    "<|end_of_text|>",
    "<|endoftext|>",
)
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A prompt that ends where the assistant is to go on."""

    text: str
    ids: tuple[int, ...]


class Encoder:
    """Renders with the tokenizer's chat template; remembers a rendering while its context lives."""

    def __init__(self, tokenizer: Any, stop: frozenset[int]) -> None:
        self.tokenizer = tokenizer
        self.stop = stop
        self._known: WeakKeyDictionary[Context, dict[str, Encoded]] = WeakKeyDictionary()

    def encode(self, context: Context, tools: Sequence[Tool]) -> tuple[int, ...]:
        """Token ids of the conversation, generation prompt included.

        After a sampled message come its own ids, then the tokens of the text behind it. Where the
        template writes the past differently from what the model saw (some strip earlier thoughts), the
        whole conversation is tokenised anew.
        """
        return self._encoded(context, tools, digest(list(tools))).ids

    def continuation(self, text: str) -> tuple[int, ...]:
        """Token ids of what the assistant would write."""
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, ids: Sequence[int]) -> str:
        """What was sampled, without the token that ended it; other special tokens stay visible."""
        kept = ids[:-1] if ids and ids[-1] in self.stop else ids
        text: str = self.tokenizer.decode(
            list(kept), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def _encoded(self, context: Context, tools: Sequence[Tool], key: str) -> Encoded:
        known = self._known.setdefault(context, {})
        if key not in known:
            text = self._render(context.messages(), tools)
            ids = self._extended(context, text, tools, key) or self.continuation(text)
            known[key] = Encoded(text, ids)
        return known[key]

    def _extended(
        self, context: Context, text: str, tools: Sequence[Tool], key: str
    ) -> tuple[int, ...] | None:
        """The prompt up to the last sampled turn, its ids, and the rest; None where they do not fit."""
        at: Context | None = context
        while at is not None and (at.token_ids is None or at.parent is None):
            at = at.parent
        if at is None or at.parent is None or not at.token_ids:
            return None
        before = self._encoded(at.parent, tools, key)
        if not text.startswith(before.text):
            return None
        ended = at.token_ids[-1] in self.stop
        rest = text[len(before.text) :]
        ends = [at.token_ids[-1]] if ended else sorted(self.stop)
        marks = [(rest.find(mark), mark) for mark in map(self._token, ends) if mark in rest]
        if not marks:
            return None
        start, mark = min(marks)
        if at.message.content.strip() not in rest[:start]:
            return None
        behind = rest[start + len(mark) :] if ended else rest[start:]
        return before.ids + at.token_ids + self.continuation(behind)

    def _token(self, token: int) -> str:
        text: str = self.tokenizer.convert_ids_to_tokens(token)
        return text

    def _render(self, messages: Sequence[Message], tools: Sequence[Tool]) -> str:
        try:
            text: str = self.tokenizer.apply_chat_template(
                [template_message(message) for message in messages],
                tools=[dict(tool) for tool in tools] or None,
                add_generation_prompt=True,
                tokenize=False,
            )
        except Exception as error:  # a template may raise anything
            raise ConfigError(
                f"the chat template of the tokenizer cannot render this: {error}"
            ) from error
        return text


def tool_calls(text: str, prefix: str) -> tuple[ToolCall, ...]:
    """Calls written as `<tool_call>{"name": …, "arguments": …}</tool_call>` (Hermes, Qwen).

    Total over any text: what cannot be read is left out, and the text still holds it. Ids are `prefix`
    and a number.
    """
    calls: list[ToolCall] = []
    for body in _CALL.findall(text):
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            continue
        if isinstance(call, dict) and isinstance(call.get("name"), str):
            arguments = call.get("arguments", {})
            written = (
                arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            )
            calls.append(ToolCall(f"{prefix}_{len(calls)}", call["name"], written))
    return tuple(calls)
