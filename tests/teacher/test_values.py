"""Step values by rollouts: right, repeatable at any concurrency, and not done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.reasoning.playing import doors, play
from tests.support.doors import DoorsTask
from tests.teacher.playing import played
from tmbr.cli.build import build_model
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig
from tmbr.core.errors import EnvironmentFault
from tmbr.core.protocols import Model
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Sample, derive_seed
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.strategies import strategy
from tmbr.teacher.values import Player, StepValue, chosen, each_step_value, value_all

#: Whoever stands before two doors opens the right one half of the time.
COIN = ScriptedModel(
    lambda messages, n, seed: ["open b" if derive_seed(seed, len(messages)) % 2 else "leave"] * n
)


def _player(task: DoorsTask, model: Model, rollouts: int) -> Player:
    made = strategy("react")
    run = Run("", task.name, model.name, made.name, made.access, 0)
    return Player(task, made, model, None, Budget(steps=20), run, rollouts, "key")


def _all(
    trace: Trace, nodes: Sequence[int], player: Player, path: Path, at_a_time: int = 2
) -> list[StepValue]:
    jobs = [(trace, node) for node in nodes]
    asyncio.run(value_all(jobs, player, path, at_a_time, lambda _: None))
    return sorted(each_step_value(path), key=lambda value: value.node)


def test_a_value_is_the_share_of_successes(tmp_path: Path) -> None:
    trace = play(strategy("react"), ["open a", "open b", "leave"], doors("abb"))
    one, two, three = (i for i, n in enumerate(trace.nodes) if n.kind == "act")
    found = _all(trace, [one, two, three], _player(DoorsTask(), COIN, 400), tmp_path / "v.jsonl")
    assert [value.node for value in found] == [one, two, three]
    assert abs(found[0].value - 0.25) < 0.08
    assert abs(found[1].value - 0.5) < 0.08
    assert (found[2].value, found[2].rollouts) == (0.0, 0)  # it had left: nothing is played


def test_an_ending_that_was_only_proposed_is_scored_without_a_rollout(tmp_path: Path) -> None:
    trace = play(strategy("react"), ["open a", "open b"], doors("ab"))
    last = len(trace.nodes) - 1
    (value,) = _all(trace, [last], _player(DoorsTask(), COIN, 4), tmp_path / "v.jsonl")
    assert (value.value, value.rollouts, value.tokens) == (1.0, 0, 0)


class Counted(DoorsTask):
    """Counts how often its world is opened; a world that is gone cannot be."""

    opened: ClassVar[list[Sample]] = []
    gone: ClassVar[bool] = False

    def open(self, sample: Sample) -> Any:
        self.opened.append(sample)
        if self.gone:
            raise EnvironmentFault("the server is gone")
        return DoorsTask.open(self, sample)


def test_a_world_is_opened_once_a_node_and_where_it_cannot_be_the_node_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = play(strategy("react"), ["open a", "open b", "leave"], doors("abb"))
    one, two, _ = (i for i, n in enumerate(trace.nodes) if n.kind == "act")
    player = _player(Counted(), COIN, 4)
    monkeypatch.setattr(Counted, "opened", [])
    _all(trace, [one, two], player, tmp_path / "v.jsonl")
    assert len(Counted.opened) == 2
    monkeypatch.setattr(Counted, "gone", True)
    later = tmp_path / "later.jsonl"
    counts = asyncio.run(value_all([(trace, one), (trace, two)], player, later, 1, lambda _: None))
    assert (counts.valued, counts.known, counts.failed) == (0, 0, 2)
    monkeypatch.setattr(Counted, "gone", False)
    assert len(_all(trace, [one, two], player, later)) == 2


def test_values_do_not_depend_on_concurrency_and_nothing_is_played_twice(tmp_path: Path) -> None:
    task = make_task("household", "generated", "text")
    model = build_model(ModelConfig(model="noisy-expert:0.5"), task)
    made = strategy("react")
    trace, _ = played("household", "multibranch", 3)
    run = Run("", task.name, model.name, made.name, made.access, 5)
    player = Player(task, made, model, None, Budget(steps=30), run, 3, "key")
    nodes = chosen(trace, "siblings", 4, 0)
    assert len(nodes) == 4
    one = _all(trace, nodes, player, tmp_path / "one.jsonl", 1)
    many = _all(trace, nodes[:2], player, tmp_path / "many.jsonl", 4)
    assert len(many) == 2
    assert _all(trace, nodes, player, tmp_path / "many.jsonl", 4) == one


def test_which_turns_are_chosen() -> None:
    trace, _ = played("household", "multibranch", 3)
    assert trace.finish is not None
    branch = set(trace.branch(trace.finish.leaf))
    every = chosen(trace, "all", None, 0)
    assert set(chosen(trace, "branch", None, 0)) == set(every) & branch
    siblings = chosen(trace, "siblings", None, 0)
    for index in siblings:
        parent = trace.nodes[index].parent
        acts = (trace.nodes[i].action for i in siblings if trace.nodes[i].parent == parent)
        rivals = {act.key for act in acts if act}
        assert len(rivals) > 1
    assert chosen(trace, "all", 3, 0) == chosen(trace, "all", 3, 0) != chosen(trace, "all", 3, 1)
    assert all(trace.nodes[i].error is None for i in every)
