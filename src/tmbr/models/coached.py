"""A learner that acts while an expert looks on: the learner's own mistakes, mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tmbr.core.protocols import Model
from tmbr.core.types import Completion, Context, Message, Sampling, Scored, Tool
from tmbr.models.expert import ExpertModel, Policy


class Coached:
    """The learner acts. What it says otherwise than the expert is finished as `mistake`, and the turn
    after it is the expert's.

    So episodes come to where the learner gets by itself, and what is learnt of them is what the expert
    says there (DAgger: Ross, Gordon and Bagnell, 2011, arXiv 1011.0686).
    """

    def __init__(self, name: str, learner: Model, policy: Policy) -> None:
        self.name = name
        self.context_limit = learner.context_limit
        self.weights_version = f"coached {learner.weights_version}"
        self._learner, self._policy = learner, policy
        self._expert = ExpertModel(name, policy)

    async def complete(
        self, context: Context, tools: Sequence[Tool], n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        """n answers, all of the learner or all of the expert. Raises ModelFault."""
        messages = context.messages()
        if self._strayed(messages):
            return await self._expert.complete(context, tools, n, sampling, seed)
        right = self._policy(messages)
        return [
            _judged(answer, right)
            for answer in await self._learner.complete(context, tools, n, sampling, seed)
        ]

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        """As the learner sees it. Raises ModelFault."""
        return await self._learner.score(context, continuations)

    def count(self, context: Context) -> int:
        return self._learner.count(context)

    async def aclose(self) -> None:
        await self._learner.aclose()

    def _strayed(self, messages: Sequence[Message]) -> bool:
        last = max((i for i, said in enumerate(messages) if said.role == "assistant"), default=None)
        return last is not None and not _same(messages[last], self._policy(messages[:last]))


def _judged(answer: Completion, right: Message) -> Completion:
    if answer.finish_reason == "context" or _same(answer.message(), right):
        return answer
    return replace(answer, finish_reason="mistake")


def _same(said: Message, right: Message) -> bool:
    """By what a reader sees: ids of calls do not count."""
    calls, others = ([(c.name, c.arguments) for c in m.tool_calls] for m in (said, right))
    return said.content.strip() == right.content.strip() and calls == others
