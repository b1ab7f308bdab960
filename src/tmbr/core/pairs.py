"""What reward models and preference tuning learn from: pairs of siblings, and the values of turns.

    {"id": "…", "messages": […], "tools": […], "chosen": {…}, "rejected": {…}, "margin": 0.5}
    {"id": "…", "messages": […], "tools": […], "value": 0.75}

A pair is one question and two answers to it; `margin` is how much better the chosen one is. A valued
conversation ends with an answer, and what the world said to it where that is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from tmbr.core.lines import Line, MessageLine, read_lines, write_lines
from tmbr.core.types import Message, Tool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one conversation. id: of the sample. margin: difference of value, in (0, 1]."""

    id: str
    prompt: tuple[Message, ...]
    chosen: Message
    rejected: Message
    tools: tuple[Tool, ...] = ()
    margin: float = 1.0


@dataclass(frozen=True, slots=True)
class Valued:
    """A conversation and how promising it is. id: of the sample. value: in [0, 1]."""

    id: str
    messages: tuple[Message, ...]
    value: float
    tools: tuple[Tool, ...] = ()


def write_pairs(path: Path, content: Iterable[Pair]) -> int:
    """Write pairs as JSONL, whole or not at all; returns how many."""
    return write_lines(path, (_PairLine.of(pair) for pair in content))


def pair_line(pair: Pair) -> str:
    """A pair as a line of a file, its end included."""
    return _PairLine.of(pair).model_dump_json(exclude_defaults=True) + "\n"


def valued_line(valued: Valued) -> str:
    """A valued conversation as a line of a file, its end included."""
    return _ValuedLine.of(valued).model_dump_json(exclude_defaults=True) + "\n"


def read_pairs(path: Path) -> list[Pair]:
    """Read pairs. Raises DataError naming file, line and key."""
    what = "preference pairs; make them from traces with branches"
    return [line.pair(number) for number, line in read_lines(path, _PairLine, what)]


def write_valued(path: Path, content: Iterable[Valued]) -> int:
    """Write valued conversations as JSONL, whole or not at all; returns how many."""
    return write_lines(path, (_ValuedLine.of(valued) for valued in content))


def read_valued(path: Path) -> list[Valued]:
    """Read valued conversations. Raises DataError naming file, line and key."""
    what = "valued conversations; make them from traces with branches"
    return [line.valued(number) for number, line in read_lines(path, _ValuedLine, what)]


class _Asked(Line):
    id: str | None = None
    messages: list[MessageLine] = Field(min_length=1)
    tools: tuple[dict[str, Any], ...] = ()

    def asked(self) -> tuple[Message, ...]:
        return tuple(line.message() for line in self.messages)


class _PairLine(_Asked):
    chosen: MessageLine
    rejected: MessageLine
    margin: float = Field(default=1.0, gt=0, le=1)

    @classmethod
    def of(cls, pair: Pair) -> _PairLine:
        return cls(
            id=pair.id,
            messages=[MessageLine.told(message) for message in pair.prompt],
            tools=tuple(dict(tool) for tool in pair.tools),
            chosen=MessageLine.told(pair.chosen),
            rejected=MessageLine.told(pair.rejected),
            margin=pair.margin,
        )

    def pair(self, number: int) -> Pair:
        chosen, rejected = self.chosen.message(), self.rejected.message()
        id = self.id or str(number)
        return Pair(id, self.asked(), chosen, rejected, self.tools, self.margin)


class _ValuedLine(_Asked):
    value: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, valued: Valued) -> _ValuedLine:
        return cls(
            id=valued.id,
            messages=[MessageLine.told(message) for message in valued.messages],
            tools=tuple(dict(tool) for tool in valued.tools),
            value=valued.value,
        )

    def valued(self, number: int) -> Valued:
        return Valued(self.id or str(number), self.asked(), self.value, self.tools)
