"""A visit to a site: an immutable state, and what an action makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from .parts import CHECKED, TAKES, Control, LivePage, Part
from .themes import OPEN

#: What a text box holds at most, as its `maxlength` says.
LONGEST = 100
#: One thing that was chosen, with what was chosen for it.
Line = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was committed: the lines of an order, and what was filled in, by label."""

    lines: tuple[Line, ...]
    details: tuple[tuple[str, str], ...]


class Shown(Protocol):
    """A site, as a visit needs it."""

    def show(self, state: State) -> Part: ...

    def commit(self, state: State, control: Control) -> Outcome: ...


@dataclass(frozen=True)
class State:
    """Where a visit is. at: the page with its arguments; filled: fields by name; kept: lines chosen so
    far; notice: what the page says on top; outcome: what was committed, once the visit is over."""

    site: Shown
    at: tuple[str, ...]
    filled: Mapping[str, str]
    kept: tuple[Line, ...] = ()
    notice: str = ""
    outcome: Outcome | None = None

    @cached_property
    def page(self) -> LivePage:
        return LivePage(self.site.show(self))

    @cached_property
    def key(self) -> str:
        """Equal for states that cannot be told apart."""
        filled = sorted((name, value) for name, value in self.filled.items() if value)
        return repr((self.at, filled, self.kept, self.notice, self.outcome))


@dataclass(frozen=True, slots=True)
class Answer:
    """The state after an action. refused: why nothing could be done, where that is so."""

    state: State
    refused: str = ""


def act(state: State, node: str, operation: str, value: str) -> Answer:
    """Do something with an element. What does not fit it is refused and changes nothing."""
    control = state.page.controls.get(node)
    if control is None or state.outcome is not None:
        return Answer(state, "There is no such element.")
    wanted = TAKES[control.kind]
    if operation != wanted:
        return Answer(state, f"{control.label}: a {control.kind} takes {wanted}.")
    if operation == "TYPE":
        typed = "".join(char if char.isprintable() else " " for char in value[:LONGEST])
        return Answer(_fill(state, control.field, " ".join(typed.split())))
    if operation == "SELECT":
        option = _option(control, value)
        if option is None:
            return Answer(state, f"{control.label}: there is no option {value[:LONGEST]!r}.")
        return Answer(_fill(state, control.field, option))
    if control.kind == "checkbox":
        flipped = "" if state.filled.get(control.field) == CHECKED else CHECKED
        return Answer(_fill(state, control.field, flipped))
    return Answer(_click(state, control))


def _fill(state: State, field: str, value: str) -> State:
    return replace(state, filled={**state.filled, field: value}, notice="")


def _option(control: Control, value: str) -> str | None:
    wanted = value.strip().lower()
    return next((option for option in control.options if option.lower() == wanted), None)


def _click(state: State, control: Control) -> State:
    missing = [label for label, field in control.needs if state.filled.get(field, "") in ("", OPEN)]
    if missing:
        return replace(state, notice=f"Please fill in: {', '.join(missing)}.")
    if control.commits:
        outcome = state.site.commit(state, control)
        return replace(state, at=("done",), notice="", outcome=outcome)
    kept = state.kept if control.keeps is None else control.keeps
    return replace(state, at=control.to or state.at, kept=kept, notice=control.told)
