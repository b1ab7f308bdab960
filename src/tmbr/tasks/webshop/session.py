"""One shop episode under AgentBench's rules (AgentBench src/server/tasks/webshop/task.py).

Twenty rounds. What is searched and clicked is lowered; what cannot be clicked changes nothing, and the
page is shown again. A turn without a call costs a round and is told so, however often. Buying ends the
episode, and only then is there anything to score.
"""

from __future__ import annotations

from collections.abc import Sequence

from tmbr.core.types import Action, Status, Step, Tool
from tmbr.environments.webshop import State
from tmbr.environments.webshop.pages import BUY
from tmbr.tasks.webshop.forms import ARGUMENTS, Form, parse_action, written_as

ROUNDS = 20


class WebshopSession:
    """A live buyer; a fork shares everything, because all of it is immutable."""

    __slots__ = ("_form", "_rounds", "_step", "state")

    def __init__(self, state: State, form: Form) -> None:
        self.state = state
        self._form = form
        self._rounds = 0
        self._step = Step(form.show(state.view, None))

    @property
    def observation(self) -> str:
        return self._step.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self._form.tools

    def step(self, action: Action | None) -> Step:
        """Play one round. After the end the world only repeats that it is over."""
        if self._step.done:
            return Step("The episode is over.", True, self._step.status)
        self._rounds += 1
        limit: Status | None = "task limit reached" if self._rounds >= ROUNDS else None
        if action is None:
            self._step = Step(self._form.refuse(self.state.view), limit is not None, limit)
            return self._step
        written = _written(action)
        after = self._after(written)
        self.state = after or self.state
        status: Status | None = "completed" if self.state.page == "done" else limit
        told = self._form.show(self.state.view, written)
        self._step = Step(told, status is not None, status, admissible=after is not None)
        return self._step

    def _after(self, written: str) -> State | None:
        """The page that this leads to; None when the shop makes nothing of it."""
        name, argument = parse_action(written)
        if argument is None:
            return None
        match name:
            case "search":
                return self.state.search(argument.lower())
            case "click":
                return self.state.click(argument.lower())
            case _:
                return None

    def ends(self, action: Action) -> bool:
        """Buying, where there is something to buy."""
        name, argument = parse_action(_written(action))
        buys = name == "click" and argument is not None and argument.lower() == BUY.lower()
        return buys and BUY.lower() in self.state.view.clickables

    def fork(self) -> WebshopSession:
        copy = WebshopSession.__new__(WebshopSession)
        copy.state, copy._form = self.state, self._form
        copy._rounds, copy._step = self._rounds, self._step
        return copy

    def state_key(self) -> str:
        return f"{self.state.key}/{self._rounds}"

    def close(self) -> None:
        """Nothing is held that a garbage collector would not take."""


def _written(action: Action) -> str:
    return written_as(action.name, action.arguments[ARGUMENTS[action.name]])
