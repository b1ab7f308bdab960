"""Forks by replay: right for any world that follows from its actions, and honest where none can be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.doors import DoorsSession
from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Action, Step
from tmbr.environments.replay import Replayed

A, B = (Action("open", {"door": door}) for door in "ab")


def replayed(opened: list[DoorsSession]) -> Replayed:
    def reopen() -> DoorsSession:
        opened.append(DoorsSession("abba"))
        return opened[-1]

    return Replayed(reopen, frozenset({"leave"}))


def test_a_fork_goes_its_own_way_and_costs_nothing_before_it_is_used() -> None:
    opened: list[DoorsSession] = []
    origin = replayed(opened)
    origin.step(A)
    fork = origin.fork()
    assert fork.observation == origin.observation
    assert len(opened) == 1
    fork.step(B)
    origin.step(A)
    assert [world.path for world in opened] == ["aa", "ab"]
    assert fork.state_key() != origin.state_key()
    assert fork.ends(Action("leave", {}))
    assert not fork.ends(A)


def test_closing_one_leaves_the_others_alive() -> None:
    opened: list[DoorsSession] = []
    origin = replayed(opened)
    origin.step(A)
    fork = origin.fork()
    origin.close()
    assert opened[0].closed
    assert fork.step(B).observation.startswith("Behind you: ab.")
    with pytest.raises(RuntimeError, match="was closed"):
        origin.step(A)


def test_a_world_that_answers_otherwise_cannot_be_forked() -> None:
    class Moody(DoorsSession):
        def step(self, action: Action | None) -> Step:  # noqa: ARG002
            return Step(f"answer {next(answers)}")

    answers = iter(range(9))
    reopen: Callable[[], DoorsSession] = lambda: Moody("a")  # noqa: E731
    origin = Replayed(reopen)
    origin.step(A)
    origin.step(B)
    with pytest.raises(EnvironmentFault, match="action 1 of 2 had another answer"):
        origin.fork().step(A)
