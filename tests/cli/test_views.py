"""A growing episode as lines and as a tree, and why its branches were left, on golden episodes."""

from __future__ import annotations

import asyncio
import io

from rich.console import Console

from tests.reasoning.playing import Likes, always, doors
from tests.support.doors import DoorsTask
from tests.support.grown import Grown, run, sample
from tmbr.begun import Begun
from tmbr.cli.explain import Limits, explain
from tmbr.cli.lines import Lines, line
from tmbr.cli.live import LiveTree, drawn, head
from tmbr.cli.watch import Show, Watched
from tmbr.core.protocols import Judge, Model, Strategy
from tmbr.core.store import encode_trace
from tmbr.core.trace import Budget, Finish, Run, Trace
from tmbr.core.types import Sample, Score
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.paths import React
from tmbr.reasoning.restarts import BestOfN, Paper
from tmbr.reasoning.search import Multibranch
from tmbr.rollout import episode

LIKES = Likes({"a": 0.9, "b": 0.5, "aa": 0.6, "ab": 0.3, "ba": 0.7, "aab": 0.1})
SCRIPT = [
    *("open a", "open b", "open c"),
    *("open a", "open b", "hm"),
    *("open b", "open b", "hm"),
    *("open a", "hm", "hm"),
]


def watch(
    show: Show,
    strategy: Strategy,
    model: Model,
    sample: Sample,
    judge: Judge | None = None,
    budget: Budget = Budget(),  # noqa: B008 (it is frozen)
    begun: Begun | None = None,
) -> Trace:
    task, run = DoorsTask(), Run("", "doors", "scripted", strategy.name, strategy.access, 0)
    played = episode(sample, task, Watched(strategy, show), model, judge, budget, run, begun)
    trace = asyncio.run(played)
    show(trace)
    return trace


def short(said: list[str]) -> list[str]:
    """Without what doors answer; and a doors model that says its action alone has no thoughts."""
    return [text.split(": Behind you")[0] for text in said if " thought: open" not in text]


def searched(show: Show) -> Trace:
    return watch(
        show, Multibranch(branches=3, asks=1, adapt=False), ScriptedModel(SCRIPT), doors("ba"), LIKES
    )


def test_one_line_an_event_in_the_order_in_which_it_happens() -> None:
    said: list[str] = []
    searched(Lines(said.append).show)
    assert short(said) == [
        "#1 action: open a",
        "#1 answer",
        "#2 action: open b",
        "#2 answer",
        "#3 action: open c",
        "#3 answer (not possible here): There is no such door.",
        "#1 judged: 0.90 by likes",
        "#2 judged: 0.50 by likes",
        "#3 judged: 0.00 by likes",
        "on from #1",
        "#4 malformed: neither `open` nor `leave`: hm",
        "#5 action: open a",
        "#5 answer",
        "#6 action: open b",
        "#6 answer",
        "#5 judged: 0.60 by likes",
        "#6 judged: 0.30 by likes",
        "on from #5",
        "#7 dropped: open b: duplicate",
        "#8 malformed: neither `open` nor `leave`: hm",
        "#9 action: open b",
        "#9 answer",
        "#9 judged: 0.10 by likes",
        "back to #2",
        "#10 malformed: neither `open` nor `leave`: hm",
        "#11 malformed: neither `open` nor `leave`: hm",
        "#12 action: open a",
        "#12 answer",
        "#12 judged: 0.70 by likes",
    ]


def test_lines_come_while_it_is_played_and_before_the_score() -> None:
    said: list[str] = []
    at: list[int] = []
    lines = Lines(said.append)

    def show(trace: Trace) -> None:
        assert trace.finish is None or trace.spent.calls == 4
        assert trace.finish is not None or trace.sample.target is None
        lines.show(trace)
        at.append(len(said))

    searched(show)
    assert at[0] == 0
    assert at == sorted(at)
    assert len(set(at)) >= 4


def test_a_restart_and_what_was_told_are_said() -> None:
    said: list[str] = []
    paper = Paper(num_branch=1, subtasks=0, path_steps=1)
    watch(Lines(said.append).show, paper, always("open a"), doors("aa"), Likes({}))
    assert short(said) == [
        "#1 action: open a",
        "#1 judged: 0.00 by likes",
        "#1 answer",
        "#2 told: An earlier try did not reach the goal. It did: a. Take another way.",
        "back to the start",
        "#3 action: open a",
        "#3 judged: 0.00 by likes",
        "#3 answer",
        "#4 action: open a",
        "#4 judged: 0.00 by likes",
        "#4 answer",
    ]


def test_what_was_given_is_said_as_given() -> None:
    before = searched(lambda _: None)
    said: list[str] = []
    watch(Lines(said.append).show, React(), always("open a"), before.sample, begun=Begun(before, 2))
    assert short(said)[:2] == ["#1 given: open b", "#2 action: open a"]


def test_thoughts_are_told_apart_from_actions() -> None:
    said: list[str] = []
    model = ScriptedModel(["Thought: north\nor south?\nAction: open a"])
    watch(Lines(said.append).show, React(), model, doors("a"))
    assert said[:2] == ["#1 thought: north or south?", "#1 action: open a"]


