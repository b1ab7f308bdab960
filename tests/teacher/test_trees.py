"""Rows from trees: detours cut or told, and never a word that the model was not shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import grown, traces
from tests.teacher.playing import played
from tmbr.core.conversation import conversation, spoken
from tmbr.core.rows import Turn, rows, teaches
from tmbr.core.trace import Finish, Node, Trace
from tmbr.core.types import Message, Score
from tmbr.teacher.trees import conversations, depths, detours, sft_rows

NAMES = ("react", "react+retry", "paper", "reflexion", "best-of-n", "beam", "mcts", "multibranch")


def _text(turns: tuple[Turn, ...]) -> list[tuple[str, str, float]]:
    return [(turn.message.role, turn.message.content, turn.loss) for turn in turns]


@settings(max_examples=25)
@given(
    st.sampled_from(("household", "database")),
    st.sampled_from(NAMES),
    st.integers(0, 40),
    st.integers(0, 9),
)
def test_what_was_shown_is_read_back_word_for_word(world: str, name: str, at: int, seed: int) -> None:
    trace, listening = played(world, name, at, seed=seed)
    calls = {asked for asked, _ in listening.calls}
    for index, node in enumerate(trace.nodes):
        assert [m for m, _ in spoken(trace, trace.conversation(index))] == conversation(
            trace, index
        ).messages()
        if node.sampled and node.context is not None:
            assert tuple(conversation(trace, node.context).messages()) in calls
    for row in rows([trace], keep=lambda t: [t.finish.leaf] if t.finish else []):
        for at_, turn in enumerate(row.turns):
            if turn.loss:
                assert tuple(t.message for t in row.turns[:at_]) in calls


@settings(max_examples=25)
@given(
    st.sampled_from(("household", "database")),
    st.sampled_from(NAMES),
    st.integers(0, 40),
    st.integers(0, 9),
)
def test_a_cut_row_trains_the_branch_and_holds_nothing_else(
    world: str, name: str, at: int, seed: int
) -> None:
    trace, _ = played(world, name, at, seed=seed)
    assert trace.finish is not None
    branch = [trace.nodes[i] for i in trace.branch(trace.finish.leaf)]
    good = [node.message for node in branch if node.kind == "act" and teaches(node)]
    made = sft_rows(trace, trace.finish.leaf)
    if not good:
        assert made == []
        return
    (row,) = made
    assert [turn.message for turn in row.turns if turn.loss] == good
    said = [turn.message for turn in row.turns if turn.message.role == "assistant"]
    assert said == [node.message for node in branch if node.kind == "act"]
    told = sft_rows(trace, trace.finish.leaf, corrections=0.25)[0]
    assert [t.message for t in told.turns if t.loss == 1.0] == good
    assert all(
        one.message.role != after.message.role
        for one, after in zip(told.turns, told.turns[1:], strict=False)
    )


def test_the_prompt_of_a_restart_loses_its_words_about_the_failed_path() -> None:
    trace = traces.restart()
    assert trace.finish is not None
    (row,) = sft_rows(trace, trace.finish.leaf)
    first = [trace.nodes[0].message, trace.nodes[1].message]
    assert [turn.message for turn in row.turns[:2]] == first
    assert not any("did not help" in turn.message.content for turn in row.turns)
    (told,) = sft_rows(trace, trace.finish.leaf, corrections=0.0)
    assert "did not help. Go another way." in told.turns[1].message.content


def _detour() -> Trace:
    """Left of the hall twice, then right: what was entered and left comes before its mending."""
    grown_ = grown.Grown(grown.sample(), grown.run("mcts", "fork"))
    looked = grown_.act(grown_.start, "look", "A room.", "I look.")
    wrong = grown_.act(grown_.start, "go to fridge 1", "The fridge 1 is closed.", "The fridge.")
    grown_.act(wrong, "open fridge 1", "It is empty.", "I open it.")
    right = grown_.act(grown_.start, "go to shelf 1", "You see a mug 1.", "The shelf.")
    leaf = grown_.act(right, "take mug 1", "You take it.", "There it is.")
    trace = grown_.trace
    trace.finish = Finish(leaf, Score(1.0, True), "completed")
    assert detours(trace, right) == [wrong]
    assert depths(trace)[wrong] == 2
    assert depths(trace)[looked] == 1
    return trace


def test_a_detour_is_told_before_its_mending_golden() -> None:
    trace = _detour()
    assert trace.finish is not None
    (row,) = sft_rows(trace, trace.finish.leaf, corrections=0.5)
    assert _text(row.turns)[2:] == [
        ("assistant", "Thought: The fridge.\nAction: go to fridge 1", 0.5),
        (
            "user",
            "The fridge 1 is closed.\nThat did not help, nor did the turn after it. It is taken back; "
            "you are where you were before. Do something else.",
            0,
        ),
        ("assistant", "Thought: The shelf.\nAction: go to shelf 1", 1),
        ("user", "You see a mug 1.", 0),
        ("assistant", "Thought: There it is.\nAction: take mug 1", 1),
        ("user", "You take it.", 0),
    ]
    (cut,) = sft_rows(trace, trace.finish.leaf)
    assert [t for t in cut.turns if "fridge 1 is closed" in t.message.content] == []


def test_each_conversation_of_a_divided_branch_is_a_row() -> None:
    grown_ = grown.Grown(grown.sample(), grown.run("decompose+react"))
    first = grown_.act(grown_.start, "go to shelf 1", "You see a mug 1.", "The shelf.")
    asked = Message("user", "Now the second part.")
    part = grown_.trace.add(Node(first, None, "root", asked))
    leaf = grown_.act(part, "take mug 1", "You take it.", "There.")
    grown_.trace.finish = Finish(leaf, Score(1.0, True), "completed")
    assert conversations(grown_.trace, leaf) == [first, leaf]
    one, two = sft_rows(grown_.trace, leaf)
    assert [t.message.content for t in one.turns][-2:] == [
        "Thought: The shelf.\nAction: go to shelf 1",
        "You see a mug 1.",
    ]
    assert two.turns[0].message == asked
    assert sum(turn.loss for row in (one, two) for turn in row.turns) == 2


@pytest.mark.parametrize("name", ["decompose+react", "decompose+multibranch"])
def test_a_real_plan_gives_rows_of_what_was_shown(name: str) -> None:
    trace, listening = played("household", name, 3, model="noisy-expert:0.1")
    assert trace.finish is not None
    calls = {asked for asked, _ in listening.calls}
    for row in sft_rows(trace, trace.finish.leaf):
        for at, turn in enumerate(row.turns):
            if turn.loss:
                assert tuple(t.message for t in row.turns[:at]) in calls
