"""One household episode under AgentBench's rules (AgentBench src/server/tasks/alfworld/task.py).

Twenty rounds; the action is its first line in lower case; the same output three times in a row fails
the episode from the fourth action on. A turn without an action costs a round and is answered; three
such turns in a row end the episode (upstream goes on to the limit; nothing that it writes then counts).
"""

from __future__ import annotations

from collections.abc import Sequence

from tmbr.core.types import Action, Status, Step, Tool
from tmbr.environments.household import Game, State
from tmbr.tasks.household.forms import Form

ROUNDS = 20
REPEATS = 3


class HouseholdSession:
    """A live household; a fork shares everything, because all of it is immutable."""

    __slots__ = ("_form", "_malformed", "_outputs", "_rounds", "_step", "game", "state")

    def __init__(self, game: Game, form: Form) -> None:
        self.game = game
        self.state: State = game.start()
        self._form = form
        self._rounds = 0
        self._malformed = 0
        self._outputs: tuple[str, ...] = ()
        room = game.intro.split("\n\n", 1)[-1].replace("\n\n", "\n")
        self._step = Step(form.show(room, self.state.admissible))

    @property
    def observation(self) -> str:
        return self._step.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self._form.tools

    @property
    def won(self) -> bool:
        return self.state.won

    def step(self, action: Action | None) -> Step:
        """Play one round. After the end the world only repeats that it is over."""
        if self._step.done:
            return Step("The episode is over.", True, self._step.status)
        self._rounds += 1
        self._step = (
            self._malformed_turn() if action is None else self._turn(action.arguments["action"])
        )
        return self._step

    def _malformed_turn(self) -> Step:
        self._malformed += 1
        failed = self._malformed >= REPEATS
        status: Status | None = "agent validation failed" if failed else self._limit()
        told = self._form.show(self._form.no_action, self.state.admissible)
        return Step(told, status is not None, status)

    def _turn(self, written: str) -> Step:
        self._malformed = 0
        self._outputs = (*self._outputs, written)
        offered = self.state.admissible
        wanted = written.strip().split("\n")[0].strip().lower()
        command = self._form.repair(wanted, offered)
        self.state, feedback = self.state.step(command)
        status: Status | None = "completed" if self.state.won else self._repeated() or self._limit()
        told = self._form.show(_without_location(feedback), self.state.admissible)
        return Step(told, status is not None, status, admissible=wanted in offered)

    def _repeated(self) -> Status | None:
        same = len(self._outputs) > REPEATS and len(set(self._outputs[-REPEATS:])) == 1
        return "agent invalid action" if same else None

    def _limit(self) -> Status | None:
        return "task limit reached" if self._rounds >= ROUNDS else None

    def ends(self, action: Action) -> bool:  # noqa: ARG002
        """No household action ends the episode by itself; winning does, and that is withheld."""
        return False

    def fork(self) -> HouseholdSession:
        copy = HouseholdSession.__new__(HouseholdSession)
        for slot in HouseholdSession.__slots__:
            setattr(copy, slot, getattr(self, slot))
        return copy

    def state_key(self) -> str:
        return f"{self.state.key}/{self._rounds}/{self._malformed}/{self._outputs[-REPEATS:]}"

    def close(self) -> None:
        """Nothing is held that a garbage collector would not take."""


def _without_location(feedback: str) -> str:
    """AgentBench's `process_ob`: the older grammar names the location that one arrives at."""
    return feedback.split(". ", 1)[1] if feedback.startswith("You arrive at loc ") else feedback
