"""What sessions share: counted turns, an end that stays, and forks that have all of the state."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tmbr.core.types import Action, Step, Tool
from tmbr.tasks.session import TurnSession


class Plain:
    tools: Sequence[Tool] = ({"type": "function"},)


class Adder(TurnSession[Plain]):
    __slots__ = ("total",)
    limit = 3

    def __init__(self) -> None:
        self.total = 0
        super().__init__(Plain(), "0")

    def _turn(self, action: Action | None) -> Step:
        if action is None:
            return self._told("what?")
        self.total += int(action.arguments["n"])
        return self._told(str(self.total), "completed" if self.total > 9 else None, True)


class Twice(Adder):
    __slots__ = ("times",)

    def __init__(self) -> None:
        self.times = 2
        super().__init__()


def add(number: int) -> Action:
    return Action("add", {"n": str(number)})


def test_the_last_turn_that_the_rules_give_ends_it() -> None:
    session = Adder()
    assert (session.observation, session.tools) == ("0", Plain.tools)
    assert session.step(add(1)) == Step("1", admissible=True)
    assert session.step(None) == Step("what?")
    assert session.step(None) == Step("what?", True, "task limit reached")
    assert session.step(add(1)) == Step("The episode is over.", True, "task limit reached")
    assert session.total == 1


def test_a_status_goes_before_the_limit() -> None:
    session = Adder()
    session.step(None)
    session.step(None)
    assert session.step(add(10)) == Step("10", True, "completed", True)


@pytest.mark.parametrize("made", [Adder, Twice])
def test_a_fork_has_the_state_of_every_class_above(made: type[Adder]) -> None:
    session = made()
    session.step(add(1))
    fork = session.fork()
    assert type(fork) is made
    assert [getattr(fork, slot) for slot in made._slots] == [getattr(session, s) for s in made._slots]
    assert {"_form", "_rounds", "_step", "total"} <= set(made._slots)
    fork.step(add(2))
    assert (session.total, fork.total, session.observation, fork.observation) == (1, 3, "1", "3")


def test_a_session_without_turns_cannot_be_made() -> None:
    class Empty(TurnSession[Plain]):
        __slots__ = ()

    with pytest.raises(TypeError, match="abstract"):
        Empty(Plain(), "")  # type: ignore[abstract]
