"""Turns that did nothing are cut, and what is left still solves the task in a fresh world."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.teacher.playing import played
from tmbr.cli.tasks import make_task
from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Action, Step
from tmbr.teacher.idle import Played, idle, replay, without
from tmbr.teacher.trees import sft_rows


@settings(max_examples=30)
@given(
    st.sampled_from((("household", "text"), ("household", "agentbench"), ("database", "text"))),
    st.sampled_from(("react", "react+retry", "paper", "mcts")),
    st.integers(0, 60),
    st.sampled_from(("noisy-expert:0.4", "noisy-expert:0.3:slips")),
)
def test_what_is_left_solves_the_task_with_the_same_answers(
    world: tuple[str, str], name: str, at: int, model: str
) -> None:
    trace, _ = played(world[0], name, at, model=model, form=world[1])
    assert trace.finish is not None
    leaf = trace.finish.leaf
    again = partial(replay, make_task(world[0], "generated", world[1]), trace.sample)
    cut = idle(trace, leaf, again)
    if not trace.finish.score.success:
        assert cut == []
        return
    short = without(trace, cut)
    kept = [i for i in short.branch(leaf) if short.nodes[i].kind == "act"]
    assert set(kept) == {i for i in trace.branch(leaf) if trace.nodes[i].kind == "act"} - set(cut)
    found = again([short.nodes[i].action for i in kept])
    assert found.success
    steps = [node.step for node in map(short.nodes.__getitem__, kept) if node.step]
    assert [s.observation for s in steps] == [s.observation for s in found.steps]
    said = [
        t.message for row in sft_rows(short, leaf) for t in row.turns if t.message.role == "assistant"
    ]
    assert said == [short.nodes[i].message for i in kept]
    assert idle(short, leaf, again) == []


def test_malformed_and_refused_turns_of_a_real_episode_are_cut() -> None:
    cuts = 0
    for at in range(12):
        trace, _ = played("household", "react", at, model="noisy-expert:0.4")
        assert trace.finish is not None
        if trace.finish.score.success:
            task = make_task("household", "generated", "text")
            cut = idle(trace, trace.finish.leaf, partial(replay, task, trace.sample))
            malformed = [i for i in trace.branch(trace.finish.leaf) if trace.nodes[i].error]
            assert set(malformed) <= set(cut)
            cuts += len(cut)
    assert cuts > 5


@pytest.mark.parametrize("broken", ["success", "answer", "world"])
def test_nothing_is_cut_where_a_replay_disagrees(broken: str) -> None:
    trace, _ = played("household", "react", 0, model="noisy-expert:0.3:slips")
    assert trace.finish is not None
    task = make_task("household", "generated", "text")

    def disagrees(actions: list[Action | None]) -> Played:
        if broken == "world":
            raise EnvironmentFault("the server is gone")
        found = replay(task, trace.sample, actions)
        if broken == "success":
            return Played(found.steps, False)
        return Played((*found.steps[:-1], Step("otherwise")), True)

    assert idle(trace, trace.finish.leaf, disagrees) == []  # type: ignore[arg-type]
