"""How many candidates are worth asking for."""

from __future__ import annotations

import pytest

from tests.reasoning.playing import always, doors, play
from tmbr.core.trace import Budget
from tmbr.core.types import Usage
from tmbr.reasoning.search import Multibranch
from tmbr.reasoning.variety import Variety


def test_where_answers_never_differ_or_are_dear_fewer_are_asked_for() -> None:
    look, other, third = "look", "inventory", "help"
    dear, cheap = Usage(prompt=100, generated=2 * 50), Usage(prompt=1000, generated=2 * 5)
    agreeing, differing, long = Variety(), Variety(), Variety()
    assert agreeing.width(4) == 2
    for _ in range(12):
        agreeing.note(frozenset(), frozenset({look}), 2, dear)
        differing.note(frozenset(), frozenset({look, other}), 2, cheap)
        long.note(frozenset(), frozenset({look, other}), 2, dear)
    assert (agreeing.width(4), agreeing.none) == (1, True)
    assert (differing.width(4), differing.none) == (4, False)
    assert long.width(8) == 5
    before = agreeing.rate
    agreeing.note(frozenset({look}), frozenset({third}), 4, dear)  # asked again in the same state
    assert agreeing.rate > before
    assert agreeing.later == 12 + 4


@pytest.mark.parametrize(
    ("budget", "most"), [(Budget(steps=99), 4), (Budget(tokens=9999), 2)], ids=["free", "dear"]
)
def test_only_tokens_that_are_counted_are_saved(budget: Budget, most: int) -> None:
    trace = play(Multibranch(keep=0.0), always("open a"), doors("aaaa"), budget=budget)
    asked = [sum(n.parent == at and n.sampled for n in trace.nodes) for at in range(len(trace.nodes))]
    assert max(asked) == most
