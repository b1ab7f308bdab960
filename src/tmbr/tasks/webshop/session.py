"""One shop episode under AgentBench's rules (AgentBench src/server/tasks/webshop/task.py).

Twenty rounds. What is searched and clicked is lowered; what cannot be clicked changes nothing, and the
page is shown again. A turn without a call costs a round and is told so, however often. Buying ends the
episode, and only then is there anything to score.
"""

from __future__ import annotations

from tmbr.core.types import Action, Step
from tmbr.environments.webshop import State
from tmbr.environments.webshop.pages import BUY
from tmbr.tasks.session import TurnSession
from tmbr.tasks.webshop.forms import ARGUMENTS, Form, parse_action, written_as

ROUNDS = 20


class WebshopSession(TurnSession[Form]):
    """A live buyer; a fork shares everything, because all of it is immutable."""

    __slots__ = ("state",)
    limit = ROUNDS

    def __init__(self, state: State, form: Form) -> None:
        self.state = state
        super().__init__(form, form.show(state.view, None))

    def _turn(self, action: Action | None) -> Step:
        if action is None:
            return self._told(self._form.refuse(self.state.view))
        written = _written(action)
        after = self._after(written)
        self.state = after or self.state
        told = self._form.show(self.state.view, written)
        return self._told(told, "completed" if self.state.page == "done" else None, after is not None)

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

    def state_key(self) -> str:
        return f"{self.state.key}/{self._rounds}"


def _written(action: Action) -> str:
    return written_as(action.name, action.arguments[ARGUMENTS[action.name]])
