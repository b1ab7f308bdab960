"""Search on worlds that fork: propose, look, judge, commit, and go back.

The agent stands in one state. It tries its candidates on forks and keeps those worth it as open
states, each with its own living world; then it goes on from one of them, wherever in the tree that is.
Which one is the frontier's choice, and the strategies differ in nothing else.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace

from tmbr.core.errors import EnvironmentFault
from tmbr.core.protocols import Judge, Outcome
from tmbr.core.types import Access, Sampling, Step
from tmbr.reasoning import frontier
from tmbr.reasoning.frontier import Frontier, State
from tmbr.reasoning.paths import judged_step
from tmbr.reasoning.propose import propose
from tmbr.reasoning.tree import VARIED, Candidate, Tree
from tmbr.reasoning.variety import Said, Variety
from tmbr.reasoning.walk import Walk

#: So many turns in a row may be judged bad before the agent goes back.
PATIENCE = 2


@dataclass(frozen=True, slots=True)
class Search(Walk):
    """branches: candidates a step. keep: states judged below it are closed.

    path_steps: a path this long that has not ended is judged bad; None is all but one of the world's
    rounds. asks: how often candidates are sampled in one state before it is given up. adapt: under a
    budget of tokens, ask for fewer where they never differ.
    """

    branches: int = 4
    keep: float = 0.2
    path_steps: int | None = None
    asks: int = 2
    adapt: bool = True
    sampling: Sampling = VARIED
    name: str = "search"
    access: Access = "fork"

    @abstractmethod
    def frontier(self) -> Frontier: ...

    async def walk(self, tree: Tree, judge: Judge) -> Outcome:
        return await _Walk(self, tree, judge, self.frontier()).run()


@dataclass(frozen=True, slots=True)
class Multibranch(Search):
    """The best child, and back to the best open state when there is none."""

    name: str = "multibranch"

    def frontier(self) -> Frontier:
        return frontier.Deepen()


@dataclass(frozen=True, slots=True)
class BestFirst(Search):
    """Always the best open state (Koh et al., 2024)."""

    name: str = "best-first"

    def frontier(self) -> Frontier:
        return frontier.Best()


@dataclass(frozen=True, slots=True)
class Beam(Search):
    """Level by level (Tree of Thoughts, Yao et al., 2023). width: states kept of a level."""

    width: int = 2
    name: str = "beam"

    def frontier(self) -> Frontier:
        return frontier.Level(self.width)


@dataclass(frozen=True, slots=True)
class Mcts(Search):
    """By upper confidence bounds (LATS, Zhou et al., 2024). explore: weight of the seldom visited."""

    explore: float = 0.5
    name: str = "mcts"

    def frontier(self) -> Frontier:
        return frontier.Bounds(self.explore)


@dataclass(slots=True)
class _Walk:
    settings: Search
    tree: Tree
    judge: Judge
    frontier: Frontier
    variety: Variety = field(default_factory=Variety)
    poor_turns: int = 0

    async def run(self) -> Outcome:
        """Walk until the world ends the episode or the budget is spent."""
        root = here = State(self.tree.plant(), self.tree.world.fork(), 1.0, 0)
        longest = self.tree.longest(self.settings.path_steps)
        while (stop := self.tree.spent()) is None:
            poor = await self._expand(here) if here.depth < longest else None
            chosen = self._choose(here, poor)
            if chosen is None:
                here, step = await self._plain_turn(here)
            else:
                here, step = chosen, self._go(here, chosen)
            if await self.tree.over(here.node, step):
                break
        else:
            here = self._last_word(root, here)
        return Outcome(here.node, here.world, stop)

    def _choose(self, here: State, poor: State | None) -> State | None:
        """Where to go on. poor: a turn that was judged bad and is all that the model says here; the
        world's answer to it may help more than going back, once or twice, or where nothing is open."""
        insists = poor is not None and self.poor_turns < PATIENCE
        chosen = None if insists else self.frontier.take(here)
        if chosen is None and poor is not None:
            self.poor_turns += 1
            here.children.append(poor)
            return poor
        if poor is not None:
            poor.world.close()
        self.poor_turns = 0
        return chosen

    def _go(self, here: State, chosen: State) -> Step:
        """Commit a state and leave the one before."""
        here.world.close()
        chosen.open = False
        if chosen.untried:
            return self.tree.execute(chosen.node, chosen.world)
        step = chosen.world.commit()
        self.tree.answer(chosen.node, step)
        return step

    async def _plain_turn(self, here: State) -> tuple[State, Step]:
        """Nothing is open: take a turn as a single path would, and hear what the world says."""
        node, step = await judged_step(
            self.tree, here.node, 1, self.settings.sampling, self.judge, world=here.world
        )
        after = State(node, here.world, here.value, here.depth + 1, parent=here)
        here.children.append(after)
        return after, step

    def _last_word(self, root: State, here: State) -> State:
        """The budget is spent: of the actions that end the episode the best is executed, if one was
        proposed and a step is left for it. In a part of an episode another part may have it."""
        if self.tree.part or not self.tree.steps_left:
            return here
        ends = [state for state in _states(root) if state.open and state.untried]
        if not ends:
            return here
        best = min(ends, key=lambda s: (*s.rank, -s.depth, s.node))
        self._go(here, best)
        return best

    async def _expand(self, state: State) -> State | None:
        """Give a state its open children: candidates looked at on forks and judged worth keeping.

        Where there are none and all answers were alike, it is that turn which is returned.
        """
        barred: frozenset[str] = frozenset()
        said: Said = frozenset()
        for _ in range(self.settings.asks):
            if self.tree.spent() is not None:
                break
            width = self._width(again=bool(said))
            proposed = await propose(self.tree, state.node, width, self._sampling(width), barred)
            self.variety.note(said, proposed.said, width, proposed.usage)
            said |= proposed.said
            looked = [found for c in proposed.kept if (found := self._look(state, c)) is not None]
            poor = await self._judged(looked)
            state.children = [found for found in looked if found.open]
            self._set_twins(state.children)
            self.frontier.add(state.children)
            if not state.children and len(said) == 1 and (width > 1 or self.variety.none):
                return self._insisted(state, poor, proposed.dropped)
            for found in poor:
                found.world.close()
            if state.children:
                break
            barred |= {c.action.key for c in proposed.kept if c.action}
        return None

    def _width(self, again: bool) -> int:
        """Tokens that are not counted need not be saved."""
        most, dear = self.settings.branches, self.tree.episode.budget.tokens is not None
        return self.variety.width(most) if dear and self.settings.adapt and not again else most

    def _sampling(self, width: int) -> Sampling:
        """One answer is the likeliest; several differ."""
        sampling = self.settings.sampling
        return sampling if width > 1 else replace(sampling, temperature=0.0)

    def _look(self, state: State, candidate: Candidate) -> State | None:
        """Try a candidate on a fork. One that ends the episode is not tried, only kept beside it.

        None when the budget has no step left, or when the world broke in this fork.
        """
        assert candidate.action is not None, "the filter keeps actions only"
        try:
            seen = state.world.look(candidate.action)
        except EnvironmentFault as fault:
            self.tree.grow(state.node, candidate, None, f"the world broke: {fault}")
            return None
        if seen is not None:
            world, step = seen
            node = self.tree.grow(state.node, candidate, step)
            return State(node, world, 0.0, state.depth + 1, parent=state)
        if not self.tree.steps_left:
            self.tree.grow(state.node, candidate, None, "not looked at")
            return None
        node = self.tree.grow(state.node, candidate, None)
        return State(node, state.world.fork(), 0.0, state.depth + 1, untried=True, parent=state)

    async def _judged(self, looked: list[State]) -> list[State]:
        """Value what was looked at; what is worth keeping is open, the others are returned."""
        judgements = await self.tree.judged(self.judge, [state.node for state in looked])
        for state, judgement in zip(looked, judgements, strict=True):
            state.value = judgement.value
            state.open = judgement.value >= self.settings.keep
        return [state for state in looked if not state.open]

    def _set_twins(self, children: list[State]) -> None:
        """Of those for which the world showed the same, all but the best."""
        shown: set[str] = set()
        for state in sorted(children, key=lambda s: (*s.rank, s.node)):
            if (step := self.tree.trace.nodes[state.node].step) is not None:
                state.twin = step.observation in shown
                shown.add(step.observation)

    def _insisted(self, state: State, poor: list[State], dropped: tuple[int, ...]) -> State | None:
        """The one turn that all answers are: an action that was judged bad, or none at all. None where
        the conversation has no room for an answer: to take that turn would end all branches."""
        if poor:
            return poor[0]
        first = self.tree.trace.nodes[dropped[0]]
        if first.action is None and not first.out_of_room:
            return State(
                dropped[0], state.world.fork(), 0.0, state.depth + 1, untried=True, parent=state
            )
        return None


def _states(root: State) -> list[State]:
    """A state and all below it."""
    found = [root]
    for state in found:
        found += state.children
    return found
