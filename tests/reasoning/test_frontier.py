"""What the published tree searches do with the same judge, as golden trees; and how they grow."""

from __future__ import annotations

import pytest

from tests.reasoning.playing import Likes, always, doors, drawn, play
from tests.support.doors import Wanderer
from tmbr.core.trace import Budget
from tmbr.reasoning.frontier import Best, Bounds, Deepen, Frontier, Level, State
from tmbr.reasoning.search import Beam, BestFirst, Mcts, Search

LIKES = Likes(
    {"a": 0.6, "b": 0.5, "aa": 0.4, "ab": 0.3, "ba": 0.9, "bb": 0.2, "baa": 0.3, "bab": 0.35}
    | {"aaa": 0.8, "aab": 0.7}
)
TREES = {
    # `b` at 0.50 beats `aa` at 0.40, `ba` at 0.90 all others, and what it leads to not even `aa`.
    "best-first": (
        "* root\n"
        "  * open a 0.60\n"
        "    * open a 0.40\n"
        "    + open b 0.30\n"
        "  + open b 0.50\n"
        "    + open a 0.90\n"
        "      + open a 0.30\n"
        "      + open b 0.35\n"
        "    + open b 0.20\n"
        "task limit reached, call budget, score 0"
    ),
    # Both of the first level, then the two best of the second, `ba` and `aa`.
    "beam": (
        "* root\n"
        "  * open a 0.60\n"
        "    * open a 0.40\n"
        "    + open b 0.30\n"
        "  + open b 0.50\n"
        "    + open a 0.90\n"
        "      + open a 0.30\n"
        "      + open b 0.35\n"
        "    + open b 0.20\n"
        "task limit reached, call budget, score 0"
    ),
    # `b` is visited after `a`, and the 0.90 of its child is backed up, so that `bab` goes before `aa`.
    "mcts": (
        "* root\n"
        "  + open a 0.60\n"
        "    + open a 0.40\n"
        "    + open b 0.30\n"
        "  * open b 0.50\n"
        "    * open a 0.90\n"
        "      + open a 0.30\n"
        "      * open b 0.35\n"
        "    + open b 0.20\n"
        "task limit reached, call budget, score 0"
    ),
}


@pytest.mark.parametrize(
    "search", [BestFirst(branches=2), Beam(branches=2), Mcts(branches=2)], ids=lambda s: s.name
)
def test_who_is_next(search: Search) -> None:
    model = always("open a", "open b")
    trace = play(search, model, doors("bbbb"), judge=LIKES, budget=Budget(calls=4))
    assert drawn(trace) == TREES[search.name]


@pytest.mark.parametrize("search", [BestFirst(), Beam(), Mcts()], ids=lambda s: s.name)
@pytest.mark.parametrize("way", ["ab", "bba", "abab"])
def test_every_look_is_charged_once(search: Search, way: str) -> None:
    trace = play(search, Wanderer(), doors(way), budget=Budget(steps=60))
    stepped = [node for node in trace.nodes if node.step]
    assert trace.spent.steps + trace.spent.steps_on_forks == len(stepped)


def test_the_seldom_visited_gets_its_turn() -> None:
    """A subtree of good values is left for a worse one when it has been visited often enough."""
    root, frontier = State(0, None, 1.0, 0), Bounds(explore=1.0)  # type: ignore[arg-type]
    good, poor = _child(root, 1, 0.9), _child(root, 2, 0.5)
    frontier.add([good, poor])
    assert frontier.take(root) is good
    good.open = False
    deeper = [_child(good, number, 0.9) for number in range(3, 9)]
    frontier.add(deeper)
    taken = []
    here = good
    while poor not in taken:
        here = _taken(frontier, here)
        taken.append(here)
    assert 1 < len(taken) < 6


def test_a_level_keeps_its_width_and_closes_the_rest() -> None:
    closed: list[int] = []
    frontier = Level(width=2)
    root = State(0, _Closing(closed, 0), 1.0, 0)  # type: ignore[arg-type]
    frontier.add(
        [_child(root, number, value, closed) for number, value in ((1, 0.2), (2, 0.9), (3, 0.5))]
    )
    assert [_taken(frontier, root).node for _ in range(2)] == [2, 3]
    assert closed == [1]


@pytest.mark.parametrize(
    "frontier", [Deepen(), Best(), Level(9), Bounds(0.5)], ids=lambda f: type(f).__name__
)
def test_each_open_state_is_taken_once_and_then_none(frontier: Frontier) -> None:
    root = State(0, None, 1.0, 0)  # type: ignore[arg-type]
    frontier.add([_child(root, number, number / 10) for number in range(1, 6)])
    here, taken = root, []
    while (state := frontier.take(here)) is not None:
        state.open = False
        taken.append(state.node)
        here = state
    assert taken == [5, 4, 3, 2, 1]


class _Closing:
    """A world that tells when it is closed."""

    def __init__(self, closed: list[int], number: int) -> None:
        self._closed, self._number = closed, number

    def close(self) -> None:
        self._closed.append(self._number)


def _child(parent: State, node: int, value: float, closed: list[int] | None = None) -> State:
    world = _Closing(closed if closed is not None else [], node)
    child = State(node, world, value, parent.depth + 1, parent=parent, open=True)  # type: ignore[arg-type]
    parent.children.append(child)
    return child


def _taken(frontier: Frontier, here: State) -> State:
    state = frontier.take(here)
    assert state is not None
    state.open = False
    return state
