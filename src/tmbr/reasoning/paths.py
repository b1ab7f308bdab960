"""One path at a time, nothing taken back: the baselines without search, all of access `none`."""

from __future__ import annotations

from dataclasses import dataclass

from tmbr.core.protocols import Judge, Outcome, World
from tmbr.core.types import Access, Sampling, Step
from tmbr.reasoning.prompts import prompt
from tmbr.reasoning.propose import propose
from tmbr.reasoning.tree import GREEDY, VARIED, Tree
from tmbr.reasoning.walk import Walk


@dataclass(frozen=True, slots=True)
class React(Walk):
    """Thought and action, turn by turn (Yao et al., 2023)."""

    sampling: Sampling = GREEDY
    name: str = "react"
    access: Access = "none"

    async def walk(self, tree: Tree, judge: Judge) -> Outcome:  # noqa: ARG002
        return await self.follow(tree, await self.begin(tree))

    async def begin(self, tree: Tree) -> int:
        """The node from which the path starts."""
        return tree.plant()

    async def follow(self, tree: Tree, at: int) -> Outcome:
        """Turn by turn to the end."""
        while (stop := tree.spent()) is None:
            candidate = (await tree.ask(at, 1, self.sampling))[0]
            at, step = tree.act(at, candidate, tree.world)
            if await tree.over(at, step):
                break
        return Outcome(at, tree.world, stop)


@dataclass(frozen=True, slots=True)
class Io(React):
    """Actions alone, without thoughts."""

    name: str = "io"

    async def begin(self, tree: Tree) -> int:
        return tree.plant(prompt("direct"))


@dataclass(frozen=True, slots=True)
class Cot(React):
    """One chain of thought at the start (Wei et al., 2022), then actions alone."""

    name: str = "cot"

    async def begin(self, tree: Tree) -> int:
        thought = await tree.say(tree.plant(), prompt("think"), "plan", self.sampling)
        return tree.tell(thought, prompt("direct"), "plan")


@dataclass(frozen=True, slots=True)
class ReactRetry(Walk):
    """React with the candidates, filter and judge of search, but without a fork to try them on.

    branches: candidates a step. asks: how often they are sampled at most, until one passes the filter.
    What had no effect is not tried again in the same state.
    """

    branches: int = 4
    asks: int = 2
    sampling: Sampling = VARIED
    name: str = "react+retry"
    access: Access = "none"

    async def walk(self, tree: Tree, judge: Judge) -> Outcome:
        at = tree.plant()
        barred: frozenset[str] = frozenset()
        while (stop := tree.spent()) is None:
            at, step = await judged_step(
                tree, at, self.branches, self.sampling, judge, tree.world, barred, self.asks
            )
            if await tree.over(at, step):
                break
            action = tree.trace.nodes[at].action
            if action is not None:  # a malformed turn leaves the state as it was
                barred = barred | {action.key} if step.admissible is False else frozenset()
        return Outcome(at, tree.world, stop)


async def judged_step(
    tree: Tree,
    at: int,
    branches: int,
    sampling: Sampling,
    judge: Judge,
    world: World,
    barred: frozenset[str] = frozenset(),
    asks: int = 1,
) -> tuple[int, Step]:
    """Propose, judge before anything is executed, and execute the one that is preferred.

    When nothing survives the filter, the first answer is executed as it is: a turn is a turn.
    """
    proposed = await propose(tree, at, branches, sampling, barred)
    for _ in range(asks - 1):
        if not proposed.kept and tree.spent() is None:
            proposed = await propose(tree, at, branches, sampling, barred)
    if not proposed.kept:
        first = proposed.dropped[0]
        return first, tree.execute(first, world)
    nodes = [tree.grow(at, candidate, None) for candidate in proposed.kept]
    best = max(await tree.judged(judge, nodes), key=lambda judgement: judgement.value).node
    return best, tree.execute(best, world)
