"""Plays real episodes, and remembers what the model was shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tmbr.cli.build import build_model
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig
from tmbr.core.protocols import Model
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Completion, Context, Message, Sampling, Scored, Tool
from tmbr.reasoning.strategies import strategy
from tmbr.rollout import episode


@dataclass
class Listening:
    """A model, and of every call the conversation and the answers."""

    of: Model
    calls: list[tuple[tuple[Message, ...], tuple[Message, ...]]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def context_limit(self) -> int:
        return self.of.context_limit

    @property
    def weights_version(self) -> str:
        return self.of.weights_version

    async def complete(
        self, context: Context, tools: Sequence[Tool], n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        said = await self.of.complete(context, tools, n, sampling, seed)
        self.calls.append((tuple(context.messages()), tuple(c.message() for c in said)))
        return said

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        return await self.of.score(context, continuations)

    def count(self, context: Context) -> int:
        return self.of.count(context)

    async def aclose(self) -> None:
        await self.of.aclose()


def played(
    world: str,
    name: str,
    at: int = 0,
    model: str = "noisy-expert:0.4",
    seed: int = 0,
    form: str = "text",
) -> tuple[Trace, Listening]:
    """One episode of the train split."""
    task = make_task(world, "generated", form)
    made = strategy(name)
    listening = Listening(build_model(ModelConfig(model=model), task))
    sample = task.samples("train")[at]
    run = Run("", world, model, name, made.access, seed, version=task.version, data="generated")
    trace = asyncio.run(episode(sample, task, made, listening, None, Budget(steps=100), run))
    return trace, listening
