"""One path at a time: `react` and the fair baseline `react+retry`."""

from __future__ import annotations

import pytest

from tests.reasoning.playing import Likes, always, doors, drawn, play
from tests.support.doors import LIMIT
from tmbr.core.protocols import Strategy
from tmbr.core.trace import Budget
from tmbr.reasoning.paths import Cot, Io, React, ReactRetry
from tmbr.reasoning.restarts import Paper
from tmbr.reasoning.search import Multibranch


def test_react_executes_whatever_was_said() -> None:
    assert drawn(play(React(), ["hm", "open c", "open a"], doors("a"))) == (
        "* root\n"
        "  * 'hm' (neither `open` nor `leave`)\n"
        "    * open c\n"
        "      * open a\n"
        "completed, no stop, score 1"
    )


def test_react_ends_with_the_world_or_the_budget() -> None:
    model = always("open c")
    trace = play(React(), model, doors("a"))
    assert trace.finish is not None
    assert (trace.finish.status, trace.spent.steps) == ("task limit reached", LIMIT)
    trace = play(React(), model, doors("a"), budget=Budget(calls=2))
    assert trace.finish is not None
    assert (trace.finish.stop, trace.spent.steps) == ("call budget", 2)


def test_retry_executes_only_what_the_judge_prefers() -> None:
    trace = play(
        ReactRetry(branches=3),
        ["open a", "open b", "hm"],
        doors("b"),
        judge=Likes({"a": 0.1, "b": 0.2}),
    )
    assert drawn(trace) == (
        "* root\n"
        "  - 'hm' (neither `open` nor `leave`)\n"
        "  - open a 0.10\n"
        "  * open b 0.20\n"
        "completed, no stop, score 1"
    )
    assert (trace.spent.steps, trace.spent.steps_on_forks) == (1, 0)


def test_retry_does_not_repeat_what_had_no_effect() -> None:
    script = ["open c", "open c", "open c", "open d", "open c", "open a"]
    assert drawn(play(ReactRetry(branches=2), script, doors("a"))) == (
        "* root\n"
        "  - open c (duplicate)\n"
        "  * open c 0.80\n"
        "    - open c (had no effect here)\n"
        "    * open d 0.55\n"
        "      - open c (had no effect here)\n"
        "      * open a 0.55\n"
        "completed, no stop, score 1"
    )


def test_retry_forgets_what_had_no_effect_once_the_state_is_another() -> None:
    script = ["open c", "hm", "open a", "hm", "open c", "open b"]
    likes = Likes({"c": 1, "ca": 1, "cac": 1})
    trace = play(ReactRetry(branches=2), script, doors("ab"), judge=likes, budget=Budget(calls=3))
    assert drawn(trace) == (
        "* root\n"
        "  - 'hm' (neither `open` nor `leave`)\n"
        "  * open c 1.00\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "    * open a 1.00\n"
        "      * open c 1.00\n"
        "      - open b 0.00\n"
        "task limit reached, call budget, score 0"
    )


def test_a_malformed_turn_does_not_make_it_forget() -> None:
    script = ["open c", "hm", "hm", "open c", "open a"]
    assert drawn(play(ReactRetry(branches=1, asks=1), script, doors("a"))) == (
        "* root\n"
        "  * open c 0.80\n"
        "    * 'hm' (neither `open` nor `leave`)\n"
        "      * 'hm' (neither `open` nor `leave`)\n"
        "        * open c (had no effect here)\n"
        "          * open a 0.80\n"
        "completed, no stop, score 1"
    )


def test_retry_asks_again_when_nothing_passes_the_filter() -> None:
    assert drawn(play(ReactRetry(branches=2), ["hm", "ho", "ha", "open a"], doors("a"))) == (
        "* root\n"
        "  - 'hm' (neither `open` nor `leave`)\n"
        "  - 'ho' (neither `open` nor `leave`)\n"
        "  - 'ha' (neither `open` nor `leave`)\n"
        "  * open a 0.42\n"
        "completed, no stop, score 1"
    )


def test_retry_does_not_ask_again_on_a_spent_budget() -> None:
    trace = play(ReactRetry(branches=2), ["hm", "ho"], doors("a"), budget=Budget(calls=1))
    assert drawn(trace) == (
        "* root\n"
        "  * 'hm' (neither `open` nor `leave`)\n"
        "  - 'ho' (neither `open` nor `leave`)\n"
        "task limit reached, call budget, score 0"
    )


@pytest.mark.parametrize("strategy", [React(), ReactRetry(), Paper(), Multibranch()])
def test_a_full_context_ends_the_episode(strategy: Strategy) -> None:
    model = always("open a", context_limit=24)
    trace = play(strategy, model, doors("bbbb"))
    assert trace.finish is not None
    assert trace.finish.status == "agent context limit"
    assert 0 < trace.spent.steps < LIMIT


def test_io_asks_for_actions_alone_and_cot_for_one_thought_before_them() -> None:
    trace = play(Io(), ["open b"], doors("b"))
    assert trace.nodes[0].message.content.endswith("without a thought.")
    trace = play(Cot(), ["b looks good", "open b"], doors("b"))
    assert [(n.kind, n.sampled) for n in trace.nodes] == [
        ("root", False),
        ("plan", False),
        ("plan", True),
        ("plan", False),
        ("act", True),
    ]
    assert trace.finish is not None
    assert trace.finish.score.value == 1
    assert trace.spent.calls == 2
