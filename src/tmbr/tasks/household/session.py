"""One household episode under AgentBench's rules (AgentBench src/server/tasks/alfworld/task.py).

Twenty rounds; the action is its first line in lower case; the same output three times in a row fails
the episode from the fourth action on. A turn without an action costs a round and is answered; three
such turns in a row end the episode (upstream goes on to the limit; nothing that it writes then counts).
"""

from __future__ import annotations

from tmbr.core.types import Action, Status, Step
from tmbr.environments.household import Game, State
from tmbr.tasks.household.forms import Form
from tmbr.tasks.session import TurnSession

ROUNDS = 20
REPEATS = 3


class HouseholdSession(TurnSession[Form]):
    """A live household; a fork shares everything, because all of it is immutable."""

    __slots__ = ("_malformed", "_outputs", "game", "state")
    limit = ROUNDS

    def __init__(self, game: Game, form: Form) -> None:
        self.game = game
        self.state: State = game.start()
        self._malformed = 0
        self._outputs: tuple[str, ...] = ()
        room = game.intro.split("\n\n", 1)[-1].replace("\n\n", "\n")
        super().__init__(form, form.show(room, self.state.admissible))

    @property
    def won(self) -> bool:
        return self.state.won

    def _malformed_turn(self) -> Step:
        self._malformed += 1
        failed = self._malformed >= REPEATS
        told = self._form.show(self._form.no_action, self.state.admissible)
        return self._told(told, "agent validation failed" if failed else None)

    def _turn(self, action: Action | None) -> Step:
        if action is None:
            return self._malformed_turn()
        written = action.arguments["action"]
        self._malformed = 0
        self._outputs = (*self._outputs, written)
        offered = self.state.admissible
        wanted = written.strip().split("\n")[0].strip().lower()
        command = self._form.repair(wanted, offered)
        self.state, feedback = self.state.step(command)
        told = self._form.show(_without_location(feedback), self.state.admissible)
        status = "completed" if self.state.won else self._repeated()
        return self._told(told, status, wanted in offered)

    def _repeated(self) -> Status | None:
        same = len(self._outputs) > REPEATS and len(set(self._outputs[-REPEATS:])) == 1
        return "agent invalid action" if same else None

    def ends(self, action: Action) -> bool:  # noqa: ARG002
        """No household action ends the episode by itself; winning does, and that is withheld."""
        return False

    def state_key(self) -> str:
        return f"{self.state.key}/{self._rounds}/{self._malformed}/{self._outputs[-REPEATS:]}"


def _without_location(feedback: str) -> str:
    """AgentBench's `process_ob`: the older grammar names the location that one arrives at."""
    return feedback.split(". ", 1)[1] if feedback.startswith("You arrive at loc ") else feedback
