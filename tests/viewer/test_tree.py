"""How a trace is laid out: golden drawings of trees made by hand."""

from __future__ import annotations

from dataclasses import replace

from tests.support import traces
from tests.support.grown import Grown, run, sample
from tmbr.core.trace import Finish, Node
from tmbr.core.types import Action, Message, Score, ToolCall
from tmbr.viewer import tree


def drawn(turns: list[tree.Turn], indent: str = "") -> list[str]:
    """One line a turn: `<` was followed and left, `|` stood beside, `>` was tried at the end.

    In brackets what is said of it.
    """
    lines: list[str] = []
    for turn in turns:
        for path in turn.back:
            lines += drawn(path, indent + "< ")
        says = [mark.text for mark in turn.marks] + [f"{j.value:g}" for j in turn.judgements]
        action = turn.action or f"({turn.thought})"
        lines.append(indent + action + (f" [{', '.join(says)}]" if says else ""))
        for path in turn.beside:
            lines += drawn(path, indent + "| ")
        for path in turn.then:
            lines += drawn(path, indent + "> ")
    return lines


def test_committed_branch_with_candidates_beside_and_going_back() -> None:
    view = tree.episode(traces.multibranch())
    assert drawn(view.turns) == [
        "go to countertop 1 [0.62]",
        "| go to cabinet 2 [on a fork, 0.35]",
        "| go to countertop 1 [dropped, not tried]",
        "| (mug mug mug cabinet) [malformed, not tried]",
        "take mug 2 from countertop 1 [0.81]",
        "< go to cabinet 1 [on a fork, 0.66]",
        "< open cabinet 1 [on a fork, 0.44]",
        "< | look [dropped, on a fork]",
        "< put mug 2 in/on cabinet 1 [on a fork, 0.08]",
        "go to fridge 1 [0.58]",
        "| go to microwave 1 [on a fork, 0.12]",
        "cool mug 2 with fridge 1 [0.93]",
        "| open fridge 1 [on a fork, 0.51]",
        "go to cabinet 1 [0.9]",
        "open cabinet 1 [0.92]",
        "put mug 2 in/on cabinet 1 [0.97]",
    ]
    assert view.left_out == 0
    assert tree.says(view.turns[0].beside) == "1 other candidate, 2 dropped"
    assert [message.role for message in view.prompt] == ["system", "user"]


def test_a_restart_shows_the_failed_path_and_the_prompt_that_tells_of_it() -> None:
    view = tree.episode(traces.restart())
    assert drawn(view.turns) == [
        "< go to cabinet 2 [0.5]",
        "< | go to sinkbasin 1 [not tried, 0.3]",
        "< open cabinet 2 [0.4]",
        "< close cabinet 2 [0.2]",
        "go to countertop 1 [0.6]",
        "take mug 2 from countertop 1 [0.7]",
        "| take knife 1 from countertop 1 [not tried, 0.1]",
        "go to fridge 1",
    ]
    assert view.left_out == 0
    assert view.prompt[-1].content.endswith("close cabinet 2 did not help. Go another way.")


def test_a_later_attempt_that_did_not_count_stands_after_the_one_that_did() -> None:
    trace = traces.restart()
    trace.finish = Finish(5, Score(0.0, False), "task limit reached")
    view = tree.episode(trace)
    assert drawn(view.turns) == [
        "go to cabinet 2 [0.5]",
        "| go to sinkbasin 1 [not tried, 0.3]",
        "open cabinet 2 [0.4]",
        "close cabinet 2 [0.2]",
    ]
    assert [drawn(path)[0] for path in view.after] == ["go to countertop 1 [0.6]"]


def test_a_plan_is_told_where_the_model_heard_it() -> None:
    assert drawn(tree.episode(traces.planned()).turns) == [
        "(1. Find a mug. 2. Cool it. 3. Put it in a cabinet.)",
        "go to countertop 1",
        "| go to sinkbasin 1 [dropped, not tried]",
    ]


