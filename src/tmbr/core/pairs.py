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
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from tmbr.core.lines import Line, MessageLine, ToolLine, read_lines, write_lines
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


def pair_line(pair: Pair) -> Line:
    """As a file holds it, for files of both kinds."""
    return _PairLine.of(pair)


def valued_line(valued: Valued) -> Line:
    """As a file holds it, for files of both kinds."""
    return _ValuedLine.of(valued)


def read_either(path: Path) -> tuple[list[Pair], list[Valued]]:
    """Read a file that may hold lines of both kinds. Raises DataError naming file, line and key."""
    what = "pairs or valued conversations; make them from traces with branches"
    pairs: list[Pair] = []
    valued: list[Valued] = []
    for number, line in read_lines(path, _EitherLine, what):
        if line.chosen is not None and line.rejected is not None:
            chosen, rejected = line.chosen.message(), line.rejected.message()
            id = line.id or str(number)
            pairs.append(Pair(id, line.asked(), chosen, rejected, line.tools, line.margin))
        elif line.value is not None:
            valued.append(Valued(line.id or str(number), line.asked(), line.value, line.tools))
    return pairs, valued


def _answering(line: MessageLine) -> MessageLine:
    if line.role != "assistant":
        raise ValueError(f"an answer is the assistant's, this one is {line.role!r}")
    return line


_AnswerLine = Annotated[MessageLine, AfterValidator(_answering)]


class _Asked(Line):
    id: str | None = None
    messages: list[MessageLine] = Field(min_length=1)
    tools: tuple[ToolLine, ...] = ()

    def asked(self) -> tuple[Message, ...]:
        return tuple(line.message() for line in self.messages)


class _PairLine(_Asked):
    chosen: _AnswerLine
    rejected: _AnswerLine
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


class _EitherLine(_Asked):
    chosen: _AnswerLine | None = None
    rejected: _AnswerLine | None = None
    margin: float = Field(default=1.0, gt=0, le=1)
    value: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        answers = sum(answer is not None for answer in (self.chosen, self.rejected))
        if answers != (2 if self.value is None else 0):
            raise ValueError("give both chosen and rejected, or a value")
        if self.value is not None and all(line.role != "assistant" for line in self.messages):
            raise ValueError("a valued conversation has an answer of the assistant's")
        return self
