"""What a judge is shown of a stored episode, and which answers count as right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf, nan

import pytest

from tests.support.grown import Grown, run, sample
from tmbr.core.errors import ModelFault
from tmbr.core.protocols import Strategy
from tmbr.core.trace import Budget, Judgement, Run, Spent, Trace
from tmbr.core.types import Usage
from tmbr.evaluation.hindsight import Questions, answers, cost, questions
from tmbr.models.expert import NoisyExpert
from tmbr.reasoning.judges import default_judge
from tmbr.reasoning.strategies import STRATEGIES, strategy
from tmbr.rollout import episode
from tmbr.tasks.household import Household


@cache
def played(name: str, count: int = 6, p: float = 0.4) -> list[Trace]:
    """Episodes of the household by a noisy expert."""
    task = Household()
    model = NoisyExpert("noisy", task.expert, task.mistake, p)
    way: Strategy = strategy(name)
    of = Run("", task.name, model.name, way.name, way.access, 0, data="generated")
    budget = Budget(steps=60)
    return [
        asyncio.run(episode(one, task, way, model, default_judge(), budget, of))
        for one in task.samples("validation")[:count]
    ]


@dataclass(slots=True)
class Watching:
    """A judge that keeps what it was shown."""

    name: str = "watching"
    shown: list[tuple[Trace, list[int]]] = field(default_factory=list)

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        self.shown.append((trace, list(nodes)))
        return [Judgement(node, self.name, 0.75, usage=Usage(10, 1)) for node in nodes]


@pytest.mark.parametrize("name", ["react", "multibranch", "react+retry", "best-of-n", "paper", "mcts"])
def test_a_judge_sees_nothing_of_the_outcome_nor_of_what_came_later(name: str) -> None:
    assert name in STRATEGIES
    for trace in played(name):
        watching, asked = Watching(), questions(trace)
        asyncio.run(answers(watching, asked))
        assert asked.turns
        for shown, nodes in watching.shown:
            assert (shown.finish, shown.sample.target, shown.sample.setup) == (None, None, {})
            assert (shown.judgements, shown.spent) == ([], Spent())
            assert not any(node.step and node.step.done for node in shown.nodes)
            assert all(
                n.completion is None or n.completion.finish_reason != "mistake" for n in shown.nodes
            )
            first = min(nodes)
            later = {trace.nodes[at].parent for at in range(first, len(shown.nodes))}
            assert not later & set(range(first, len(shown.nodes))), "a child of what is asked about"
            assert [n.message for n in shown.nodes] == [
                n.message for n in trace.nodes[: len(shown.nodes)]
            ]
        assert trace.finish is not None, "the stored trace is left as it was"
        assert trace.sample.setup


@pytest.mark.parametrize("name", ["multibranch", "best-first", "beam", "mcts"])
def test_asked_again_a_judge_says_what_it_said_in_the_search(name: str) -> None:
    compared = 0
    for trace in played(name):
        recorded = {judgement.node: judgement for judgement in trace.judgements}
        asked = questions(trace)
        found = asyncio.run(answers(default_judge(), asked))
        for turn in asked.turns:
            if turn.node in recorded:
                assert found[turn.view, turn.node] == recorded[turn.node]
                compared += 1
    assert compared > 20


def forked() -> tuple[Grown, list[int]]:
    """A success that went back once: `a` kept over `b` and a double, then `leave` over `look`."""
    g = Grown(sample(), run("multibranch", "fork"))
    dropped = g.act(g.start, None, None, "hm", error="no action")
    double = g.act(g.start, "go a", None, error="duplicate")
    a = g.act(g.start, "go a", "You see a.")
    b = g.act(g.start, "go b", "You see b.")
    below = g.act(b, "look", "You see b again.")
    look = g.act(a, "look", "You see a again.")
    leave = g.act(a, "leave", "Done.", ends="completed")
    return g, [dropped, double, a, b, below, look, leave]


def test_a_success_shows_what_it_kept_and_what_it_left() -> None:
    g, (_, _, a, b, _, look, leave) = forked()
    asked = questions(g.ended(leave, "completed", True, Spent()))
    assert [(turn.node, turn.late) for turn in asked.turns] == [(a, False)]
    assert [(p.better, p.worse) for p in asked.kept] == [(a, b), (leave, look)]
    assert [p.view.acted for p in asked.kept] == [True, False]
    assert asked.mistakes == ()
    watching = Watching()
    found = asyncio.run(answers(watching, asked))
    (before, first), (_, last) = watching.shown
    assert (first, last) == ([a, b], [look, leave])
    assert len(before.nodes) == b + 1
    assert [watching.shown[1][0].nodes[i].step for i in (look, leave)] == [None, None]
    assert cost(found) == (Usage(40, 4), 4)


def test_a_failure_keeps_nothing() -> None:
    g, (*_, leave) = forked()
    asked = questions(g.ended(leave, "completed", False, Spent()))
    assert asked.turns
    assert asked.kept == ()


def test_a_meant_mistake_is_worse_than_its_siblings_whoever_was_kept() -> None:
    g, (_, _, a, b, _, _, leave) = forked()
    completion = g.trace.nodes[a].completion
    assert completion is not None
    meant = replace(completion, finish_reason="mistake")
    g.trace.nodes[a] = replace(g.trace.nodes[a], completion=meant)
    asked = questions(g.ended(leave, "completed", False, Spent()))
    assert [(p.better, p.worse) for p in asked.mistakes] == [(b, a)]


def test_halves_of_a_branch() -> None:
    g = Grown(sample(), run("react"))
    at, nodes = g.start, []
    for step in range(5):
        at = g.act(at, f"go {step}", "You go.")
        nodes.append(at)
    asked = questions(g.ended(at, "task limit reached", False, Spent()))
    assert [turn.late for turn in asked.turns] == [False, False, False, True, True]
    assert [turn.view.end for turn in asked.turns] == [node + 1 for node in nodes]


@dataclass(frozen=True, slots=True)
class Nonsense:
    """A judge that answers about one node only, and then with this value; or breaks."""

    value: float | None
    name: str = "nonsense"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:  # noqa: ARG002
        if self.value is None:
            raise ModelFault("no answer from http://localhost:1/v1")
        return [Judgement(nodes[0], self.name, self.value), Judgement(10_000, self.name, 1.0)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (nan, "no value in [0, 1]: nan"),
        (inf, "no value in [0, 1]: inf"),
        (-0.1, "no value in [0, 1]: -0.1"),
        (None, "ModelFault: no answer from http://localhost:1/v1"),
    ],
)
def test_nonsense_is_one_half_with_the_reason(value: float | None, why: str) -> None:
    g, (*_, leave) = forked()
    asked: Questions = questions(g.ended(leave, "completed", True, Spent()))
    found = asyncio.run(answers(Nonsense(value), asked))
    assert {judgement.value for judgement in found.values()} == {0.5}
    said = [judgement.reason for judgement in found.values()]
    assert said == ([why] * 4 if value is None else [why, "no answer", why, "no answer"])
    assert [judgement.node for judgement in found.values()] == [node for _, node in found]
