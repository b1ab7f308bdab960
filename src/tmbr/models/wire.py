"""Messages to and from the OpenAI chat shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tmbr.core.grammar import Grammar
from tmbr.core.types import Completion, Message, Scored, ToolCall, Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from openai.types.chat.chat_completion import Choice


def message_json(message: Message) -> dict[str, Any]:
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


def constraint(grammar: Grammar) -> dict[str, Any]:
    """What of a request tells a grammar: each server reads its own key and ignores the others, vLLM
    `structured_outputs`, SGLang `regex`, llama.cpp `grammar`.

    Calls are constrained by `tool_choice`; where a turn may be a call or a text nothing can be told but
    the tools.
    """
    told: dict[str, Any] = {}
    if grammar.tools:
        told["tools"] = [dict(tool) for tool in grammar.tools]
        if grammar.text is None:
            told["tool_choice"] = "required"
    elif grammar.text is not None:
        regex, gbnf = grammar.text.regex, f"root ::= {grammar.text.gbnf}"
        told["extra_body"] = {"structured_outputs": {"regex": regex}, "regex": regex, "grammar": gbnf}
    return told


def completions(response: ChatCompletion) -> list[Completion]:
    """One for each choice; the first carries the usage of the whole request."""
    return [
        _completion(choice, used(response) if i == 0 else Usage())
        for i, choice in enumerate(response.choices)
    ]


def scored(response: ChatCompletion, texts: Sequence[str]) -> list[Scored]:
    """Each text by its beginning, among the likeliest first tokens; one for each choice.

    Where no log-probabilities are told, what was said is certain. A text of which nothing is told is a
    hundred times less likely than the least likely of which something is.
    """
    found = []
    for choice in response.choices:
        content = (choice.logprobs.content if choice.logprobs else None) or []
        likely = [(top.token, top.logprob) for top in content[0].top_logprobs] if content else []
        told = likely or [(choice.message.content or "", 0.0)]
        least = min(logprob for _, logprob in told) + math.log(0.01)
        by_text = (_summed([p for token, p in told if _same(token, text)], least) for text in texts)
        found.append(Scored(tuple(by_text), used(response)))
    return found


def _same(token: str, text: str) -> bool:
    """Whether one begins as the other, whatever their case."""
    token, text = token.strip().casefold(), text.strip().casefold()
    return bool(token) and (token.startswith(text) or text.startswith(token))


def _summed(logprobs: Sequence[float], least: float) -> float:
    return math.log(sum(map(math.exp, logprobs))) if logprobs else least


def _completion(choice: Choice, usage: Usage) -> Completion:
    told = (choice.logprobs.content if choice.logprobs else None) or []
    calls = [call for call in choice.message.tool_calls or [] if call.type == "function"]
    return Completion(
        choice.message.content or "",
        tuple(ToolCall(c.id, c.function.name, c.function.arguments) for c in calls),
        logprobs=tuple(token.logprob for token in told),
        finish_reason=choice.finish_reason or "stop",
        usage=usage,
    )


def used(response: ChatCompletion) -> Usage:
    """What a whole request took; nothing where the server does not tell."""
    usage = response.usage
    if usage is None:
        return Usage()
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens if details else None) or 0
    return Usage(usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens - cached)
