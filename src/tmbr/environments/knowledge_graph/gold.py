"""Gold actions as AgentBench writes them: `get_neighbors(m.0zd6,computer.computer.processor)`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tmbr.core.errors import DataError

from .tools import TOOLS, State

_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool and its arguments in order."""

    name: str
    arguments: tuple[str, ...]

    @property
    def named(self) -> Mapping[str, str]:
        return dict(zip(TOOLS[self.name][1], self.arguments, strict=True))

    @property
    def makes(self) -> bool:
        """Whether it makes a variable."""
        return self.name not in ("get_relations", "get_attributes")

    def __str__(self) -> str:
        return f"{self.name}({','.join(self.arguments)})"


def read_calls(actions: Sequence[str]) -> tuple[Call, ...]:
    """Raises DataError for what is no call of one of the tools."""
    return tuple(map(_read, actions))


def _read(action: str) -> Call:
    found = _CALL.fullmatch(action.strip())
    parts = tuple(part.strip() for part in found[2].split(",")) if found else ()
    if not found or found[1] not in TOOLS or len(TOOLS[found[1]][1]) != len(parts):
        raise DataError(f"the gold action {action[:80]!r} is no call of a tool; fetch the file again")
    return Call(found[1], parts)


def why_not(start: State, calls: Sequence[Call], answer: frozenset[str]) -> str | None:
    """Why gold actions do not give the gold answer under the tools' rules, None when they do."""
    state = start
    for call in calls:
        outcome = state.call(call.name, call.named)
        if not outcome.done:
            return f"{call}: {outcome.told}"
        state = outcome.state
    found = state.answer(str(len(state.variables) - 1)) if state.variables else frozenset()
    if found == answer:
        return None
    asked = {argument for call in calls for argument in call.arguments}
    if answer & asked:
        return "an entity of the question is part of the gold answer, and the tools leave it out"
    return f"the actions give {len(found)} answers, {len(found & answer)} of them right"
