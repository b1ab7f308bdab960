"""Which open state is next? The one choice by which the published tree searches differ.

All of them stand in a state, expand it, and go on from an open one; going on commits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from tmbr.core.protocols import World


@dataclass(slots=True, eq=False)
class State:
    """A place to go on from; it owns its world, in which `node` has just been looked at.

    untried: `node` ends the episode, so it was judged without a look, and the world is still that of
    its parent. open: nobody has gone on from it. twin: the world showed what it showed for a sibling
    that is judged no worse. visits and total: of the values backed up through it. alive: open states
    in its subtree.
    """

    node: int
    world: World
    value: float
    depth: int
    untried: bool = False
    parent: State | None = None
    children: list[State] = field(default_factory=list)
    open: bool = False
    twin: bool = False
    visits: int = 1
    total: float = 0.0
    alive: int = 0

    @property
    def rank(self) -> tuple[bool, float, bool]:
        """Least is best: what looks like another goes last, for it is likely to be the same; at the
        same value what was seen goes before what was not."""
        return self.twin, -self.value, self.untried

    def line(self) -> Iterator[State]:
        """This state and those before it."""
        at: State | None = self
        while at is not None:
            yield at
            at = at.parent


class Frontier(Protocol):
    """The open states of one search."""

    def add(self, children: list[State]) -> None: ...

    def take(self, here: State) -> State | None:
        """Take the state to go on from, after `here` was expanded; None when there is none."""
        ...


@dataclass(slots=True)
class Heap:
    """Open states by a key, the least first."""

    deeper_first: bool
    _heap: list[tuple[bool, float, bool, int, int, State]] = field(default_factory=list)

    def add(self, children: list[State]) -> None:
        for state in children:
            depth = -state.depth if self.deeper_first else state.depth
            heappush(self._heap, (*state.rank, depth, state.node, state))

    def take(self) -> State | None:
        while self._heap:
            state = heappop(self._heap)[-1]
            if state.open:
                return state
        return None


class Deepen:
    """The best child of where we are; without one, the best open state anywhere (multibranch)."""

    def __init__(self) -> None:
        self._all = Heap(deeper_first=False)

    def add(self, children: list[State]) -> None:
        self._all.add(children)

    def take(self, here: State) -> State | None:
        children = [child for child in here.children if child.open]
        return min(children, key=lambda s: (*s.rank, s.node)) if children else self._all.take()


class Best:
    """The best open state anywhere, the deeper one of equals (Koh et al., 2024)."""

    def __init__(self) -> None:
        self._all = Heap(deeper_first=True)

    def add(self, children: list[State]) -> None:
        self._all.add(children)

    def take(self, here: State) -> State | None:  # noqa: ARG002
        return self._all.take()


class Level:
    """All of a level before the next, of which only the best `width` are kept (Yao et al., 2023)."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._level: list[State] = []
        self._below: list[State] = []

    def add(self, children: list[State]) -> None:
        self._below += children

    def take(self, here: State) -> State | None:  # noqa: ARG002
        if not self._level:
            self._below.sort(key=lambda s: (*s.rank, s.node), reverse=True)
            cut = max(0, len(self._below) - self._width)
            for state in self._below[:cut]:
                state.open = False
                state.world.close()
            self._level, self._below = self._below[cut:], []
        return self._level.pop() if self._level else None


class Bounds:
    """Down from the root by upper confidence bounds, the children's best value backed up (Zhou et al.,
    2024). explore: weight of what was seldom visited."""

    def __init__(self, explore: float) -> None:
        self._explore = explore

    def add(self, children: list[State]) -> None:
        for child in children:
            child.total = child.value
            for state in child.line():
                state.alive += 1

    def take(self, here: State) -> State | None:
        value = max((child.value for child in here.children), default=0.0)
        *_, root = here.line()
        for state in here.line():
            state.visits += 1
            state.total += value
        if not root.alive:
            return None
        at = root
        while not at.open:
            parent = at
            alive = (child for child in at.children if child.alive)
            at = max(alive, key=lambda c: (not c.twin, self._bound(c, parent), -c.node))
        for state in at.line():
            state.alive -= 1
        return at

    def _bound(self, state: State, parent: State) -> float:
        explored = math.sqrt(math.log(parent.visits) / state.visits)
        return state.total / state.visits + self._explore * explored
