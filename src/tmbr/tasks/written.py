"""Actions whose argument is a text of its own, a script or a statement.

    Action: execute_sql SELECT 1

The argument goes on to the end of the turn, or to a line that is plainly no part of it; a fence around
it is no part of it either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tmbr.core.errors import ActionError
from tmbr.core.grammar import LINE, TEXT, Grammar, Pattern, either, literal
from tmbr.core.types import Action, Completion

_LINE = re.compile(r"^[ \t]*Action:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^```\w*\s*(.*?)\s*```", re.DOTALL)


def turn(action: Pattern) -> Grammar:
    """A thought of one line, and one of these actions."""
    return Grammar("Thought: " + LINE + "\nAction: " + action)


def read_line(completion: Completion) -> Action:
    """What the first `Action:` line says, whole. Raises ActionError (malformed) when there is none."""
    found = _LINE.search(completion.text)
    if not found:
        raise ActionError("malformed", "there is no line `Action: …`")
    return Action("take_action", {"action": found[1]}, completion.text)


@dataclass(frozen=True)
class Written:
    """arguments: tool -> the argument that is written after it. bare: tools that may stand alone."""

    arguments: Mapping[str, str]
    bare: frozenset[str] = frozenset()
    _line: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        names = "|".join(map(re.escape, self.arguments))
        line = re.compile(
            rf"^[ \t]*Action:[ \t]*({names})\b[ \t]*:?\s*(.*?)\s*"
            r"(?=^[ \t]*(?:Thought|Action|Observation):|\Z)",
            re.MULTILINE | re.DOTALL,
        )
        object.__setattr__(self, "_line", line)

    def read(self, text: str) -> Action:
        """The first action. Raises ActionError (malformed) when there is none."""
        found = self._line.search(text)
        if not found or not (found[2] or found[1] in self.bare):
            shown = (name if name in self.bare else f"{name} …" for name in self.arguments)
            *some, last = (f"`Action: {told}`" for told in shown)
            raise ActionError("malformed", f"there is no line {', '.join(some)} or {last}")
        fenced = _FENCE.match(found[2])
        return Action(found[1], {self.arguments[found[1]]: fenced[1] if fenced else found[2]}, text)

    def grammar(self, **arguments: Pattern) -> Grammar:
        """A turn; what an argument is like where it is not just any text."""
        told = [
            literal(name) if name in self.bare else f"{name} " + arguments.get(name, TEXT)
            for name in self.arguments
        ]
        return turn(either(told))

    def write(self, thought: str, name: str, argument: str) -> str:
        """A whole turn."""
        told = name if name in self.bare else f"{name} {argument}"
        return f"Thought: {thought}\nAction: {told}"