def test_watching_changes_nothing() -> None:
    strategy, task = Multibranch(branches=3, asks=1, adapt=False), DoorsTask()
    run = Run("", "doors", "scripted", strategy.name, strategy.access, 0)
    unseen = asyncio.run(
        episode(doors("ba"), task, strategy, ScriptedModel(SCRIPT), LIKES, Budget(), run)
    )
    assert encode_trace(searched(lambda _: None)) == encode_trace(unseen)


def test_no_text_of_a_model_or_a_world_acts_on_the_terminal() -> None:
    said: list[str] = []
    model = ScriptedModel(["\x1b[2Jopen a\r\nnext \u202e line"])
    trace = watch(Lines(said.append).show, React(), model, doors("a"))
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    console.print(drawn(trace))
    page = console.file.getvalue()  # type: ignore[attr-defined]
    for text in (*said, page):
        assert "\x1b[2J" not in text
        assert "\u202e" not in text
    assert line("a\nb\x07") == "a b⟨U+0007⟩"


def test_the_tree_is_drawn_with_what_was_left_beside_it() -> None:
    trace = searched(lambda _: None)
    console = Console(file=io.StringIO(), width=120)
    console.print(drawn(trace))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert text.startswith("Find the way out.  7 world steps, 4 calls, 96 tokens\n")
    order = ["↩ went another way", "#1 open a", "#2 open b  0.50", "#12 open a  0.70"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "#7 open b  dropped  not tried  duplicate" in text
    assert "→ Behind you: ba. Doors: a, b." in text


def test_the_live_tree_follows_the_agent_and_keeps_to_the_screen() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, height=8, force_terminal=True, color_system=None)
    heads: list[int] = []
    with LiveTree(console) as live:

        def show(trace: Trace) -> None:
            heads.append(head(trace))
            live.show(trace)
            live.refresh()

        searched(show)
    assert heads[0] == 0
    assert {1, 2} <= set(heads)
    frames = file.getvalue().split("\x1b[2K")
    assert max(frame.count("\n") for frame in frames) <= 8
    assert "#9 open b" in file.getvalue()


def test_each_branch_is_explained() -> None:
    limits = Limits(keep=0.2, path_steps=19)
    assert list(explain(searched(lambda _: None), limits)) == [
        "#3 open c: judged 0.00, below keep=0.2",
        "#4 hm (after 1 turn of its own): malformed: neither `open` nor `leave`",
        "#6 open b (after 1 turn of its own): judged 0.30; #5 0.60 was preferred",
        "#7 open b (after 2 turns of its own): duplicate of another candidate",
        "#8 hm (after 2 turns of its own): malformed: neither `open` nor `leave`",
        "#9 open b (after 2 turns of its own): judged 0.10, below keep=0.2",
        "#10 hm: malformed: neither `open` nor `leave`",
        "#11 hm: malformed: neither `open` nor `leave`",
    ]


def test_budget_length_and_ends_are_explained() -> None:
    two = Multibranch(branches=2, asks=1, path_steps=2)
    likes = Likes({"a": 0.9, "b": 0.3, "aa": 0.9, "ab": 0.8, "bb": 0.5})
    script = ["open a", "open b", "open a", "open b", "open b", "hm"]
    trace = watch(lambda _: None, two, ScriptedModel(script), doors("bb"), likes)
    assert list(explain(trace, Limits(keep=0.2, path_steps=2)))[:2] == [
        "#3 open a (after 1 turn of its own): path long: 2 turns without an end",
        "#4 open b (after 1 turn of its own): judged 0.80; #3 0.90 was preferred",
    ]
    calm = Likes({"a": 0.5, "b": 0.5})
    budget = Budget(steps=2)
    trace = watch(lambda _: None, two, always("open a", "open b"), doors("bbbb"), calm, budget)
    assert list(explain(trace, Limits(0.2, 2))) == ["#2 open b: judged 0.50; #1 0.50 was preferred"]
    best = BestOfN(n=2, path_steps=1)
    said = ScriptedModel(["open a", "open b"])
    trace = watch(lambda _: None, best, said, doors("bbbb"), Likes({"a": 0.2, "b": 0.8}))
    assert list(explain(trace, Limits(path_steps=1))) == [
        "#1 open a: judged 0.20; #2 0.80 was preferred"
    ]
    paper = Paper(num_branch=1, subtasks=0, path_steps=1)
    trace = watch(lambda _: None, paper, always("open a"), doors("aa"), Likes({}))
    assert list(explain(trace, Limits(path_steps=1))) == [
        "#1 open a: path long: 1 turn without an end",
    ]


def test_what_showed_the_same_is_explained() -> None:
    made = Grown(sample(), run("multibranch", "fork"))
    first = made.act(made.start, "go to shelf 1", "A shelf.", value=0.9)
    made.act(made.start, "go to shelf 2", "A shelf.", value=0.8)
    made.act(made.start, "go to desk 1", "A desk.", value=0.7)
    last = made.act(first, "look", "A room.", value=0.5)
    made.trace.finish = Finish(last, Score(1.0, True), "completed")
    assert list(explain(made.trace, Limits(keep=0.2))) == [
        "#3 take_action go to shelf 2: judged 0.80; the world showed the same for #2",
        "#4 take_action go to desk 1: judged 0.70; #2 0.90 was preferred",
    ]
