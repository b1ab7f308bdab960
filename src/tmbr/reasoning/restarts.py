"""Several paths, each from the start: the paper's method, Reflexion, and best-of-n.

A path that has grown long without an end is poor: without the score there is no other way to tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from tmbr.core.protocols import Judge, Model, Outcome, World
from tmbr.core.types import Access, Sampling
from tmbr.reasoning.decompose import Division, in_parts
from tmbr.reasoning.judges import YesNo
from tmbr.reasoning.paths import judged_step
from tmbr.reasoning.prompts import prompt
from tmbr.reasoning.tree import VARIED, Tree
from tmbr.reasoning.walk import Walk

POOR = "path limit"


@dataclass(frozen=True, slots=True)
class Paper(Walk):
    """The paper's reasoning (arXiv 2403.19962, section 3.3).

    A planner lists `subtasks` (0: the task stays whole); at each step `num_branch` actions are
    proposed, of which the judge picks one before any is executed; after it the judge says whether the
    subtask is complete. From a poor path the agent goes back to the start and is told to avoid it, for
    `num_path` paths at most. Planner and judge are the acting model where no judge is named.
    path_steps: a path this long that has not ended is poor; None is all but one of the world's rounds.
    """

    num_branch: int = 2
    num_path: int = 2
    subtasks: int = 3
    path_steps: int | None = None
    sampling: Sampling = VARIED
    name: str = "paper"
    access: Access = "restart"

    def default_judge(self, model: Model) -> Judge:
        return YesNo(model)

    async def walk(self, tree: Tree, judge: Judge) -> Outcome:
        async def follow(note: str, world: World, path: _Path) -> Outcome:
            at = tree.plant(note)
            if not self.subtasks:
                return await path.follow(tree, at, world, judge)

            async def part(tree: Tree) -> Outcome:
                return await path.follow(tree, tree.plant(), tree.world, judge)

            return await in_parts(tree, at, world, Division(self.subtasks), part)

        async def learn(leaf: int) -> str:
            return prompt("restart", actions=_tried(tree, leaf))

        shape = _Path(self.num_branch, self.sampling, tree.longest(self.path_steps))
        return await _restarts(tree, self.num_path, shape, follow, learn)


@dataclass(frozen=True, slots=True)
class Reflexion(Walk):
    """After a poor path the model says what went wrong, and begins again (Shinn et al., 2023).

    trials: paths at most. lessons: so many of the last reflections are told.
    """

    trials: int = 3
    lessons: int = 3
    path_steps: int | None = None
    sampling: Sampling = VARIED
    name: str = "reflexion"
    access: Access = "restart"

    async def walk(self, tree: Tree, judge: Judge) -> Outcome:
        learnt: list[str] = []

        async def follow(note: str, world: World, path: _Path) -> Outcome:
            return await path.follow(tree, tree.plant(note), world, judge)

        async def learn(leaf: int) -> str:
            if tree.spent() is None:
                node = await tree.say(leaf, prompt("reflect"), "reflect", self.sampling)
                learnt.append(tree.trace.nodes[node].message.content.strip())
            return prompt("lessons", lessons=learnt[-self.lessons :])

        shape = _Path(1, self.sampling, tree.longest(self.path_steps))
        return await _restarts(tree, self.trials, shape, follow, learn)


@dataclass(frozen=True, slots=True)
class BestOfN(Walk):
    """n whole paths, of which the judge selects one; what ends an episode waits until it has.

    A path that the world itself ends is taken: nothing is taken back.
    """

    n: int = 4
    path_steps: int | None = None
    sampling: Sampling = VARIED
    name: str = "best-of-n"
    access: Access = "restart"

    async def walk(self, tree: Tree, judge: Judge) -> Outcome:
        root = tree.plant()
        ends: list[_End] = []
        over = None
        for _ in range(self.n):
            end, over = await self._path(tree, root)
            ends.append(end)
            if over or tree.spent() is not None:
                break
        if over:
            return Outcome(ends[-1].node, ends[-1].world)
        values = await tree.judged(judge, [end.node for end in ends])
        said = Counter(end.last for end in ends)
        found = zip(ends, values, strict=True)
        best, _ = max(found, key=lambda f: (f[0].untried, f[1].value, said[f[0].last], -f[0].node))
        stop = tree.spent()
        if best.untried and tree.steps_left:
            tree.execute(best.node, best.world)
        return Outcome(best.node, best.world, stop)

    async def _path(self, tree: Tree, at: int) -> tuple[_End, bool]:
        """Where a path leads, and whether the episode has ended there."""
        world = tree.world.fork()
        for _ in range(tree.longest(self.path_steps)):
            if tree.spent() is not None:
                break
            candidate = (await tree.ask(at, 1, self.sampling))[0]
            if candidate.action is None:
                at, step = tree.act(at, candidate, world)
            elif (seen := world.look(candidate.action)) is None:
                return _End(tree.grow(at, candidate, None), world, candidate.action.key, True), False
            else:
                world.close()
                world, _ = seen
                at, step = tree.grow(at, candidate, None), world.commit()
                tree.answer(at, step)
            if step.done:
                return _End(at, world), True
        return _End(at, world), False


@dataclass(frozen=True, slots=True)
class _End:
    """Of a path: its last node, the world there, and the action that is still to be executed."""

    node: int
    world: World
    last: str = ""
    untried: bool = False


@dataclass(slots=True)
class _Path:
    """How a path is followed. branches: proposals a step. limit: turns; None is no limit."""

    branches: int
    sampling: Sampling
    limit: int | None
    turns: int = 0

    async def follow(self, tree: Tree, at: int, world: World, judge: Judge) -> Outcome:
        """Turn by turn, until the episode or this part of it ends, or the path is poor."""
        while (stop := tree.spent()) is None:
            if self.limit is not None and self.turns >= self.limit:
                return Outcome(at, world, POOR)
            self.turns += 1
            at, step = await judged_step(tree, at, self.branches, self.sampling, judge, world)
            if await tree.over(at, step):
                break
        return Outcome(at, world, stop)


async def _restarts(
    tree: Tree,
    paths: int,
    shape: _Path,
    follow: Callable[[str, World, _Path], Awaitable[Outcome]],
    learn: Callable[[int], Awaitable[str]],
) -> Outcome:
    """Follow one path after another, each told what was learnt; the last is never given up."""
    note = ""
    for _ in range(paths - 1):
        outcome = await follow(note, tree.world.fork(), replace(shape))
        if outcome.stop != POOR:
            return outcome
        note = await learn(outcome.leaf)
        outcome.world.close()
    return await follow(note, tree.world.fork(), replace(shape, limit=None))


def _tried(tree: Tree, leaf: int) -> list[str]:
    """What the path did; not what lies before the node from which the episode goes on."""
    given = -1 if tree.episode.start is None else tree.episode.start
    nodes = [tree.trace.nodes[index] for index in tree.trace.branch(leaf) if index > given]
    actions = [node.action for node in nodes if node.action is not None]
    return [", ".join(action.arguments.values()) or action.name for action in actions]
