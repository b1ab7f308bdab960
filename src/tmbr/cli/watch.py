"""Looking at an episode while it grows, without the strategy knowing.

A trace is only appended to, and only between two questions: so before every question to the model or
the judge it is shown as it stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from tmbr.core.protocols import Episode, Judge, Model, Outcome, Strategy
from tmbr.core.trace import Judgement, Trace
from tmbr.core.types import Access, Completion, Context, Sampling, Scored, Tool

Show = Callable[[Trace], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """A strategy that is the one it watches in all that it does."""

    of: Strategy
    show: Show

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def access(self) -> Access:
        return self.of.access

    async def solve(self, episode: Episode, model: Model, judge: Judge | None, seed: int) -> Outcome:
        async def look() -> None:
            self.show(episode.trace)
            await asyncio.sleep(0)  # a model that never waits would keep Ctrl-C from being heard

        asked = _Asked(model, look)
        return await self.of.solve(episode, asked, _Judging(judge, look) if judge else None, seed)


@dataclass(frozen=True, slots=True)
class _Asked:
    of: Model
    look: Callable[[], Coroutine[Any, Any, None]]

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
        await self.look()
        return await self.of.complete(context, tools, n, sampling, seed)

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        await self.look()
        return await self.of.score(context, continuations)

    def count(self, context: Context) -> int:
        return self.of.count(context)

    async def aclose(self) -> None:
        await self.of.aclose()


@dataclass(frozen=True, slots=True)
class _Judging:
    of: Judge
    look: Callable[[], Coroutine[Any, Any, None]]

    @property
    def name(self) -> str:
        return self.of.name

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        await self.look()
        return await self.of.judge(trace, nodes)
