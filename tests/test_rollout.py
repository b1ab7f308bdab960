"""One episode: what a strategy may see, what it is charged, and how the episode ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.reasoning.playing import always, doors, play
from tests.support.doors import DoorsSession, DoorsTask, Wanderer
from tests.tasks.household.playing import take
from tmbr.core.errors import EnvironmentFault
from tmbr.core.protocols import Episode, Judge, Model, Outcome, Session, Strategy, World
from tmbr.core.trace import Budget, Node, Spent
from tmbr.core.types import Access, Action, Completion, Message, Sample, Step
from tmbr.environments.household import Game, Goal
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.paths import React, ReactRetry
from tmbr.reasoning.restarts import Paper
from tmbr.reasoning.search import Multibranch
from tmbr.tasks.household import Household

A, B, LEAVE = Action("open", {"door": "a"}), Action("open", {"door": "b"}), Action("leave", {})


@dataclass(slots=True)
class Does:
    """A strategy that is a function of the episode: it returns the world in which it ends."""

    act: Callable[[Episode], World]
    name: str = "does"
    access: Access = "fork"

    async def solve(
        self,
        episode: Episode,
        model: Model,  # noqa: ARG002
        judge: Judge | None,  # noqa: ARG002
        seed: int,  # noqa: ARG002
    ) -> Outcome:
        leaf = episode.trace.add(Node(None, None, "root", Message("user", "go")))
        return Outcome(leaf, self.act(episode))


def looked(world: World, action: Action) -> tuple[World, Step]:
    found = world.look(action)
    assert found is not None
    return found


# Fairness.


@dataclass(slots=True)
class Rigged(Household):
    """The household with a game of ours, whatever the sample says."""

    rigged: Game

    def __init__(self, rigged: Game, form: str) -> None:
        Household.__init__(self, form=form)
        self.rigged = rigged

    def game(self, sample: Sample) -> Game:  # noqa: ARG002
        return self.rigged


def public(thing: object) -> dict[str, Any]:
    """Every public attribute that is not a method, as text."""
    named = [name for name in dir(thing) if not name.startswith("_")]
    found = {name: getattr(thing, name) for name in named}
    return {name: repr(value) for name, value in found.items() if not callable(value)}


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RuntimeError) as refused:
        act()
    return str(refused.value)


def spy(episode: Episode, commands: tuple[str, ...], log: list[Any]) -> World:
    """Do all but the last command, try the last on forks, and write down whatever can be read."""
    world = episode.world
    log += [world.step(take(command)) for command in commands[:-1]]
    last, other = take(commands[-1]), take("inventory")
    fork, step = looked(world, last)
    log += [step, fork.observation, fork.tools, step.done, step.status]
    for view in (fork, fork.fork()):
        log += [refusal(lambda v=view: v.step(other)), refusal(lambda v=view: v.look(other))]  # type: ignore[misc]
        log += [view.observation, {k: v for k, v in public(view).items() if " at 0x" not in v}]
    log += [episode.trace.sample, episode.trace.finish, episode.trace.spent, episode.budget]
    log += [episode.messages(), sorted(public(episode)), sorted(public(world)), world.observation]
    log += [looked(world, other)[1], looked(world, take("fly"))[1], looked(world, last)[1]]
    return fork


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_a_strategy_cannot_tell_a_winning_look_from_another(form: str) -> None:
    task = Household(form=form)
    for sample in task.samples("validation")[:24]:
        wins = task.game(sample)
        things = sorted({thing.type for thing in wins.scene.things} - {wins.scene.goal.thing})
        goal = Goal(wins.scene.goal.task_type, things[0], wins.scene.goal.target)
        fails = replace(wins, scene=replace(wins.scene, goal=goal))
        assert (wins.intro, wins.start().admissible) == (fails.intro, fails.start().admissible)
        logs: list[list[Any]] = []
        for game in (wins, fails):
            log: list[Any] = []

            def act(episode: Episode, log: list[Any] = log, game: Game = game) -> World:
                return spy(episode, game.walkthrough, log)

            trace = play(Does(act), always(), sample, task=Rigged(game, form))
            assert trace.finish is not None
            assert trace.finish.score.success == (game is wins)
            logs.append(log)
        assert logs[0] == logs[1]


def test_only_the_commit_tells_how_a_look_ended() -> None:
    def act(episode: Episode) -> World:
        fork, step = looked(episode.world, A)
        assert (step.done, step.status) == (False, None)
        told = fork.commit()
        assert (told.done, told.status) == (True, "completed")
        assert told.observation == step.observation
        assert "was not looked at" in refusal(episode.world.fork().commit) or told.done
        return fork

    trace = play(Does(act), always(), doors("a"))
    assert trace.finish is not None
    assert trace.finish.score.success


def test_nothing_is_taken_back_after_the_end() -> None:
    def act(episode: Episode) -> World:
        other, _ = looked(episode.world, B)
        fork = episode.world.fork()
        assert fork.step(A).done
        refused = [lambda: episode.world.step(B), lambda: episode.world.look(B), other.commit]
        refused += [lambda: fork.step(B), lambda: episode.world.fork().step(B)]
        assert {refusal(deed) for deed in refused} == {
            "the episode has ended, and nothing is taken back"
        }
        return fork

    assert play(Does(act), always(), doors("a")).spent == Spent(steps=1, steps_on_forks=1)


def test_the_world_that_ended_is_the_one_that_counts() -> None:
    def act(episode: Episode) -> World:
        fork = episode.world.fork()
        fork.step(LEAVE)
        return episode.world

    with pytest.raises(RuntimeError, match="ended in another world"):
        play(Does(act), always(), doors("a"))


def test_setup_and_target_are_hidden_until_the_end() -> None:
    def act(episode: Episode) -> World:
        assert (dict(episode.trace.sample.setup), episode.trace.sample.target) == ({}, None)
        assert episode.trace.finish is None
        with pytest.raises(AttributeError):
            episode.score  # type: ignore[attr-defined]  # noqa: B018
        return episode.world

    sample = doors("ab")
    trace = play(Does(act), always(), sample)
    assert trace.sample == sample


def test_a_look_that_was_not_made_cannot_be_committed() -> None:
    def act(episode: Episode) -> World:
        assert "was not looked at" in refusal(episode.world.commit)
        fork, _ = looked(episode.world, B)
        fork.commit()
        assert "was not looked at" in refusal(fork.commit)
        return fork

    play(Does(act), always(), doors("a"))


# Charges.


def test_every_step_and_look_is_charged_and_a_commit_moves_the_charge() -> None:
    seen: list[tuple[int, int]] = []

    def act(episode: Episode) -> World:
        spent = episode.trace.spent

        def note() -> None:
            seen.append((spent.steps, spent.steps_on_forks))

        episode.world.step(B)
        note()
        fork, _ = looked(episode.world, A)
        looked(episode.world, B)
        note()
        assert episode.world.look(LEAVE) is None
        note()
        fork.commit()
        note()
        fork.step(None)
        note()
        return fork

    play(Does(act), always(), doors("aaaa"))
    assert seen == [(1, 0), (1, 2), (1, 2), (2, 1), (3, 1)]


def test_no_look_is_had_beyond_the_budget() -> None:
    def act(episode: Episode) -> World:
        episode.world.step(B)
        looked(episode.world, A)
        assert episode.world.look(A) is None
        return episode.world

    trace = play(Does(act), always(), doors("a"), budget=Budget(steps=2))
    assert trace.spent == Spent(steps=1, steps_on_forks=1)


# Ends.


class NoHouse(DoorsTask):
    """A world that cannot be opened."""

    def open(self, sample: Sample) -> Session:
        raise EnvironmentFault(f"no house for {sample.id}; build one")


@dataclass(slots=True)
class Collapsing(DoorsSession):
    """Breaks down behind the first door."""

    def step(self, action: Action | None) -> Step:
        if self.path:
            raise EnvironmentFault("the house fell down")
        return DoorsSession.step(self, action)


class Shaky(DoorsTask):
    def open(self, sample: Sample) -> Session:
        return Collapsing(sample.setup["way"])


def test_a_budget_of_seconds_ends_it_before_the_next_question() -> None:
    """The model takes 50 ms an answer: some turns are played within 0.2 s, and not all eight."""

    class Slow(ScriptedModel):
        async def complete(self, *told: Any) -> list[Completion]:
            await asyncio.sleep(0.05)
            return await super().complete(*told)

    model = Slow(lambda _, n, __: ["open a"] * n)
    trace = play(React(), model, doors("bbbbbbbb"), budget=Budget(seconds=0.2))
    assert trace.finish is not None
    assert trace.finish.stop == "time budget"
    assert 1 <= trace.spent.calls <= 4


def test_a_fault_of_the_world_is_recorded_with_what_was_played() -> None:
    trace = play(React(), always("open b"), doors("a"), task=NoHouse())
    assert trace.finish is not None
    assert trace.finish.status == "task error"
    assert trace.finish.error == "EnvironmentFault: no house for way a; build one"
    assert [node.message.content for node in trace.nodes] == ["Find the way out."]
    assert trace.branch(trace.finish.leaf) == [0]

    trace = play(React(), always("open b"), doors("aa"), task=Shaky())
    assert trace.finish is not None
    assert trace.finish.error == "EnvironmentFault: the house fell down"
    assert (len(trace.nodes), trace.sample) == (3, doors("aa"))
    assert not trace.finish.score.success


def test_an_episode_that_took_no_step_reached_the_limit() -> None:
    trace = play(React(), always("open a"), doors("a"), budget=Budget(steps=0))
    assert trace.finish is not None
    assert (trace.finish.status, trace.finish.stop) == ("task limit reached", "step budget")


@dataclass(slots=True)
class Counted(DoorsSession):
    """Doors that know of all their forks."""

    family: list[Counted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.family.append(self)

    def fork(self) -> Session:
        return Counted(self.way, self.path, self.steps, self.left, family=self.family)


@dataclass(frozen=True, slots=True)
class CountedTask(DoorsTask):
    family: list[Counted] = field(default_factory=list)

    def open(self, sample: Sample) -> Session:
        return Counted(sample.setup["way"], family=self.family)


@pytest.mark.parametrize(
    "strategy", [React(), ReactRetry(), Paper(path_steps=3), Multibranch(path_steps=3)]
)
@pytest.mark.parametrize("fails", [0, 1])
def test_every_world_is_closed_in_the_end(strategy: Strategy, fails: int) -> None:
    task = CountedTask()
    for way in ("ab", "bbab"):
        play(strategy, Wanderer(fails=fails), doors(way), task=task)
    assert len(task.family) >= 2
    assert all(session.closed for session in task.family)
