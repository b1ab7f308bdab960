"""A model that says what it was told to say: for tests, demonstrations and experts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tmbr.core.errors import ModelFault
from tmbr.core.types import Completion, Context, Message, Sampling, Scored, Tool, Usage

Answer = str | Message | Completion
#: (conversation, n, seed) -> n answers.
Script = Callable[[Sequence[Message], int, int], Sequence[Answer]]


class ScriptedModel:
    """Answers from a function, or from a list that is given out in the order of the calls.

    A function makes the model deterministic at any concurrency; a list only in one episode at a time.
    A token is a word. Raises ModelFault when the list is used up.
    """

    def __init__(
        self,
        script: Script | Sequence[Answer],
        name: str = "scripted",
        context_limit: int = 1_000_000,
        weights_version: str = "scripted",
    ) -> None:
        self.name = name
        self.context_limit = context_limit
        self.weights_version = weights_version
        self._script = script if callable(script) else _in_order(script)

    async def complete(
        self,
        context: Context,
        tools: Sequence[Tool],  # noqa: ARG002
        n: int,
        sampling: Sampling,  # noqa: ARG002
        seed: int,
    ) -> list[Completion]:
        """n answers; the prompt's words are counted with the first. Raises ModelFault."""
        messages = context.messages()
        prompt = sum(map(words, messages))
        if prompt >= self.context_limit:
            answers = [Completion("", finish_reason="context") for _ in range(n)]
        else:
            answers = [_completion(answer) for answer in self._script(messages, n, seed)]
        if len(answers) != n:
            raise ModelFault(
                f"{self.name}: the script gave {len(answers)} answers where {n} were asked"
            )
        return [_charged(answer, prompt if i == 0 else 0) for i, answer in enumerate(answers)]

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        """What it would say is certain, all else is not: the log of 1 % for each. Raises ModelFault."""
        said = (await self.complete(context, (), 1, Sampling(), 0))[0]
        sure, not_said = 0.0, math.log(0.01)
        told = said.text.strip().casefold()
        logprobs = (sure if told.startswith(c.strip().casefold()) else not_said for c in continuations)
        return Scored(tuple(logprobs), said.usage)

    def count(self, context: Context) -> int:
        return sum(map(words, context.messages()))

    async def aclose(self) -> None:
        return None


def words(message: Message) -> int:
    """A message's length in whitespace-separated words, its calls included."""
    calls = (f"{call.name} {call.arguments}" for call in message.tool_calls)
    return len(" ".join([message.content, *calls]).split())


def _in_order(answers: Sequence[Answer]) -> Script:
    left = iter(answers)

    def script(messages: Sequence[Message], n: int, seed: int) -> list[Answer]:  # noqa: ARG001
        given = [answer for _, answer in zip(range(n), left, strict=False)]
        if len(given) < n:
            raise ModelFault(f"the script of {len(answers)} answers is used up")
        return given

    return script


def _completion(answer: Answer) -> Completion:
    if isinstance(answer, Completion):
        return answer
    if isinstance(answer, str):
        return Completion(answer)
    reason = "tool_calls" if answer.tool_calls else "stop"
    return Completion(answer.content, answer.tool_calls, finish_reason=reason)


def _charged(answer: Completion, prompt: int) -> Completion:
    usage = Usage(prompt, words(answer.message()), prompt)
    return Completion(answer.text, answer.tool_calls, finish_reason=answer.finish_reason, usage=usage)
