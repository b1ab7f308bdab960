"""Multi-branch reasoning on worlds that fork: propose, look, judge, commit, and go back.

The agent stands in one state. It tries its candidates on forks, commits the best, and keeps the others
as open states, each with its own living world. When the path is judged bad (nothing is left to try, or
it has grown long without an end), it goes on from the best open state, wherever in the tree that is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tmbr.core.protocols import Episode, Judge, Model, Outcome, World
from tmbr.core.types import Access, Sampling, Step
from tmbr.reasoning.judges import default_judge
from tmbr.reasoning.paths import judged_step
from tmbr.reasoning.propose import propose
from tmbr.reasoning.tree import VARIED, Candidate, Tree


@dataclass(frozen=True, slots=True)
class State:
    """A place to go on from; it owns its world, in which `node` has just been looked at.

    untried: `node` ends the episode, so it was judged without a look, and the world is still that of
    its parent.
    """

    node: int
    world: World
    value: float
    depth: int
    untried: bool = False

    @property
    def rank(self) -> tuple[float, bool]:
        """What was seen goes before what was not, at the same value."""
        return self.value, not self.untried


@dataclass(frozen=True, slots=True)
class Multibranch:
    """branches: candidates a step. keep: states judged below it are closed.

    path_steps: a path this long that has not ended is judged bad. asks: how often candidates are
    sampled in one state before it is given up.
    """

    branches: int = 4
    keep: float = 0.2
    path_steps: int = 19
    asks: int = 2
    sampling: Sampling = VARIED
    name: str = "multibranch"
    access: Access = "fork"

    async def solve(self, episode: Episode, model: Model, judge: Judge | None, seed: int) -> Outcome:
        return await _Search(self, Tree(episode, model, seed), judge or default_judge()).run()


@dataclass(slots=True)
class _Search:
    settings: Multibranch
    tree: Tree
    judge: Judge
    open: list[State]

    def __init__(self, settings: Multibranch, tree: Tree, judge: Judge) -> None:
        self.settings = settings
        self.tree = tree
        self.judge = judge
        self.open = []

    async def run(self) -> Outcome:
        """Walk until the world ends the episode or the budget is spent."""
        here = State(self.tree.plant(), self.tree.episode.world.fork(), 1.0, 0)
        while (stop := self.tree.spent()) is None:
            children = await self._expand(here) if here.depth < self.settings.path_steps else []
            if children or self.open:
                here, step = self._go_on(here, children)
            else:
                here, step = await self._plain_turn(here)
            if step.done:
                break
        return Outcome(here.node, here.world, stop)

    def _go_on(self, here: State, children: list[State]) -> tuple[State, Step]:
        """Commit the best child; without one, go back to the best open state anywhere in the tree."""
        if children:
            best = max(children, key=lambda state: state.rank)
            self.open += [child for child in children if child is not best]
        else:
            best = max(self.open, key=lambda state: (*state.rank, -state.depth))
            self.open.remove(best)
        here.world.close()
        if best.untried:
            return best, self.tree.execute(best.node, best.world)
        step = best.world.commit()
        self.tree.answer(best.node, step)
        return best, step

    async def _plain_turn(self, here: State) -> tuple[State, Step]:
        """Nothing is open: take a turn as a single path would, and hear what the world says."""
        node, step = await judged_step(
            self.tree, here.node, 1, self.settings.sampling, self.judge, world=here.world
        )
        return State(node, here.world, here.value, here.depth + 1), step

    async def _expand(self, state: State) -> list[State]:
        """The open children of a state: candidates looked at on forks and judged worth keeping."""
        barred: frozenset[str] = frozenset()
        for _ in range(self.settings.asks):
            if self.tree.spent() is not None:
                break
            proposed = await propose(
                self.tree, state.node, self.settings.branches, self.settings.sampling, barred
            )
            looked = [found for c in proposed.kept if (found := self._look(state, c)) is not None]
            children = await self._judged(looked)
            if children:
                return children
            barred |= {c.action.key for c in proposed.kept if c.action}
        return []

    def _look(self, state: State, candidate: Candidate) -> State | None:
        """Try a candidate on a fork. One that ends the episode is not tried, only kept beside it.

        None when the budget has no step left.
        """
        assert candidate.action is not None, "the filter keeps actions only"
        seen = state.world.look(candidate.action)
        if seen is not None:
            world, step = seen
            return State(self.tree.grow(state.node, candidate, step), world, 0.0, state.depth + 1)
        if self.tree.spent() is not None:
            self.tree.grow(state.node, candidate, None, "not looked at")
            return None
        node = self.tree.grow(state.node, candidate, None)
        return State(node, state.world.fork(), 0.0, state.depth + 1, untried=True)

    async def _judged(self, looked: list[State]) -> list[State]:
        """Those that are worth keeping, with their values."""
        judgements = await self.tree.judged(self.judge, [state.node for state in looked])
        children = []
        for state, judgement in zip(looked, judgements, strict=True):
            if judgement.value >= self.settings.keep:
                children.append(replace(state, value=judgement.value))
            else:
                state.world.close()
        return children