def test_thought_and_action_of_both_forms() -> None:
    turn = tree.episode(traces.react()).turns[1]
    assert (turn.thought, turn.tool, turn.action) == (
        "Here is a mug.",
        "take_action",
        "take mug 2 from countertop 1",
    )
    call = ToolCall("1", "search", '{"query": "mug", "limit": "2"}')
    action = Action("search", {"query": "mug", "limit": "2"})
    trace = traces.react()
    trace.nodes[2] = replace(
        trace.nodes[2], message=Message("assistant", "I search.", (call,)), action=action
    )
    turn = tree.episode(trace).turns[0]
    assert (turn.thought, turn.tool, turn.action) == ("I search.", "search", "query: mug, limit: 2")


def test_what_could_not_be_read_is_shown_as_it_was_written() -> None:
    turn = tree.episode(traces.react()).turns[6]
    assert turn.thought == "The mug is in the cabinet. I am done!"
    assert turn.error == "no line begins with Action:"
    assert drawn([turn]) == ["(The mug is in the cabinet. I am done!) [malformed]"]


def test_empty_and_unfinished_episodes() -> None:
    assert tree.episode(traces.empty()).turns == []
    unfinished = traces.react()
    unfinished.finish = None
    view = tree.episode(unfinished)
    assert len(view.turns) == 8
    assert not view.success


def test_candidates_at_the_last_state_stand_after_it() -> None:
    trace = traces.react()
    leaf = len(trace.nodes) - 1
    trace.add(
        Node(leaf, leaf, "act", Message("assistant", "one more"), sampled=True, error="malformed")
    )
    view = tree.episode(trace)
    assert drawn(view.turns)[-2:] == ["look", "> (one more) [malformed, not tried]"]


def test_a_state_from_which_nothing_led_on_was_followed_for_one_step() -> None:
    grown = Grown(sample(), run("multibranch", "fork"))
    dead = grown.act(grown.start, "go to cabinet 1", "The cabinet 1 is closed.", value=0.7)
    leaf = grown.act(grown.start, "go to fridge 1", "The fridge 1 is closed.", value=0.6)
    for _ in range(2):
        grown.act(dead, None, None, error="no line begins with Action:")
    grown.trace.finish = Finish(leaf, Score(0.0, False), "task limit reached")
    view = tree.episode(grown.trace)
    assert drawn(view.turns) == [
        "< go to cabinet 1 [on a fork, 0.7]",
        "< > ((nothing was written)) [malformed, not tried]",
        "< > ((nothing was written)) [malformed, not tried]",
        "go to fridge 1 [0.6]",
    ]


def test_a_huge_tree_is_cut_and_says_by_how_much() -> None:
    view = tree.episode(traces.huge(steps=100, candidates=4))
    assert len(view.turns) == tree.HEAD + tree.TAIL
    assert view.turns[tree.HEAD].gap == 100 - tree.HEAD - tree.TAIL
    on_page = sum(1 + sum(map(len, turn.beside)) for turn in view.turns) + len(view.prompt)
    assert view.left_out == 2 + 100 * 4 - on_page
    assert sum(len(turn.observation or "") for turn in view.turns) < 1.1 * tree.SHARED


def test_a_deep_rejected_path_needs_no_deep_recursion() -> None:
    grown = Grown(sample(), run("multibranch", "fork"))
    at = grown.start
    for step in range(5000):
        at = grown.act(at, f"step {step}", "Nothing happens.")
    leaf = grown.act(grown.start, "look", "You see a mug 1.")
    grown.trace.finish = Finish(leaf, Score(0.0, False), "task limit reached")
    view = tree.episode(grown.trace)
    assert [len(path) for path in view.turns[0].back] == [tree.HEAD + tree.TAIL]
    assert view.left_out == 5000 - tree.HEAD - tree.TAIL
