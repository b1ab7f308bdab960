"""Multi-branch search as golden trees: what is tried, dropped, gone back to, and charged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.reasoning.playing import Likes, always, doors, drawn, play
from tests.support.doors import LIMIT, DoorsSession, DoorsTask, Wanderer
from tmbr.core.errors import EnvironmentFault
from tmbr.core.protocols import Session
from tmbr.core.trace import Budget
from tmbr.core.types import Action, Sample, Step
from tmbr.reasoning.search import BestFirst, Mcts, Multibranch, Search
from tmbr.tasks.household import Household

TWO = Multibranch(branches=2, asks=1, adapt=False)


def test_it_commits_the_best_candidate_of_each_step() -> None:
    trace = play(
        TWO,
        ["open a", "open b"] * 2,
        doors("ba"),
        judge=Likes({"a": 0.4, "b": 0.9, "ba": 0.8, "bb": 0.7}),
    )
    assert drawn(trace) == (
        "* root\n"
        "  + open a 0.40\n"
        "  * open b 0.90\n"
        "    * open a 0.80\n"
        "    + open b 0.70\n"
        "completed, no stop, score 1"
    )


def test_it_goes_back_to_the_best_open_state() -> None:
    three = Multibranch(branches=3, asks=1, adapt=False)
    likes = Likes({"a": 0.9, "b": 0.5, "aa": 0.6, "ab": 0.3, "ba": 0.7, "aab": 0.1})
    script = [
        *("open a", "open b", "open c"),
        *("open a", "open b", "hm"),
        *("open b", "open b", "hm"),  # all judged bad: back, and `b` at 0.50 beats `ab` at 0.30
        *("open a", "hm", "hm"),
    ]
    trace = play(three, script, doors("ba"), judge=likes)
    assert drawn(trace) == (
        "* root\n"
        "  + open a 0.90\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "    + open a 0.60\n"
        "      - open b (duplicate)\n"
        "      - 'hm' (neither `open` nor `leave`)\n"
        "      + open b 0.10\n"
        "    + open b 0.30\n"
        "  * open b 0.50\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "    * open a 0.70\n"
        "  + open c 0.00\n"
        "completed, no stop, score 1"
    )
    assert trace.conversation(trace.finish.leaf if trace.finish else 0) == [0, 2, 12]


def test_a_path_that_has_grown_long_is_left() -> None:
    short = Multibranch(branches=2, asks=1, path_steps=2)
    likes = Likes({"a": 0.9, "b": 0.3, "aa": 0.9, "ab": 0.8, "bb": 0.5})
    script = ["open a", "open b", "open a", "open b", "open b", "hm"]
    trace = play(short, script, doors("bb"), judge=likes)
    assert drawn(trace) == (
        "* root\n"
        "  + open a 0.90\n"
        "    + open a 0.90\n"
        "    + open b 0.80\n"
        "  * open b 0.30\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "    * open b 0.50\n"
        "completed, no stop, score 1"
    )
    assert trace.spent.calls == 3


def test_no_effect_is_seen_before_the_real_step_and_asked_again() -> None:
    two_asks = Multibranch(branches=2)
    trace = play(two_asks, ["open c", "open d", "open c", "open a"], doors("a"))
    assert drawn(trace) == (
        "* root\n"
        "  + open c 0.00\n"
        "  + open d 0.00\n"
        "  - open c (had no effect here)\n"
        "  * open a 0.42\n"
        "completed, no stop, score 1"
    )
    assert (trace.spent.steps, trace.spent.steps_on_forks, trace.spent.calls) == (1, 2, 2)


class SameRoomsSession(DoorsSession):
    """The first rooms look the same, whichever door leads there."""

    def step(self, action: Action | None) -> Step:
        told = super().step(action)
        return replace(told, observation="A room.") if len(self.path) == 1 else told

    def fork(self) -> Session:
        return SameRoomsSession(self.way, self.path, self.steps, self.left)


class SameRooms(DoorsTask):
    def open(self, sample: Sample) -> Session:
        return SameRoomsSession(sample.setup["way"])


@pytest.mark.parametrize("search", [BestFirst, Mcts])
def test_what_looks_like_another_is_gone_on_from_last(search: type[Search]) -> None:
    """`b` at 0.80 would be next where it looks like itself; as it is, all below `a` is."""
    likes = Likes({"a": 0.9, "b": 0.8, "aa": 0.3, "ab": 0.25})
    made = search(branches=2, asks=1, adapt=False)
    trace = play(
        made, always("open a", "open b"), doors("bbbb"), task=SameRooms(), judge=likes,
        budget=Budget(calls=4),
    )  # fmt: skip
    assert drawn(trace) == (
        "* root\n"
        "  + open a 0.90\n"
        "    + open a 0.30\n"
        "      + open a 0.00\n"
        "      + open b 0.00\n"
        "    + open b 0.25\n"
        "      + open a 0.00\n"
        "      + open b 0.00\n"
        "  * open b 0.80\n"
        "task limit reached, call budget, score 0"
    )


def test_a_branch_without_room_for_more_ends_no_other() -> None:
    """Two turns deep the conversation is too long for an answer: back to where it is not."""
    likes = Likes({"a": 0.9, "b": 0.4, "aa": 0.8, "ab": 0.1})
    model = always("open a", "open b", context_limit=22)
    trace = play(TWO, model, doors("b"), judge=likes)
    assert drawn(trace) == (
        "* root\n"
        "  + open a 0.90\n"
        "    + open a 0.80\n"
        "      - '' (no room)\n"
        "      - '' (no room)\n"
        "    + open b 0.10\n"
        "  * open b 0.40\n"
        "completed, no stop, score 1"
    )


def test_without_room_anywhere_it_ends_as_a_single_path_does() -> None:
    trace = play(TWO, always("open a", "open b", context_limit=5), doors("b"))
    assert trace.finish is not None
    assert trace.finish.status == "agent context limit"
    assert trace.spent.calls <= 2


def test_a_loop_is_seen_before_the_real_step() -> None:
    task = Household()
    sample = task.samples("validation")[0]
    lines = {"i": "Action: inventory", "l": "Action: look"}
    script = [lines[c] for c in ("i", "i", "i", "l")]
    trace = play(TWO, script, sample, task=task, budget=Budget(calls=2))
    assert drawn(trace) == (
        "* root\n"
        "  - take_action inventory (duplicate)\n"
        "  * take_action inventory 0.80\n"
        "    + take_action inventory 0.30\n"
        "    * take_action look 0.55\n"
        "task limit reached, call budget, score 0"
    )


def test_an_action_that_ends_the_episode_is_never_tried_on_a_fork() -> None:
    trace = play(TWO, ["leave", "open a"], doors("a"))
    assert drawn(trace) == "* root\n  - leave 0.55\n  * open a 0.55\ncompleted, no stop, score 1"
    assert trace.spent.steps + trace.spent.steps_on_forks == 1


def test_an_action_that_ends_the_episode_is_committed_when_it_is_judged_best() -> None:
    likes = Likes({"!": 0.5, "a": 0.9, "aa": 0.3, "ab": 0.4})
    script = ["leave", "open a", "open a", "open b", "hm", "open c"]
    trace = play(TWO, script, doors("bb"), judge=likes, budget=Budget(calls=4))
    assert drawn(trace) == (
        "* root\n"
        "  * leave 0.50\n"  # gone back to: it was kept beside `a`
        "  + open a 0.90\n"
        "    + open a 0.30\n"
        "    + open b 0.40\n"
        "      - 'hm' (neither `open` nor `leave`)\n"
        "      + open c 0.00\n"
        "completed, no stop, score 0"
    )
    assert trace.spent.steps == 3
    assert trace.spent.steps_on_forks == 2


def test_what_all_answers_say_is_a_turn_even_when_it_is_judged_bad() -> None:
    """What the world says to it may help; twice in a row, then the search goes back."""
    likes = Likes({"a": 0.9, "b": 0.5, "ba": 0.9})
    script = ["open a", "open b", *["hm"] * 2, *["open c"] * 2, *["open c"] * 2, "open a", "hm"]
    trace = play(TWO, script, doors("ba"), judge=likes)
    assert drawn(trace) == (
        "* root\n"
        "  + open a 0.90\n"
        "    + 'hm' (neither `open` nor `leave`)\n"
        "      - open c (duplicate)\n"
        "      + open c 0.00\n"
        "        - open c (duplicate)\n"
        "        + open c 0.00\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "  * open b 0.50\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "    * open a 0.90\n"
        "completed, no stop, score 1"
    )


def test_when_nothing_is_open_the_first_answer_is_a_turn() -> None:
    trace = play(TWO, ["hm", "open c", "leave"], doors("a"))
    assert drawn(trace) == (
        "* root\n"
        "  - 'hm' (neither `open` nor `leave`)\n"
        "  + open c 0.00\n"
        "  * leave 0.47\n"
        "completed, no stop, score 0"
    )


@pytest.mark.parametrize(
    ("budget", "stop", "depth"),
    [
        (Budget(calls=2), "call budget", 2),
        (Budget(tokens=60), "token budget", 3),
        (Budget(steps=4), "step budget", 2),
        (Budget(steps=3), "step budget", 2),
    ],
)
def test_a_spent_budget_ends_it_on_the_best_branch(budget: Budget, stop: str, depth: int) -> None:
    likes = Likes({"a" * n: 0.9 for n in range(1, LIMIT)} | {"b": 0.8, "ab": 0.8})
    model = always("open a", "open b")
    trace = play(TWO, model, doors("bbbb"), judge=likes, budget=budget)
    assert trace.finish is not None
    assert trace.finish.stop == stop
    assert trace.finish.status == "task limit reached"
    branch = trace.branch(trace.finish.leaf)[1:]
    assert [trace.nodes[i].message.content for i in branch] == ["open a"] * depth
    if budget.tokens:  # a call under way is paid in full
        assert trace.spent.usage.total >= budget.tokens
    if budget.steps:
        assert trace.spent.steps + trace.spent.steps_on_forks == budget.steps


def test_a_spent_budget_is_no_reason_to_go_back() -> None:
    likes = Likes({"a": 0.9, "b": 0.8})
    trace = play(TWO, ["open a", "open b"] * 9, doors("bbbb"), judge=likes, budget=Budget(steps=2))
    assert drawn(trace) == (
        "* root\n  * open a 0.90\n  + open b 0.80\ntask limit reached, step budget, score 0"
    )


@pytest.mark.parametrize("way", ["ab", "bba", "abab"])
def test_every_look_is_charged_once(way: str) -> None:
    trace = play(Multibranch(), Wanderer(), doors(way))
    assert trace.finish is not None
    stepped = [i for i, node in enumerate(trace.nodes) if node.step]
    main = set(trace.branch(trace.finish.leaf))
    assert trace.spent.steps + trace.spent.steps_on_forks == len(stepped)
    assert trace.spent.steps >= len(main.intersection(stepped))
    completions = [node.completion for node in trace.nodes if node.completion]
    assert trace.spent.usage.total == sum(c.usage.total for c in completions)


def test_a_spent_budget_executes_the_best_end_that_was_proposed() -> None:
    likes = Likes({"!": 0.4, "a": 0.9, "a!": 0.7, "aa": 0.8, "aa!": 0.3, "aaa": 0.8})
    model = always("leave", "open a")
    trace = play(TWO, model, doors("bbbb"), judge=likes, budget=Budget(calls=3))
    assert drawn(trace) == (
        "* root\n"
        "  - leave 0.40\n"
        "  * open a 0.90\n"
        "    * leave 0.70\n"
        "    + open a 0.80\n"
        "      - leave 0.30\n"
        "      + open a 0.80\n"
        "completed, call budget, score 0"
    )


class Fragile(DoorsTask):
    """Doors whose world breaks behind door b."""

    def open(self, sample: Sample) -> Session:
        return _Fragile(sample.setup["way"])


class _Fragile(DoorsSession):
    def step(self, action: Action | None) -> Step:
        if action and action.arguments.get("door") == "b":
            raise EnvironmentFault("the floor gives way")
        return DoorsSession.step(self, action)

    def fork(self) -> Session:
        return _Fragile(self.way, self.path, self.steps, self.left)


def test_a_world_that_breaks_in_a_fork_ends_nothing() -> None:
    trace = play(TWO, ["open b", "open a"] * 2, doors("aa"), task=Fragile())
    assert drawn(trace) == (
        "* root\n"
        "  - open b (the world broke: the floor gives way)\n"
        "  * open a 0.55\n"
        "    - open b (the world broke: the floor gives way)\n"
        "    * open a 0.55\n"
        "completed, no stop, score 1"
    )
