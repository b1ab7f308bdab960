"""Traces → training rows: one row per kept branch, with the turns marked that carry loss.

A row is one JSON line in the OpenAI chat shape:

    {"id": "…", "messages": [{"role": "assistant", "content": "…", "loss": 1.0}, …], "tools": […]}

`loss` is the weight of a turn in the loss, 0 where it is left out; a row in which no turn says it, as
such files come from elsewhere, trains on every assistant turn. A turn may also carry `weights`,
`[[start, end, weight], …]`: characters of its content whose tokens count `weight` times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from tmbr.core.conversation import spoken
from tmbr.core.lines import Line, MessageLine, ToolLine, each_line, read_lines, write_lines
from tmbr.core.trace import Node, Trace
from tmbr.core.types import Message, Tool

_WHAT = "training rows; make them from traces of successful episodes"
#: Characters [start, end) of a turn's content and the factor by which their tokens count.
Span = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """A message and its weight in the loss; 0 for context, which is not trained on."""

    message: Message
    loss: float = 0.0
    weights: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation to learn from. Rows of one id stay on one side of the evaluation split.

    source: what it was taken from, a task or a data set.
    """

    id: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    source: str = ""


def successes(trace: Trace) -> list[int]:
    """The committed leaf of a successful trace; nothing of any other."""
    return [trace.finish.leaf] if trace.finish and trace.finish.score.success else []


def rows(
    traces: Iterable[Trace],
    keep: Callable[[Trace], Sequence[int]] = successes,
) -> Iterator[Row]:
    """One row per kept branch of each trace.

    keep: the leaves whose branches are trained on.
    """
    for trace in traces:
        for leaf in keep(trace):
            yield Row(trace.sample.id, tuple(turns(trace, leaf)), trace.tools, trace.sample.task)


def turns(trace: Trace, leaf: int) -> Iterator[Turn]:
    """The conversation that ends at `leaf`, as the model heard it.

    The conversation may pass through nodes that are not on the branch (a failed attempt told before a
    restart): they are context. So are turns from which no action could be read, or one that the world
    did not offer, and mistakes made on purpose: their mending is learnt, they are not.
    """
    branch = set(trace.branch(leaf))
    for message, index in spoken(trace, trace.conversation(leaf)):
        trained = index is not None and index in branch and teaches(trace.nodes[index])
        yield Turn(message, loss=float(trained))


def teaches(node: Node) -> bool:
    """Whether a turn is worth learning by itself: sampled, readable, admitted, and meant."""
    refused = node.step is not None and node.step.admissible is False
    mistake = node.completion is not None and node.completion.finish_reason == "mistake"
    return node.sampled and node.error is None and not refused and not mistake


def write_rows(path: Path, content: Iterable[Row]) -> int:
    """Write rows as JSONL, whole or not at all; returns how many."""
    return write_lines(path, (_RowLine.of(row) for row in content))


def read_rows(path: Path) -> list[Row]:
    """Read rows. Raises DataError naming file, line and key."""
    return [line.row(number) for number, line in read_lines(path, _RowLine, _WHAT)]


def each_row(path: Path) -> Iterator[Row]:
    """As `read_rows`, one at a time; there may be none."""
    return (line.row(number) for number, line in each_line(path, _RowLine, _WHAT))


def row_line(row: Row) -> Line:
    """As a file holds it."""
    return _RowLine.of(row)


class _TurnLine(MessageLine):
    loss: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    weights: tuple[tuple[int, int, float], ...] = ()

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.role != "assistant" and (self.loss or self.weights):
            raise ValueError(f"loss and weights belong to assistant turns, this one is {self.role!r}")
        for start, end, weight in self.weights:
            if not (0 <= start < end <= len(self.content or "") and 0 <= weight < inf):
                raise ValueError(f"weights: [{start}, {end}, {weight}] is no span of this content")
        return self

    @classmethod
    def of(cls, turn: Turn) -> _TurnLine:
        said = MessageLine.told(turn.message)
        loss = turn.loss if said.role == "assistant" else None
        return cls(**dict(said), loss=loss, weights=turn.weights)

    def turn(self, unsaid: float) -> Turn:
        """unsaid: the loss of an assistant turn that does not say it."""
        loss = self.loss if self.loss is not None else unsaid if self.role == "assistant" else 0.0
        return Turn(self.message(), loss, self.weights)


class _RowLine(Line):
    id: str | None = None
    messages: list[_TurnLine] = Field(min_length=1)
    tools: tuple[ToolLine, ...] = ()
    source: str = ""

    @classmethod
    def of(cls, row: Row) -> _RowLine:
        turns = [_TurnLine.of(turn) for turn in row.turns]
        tools = tuple(dict(tool) for tool in row.tools)
        return cls(id=row.id, messages=turns, tools=tools, source=row.source)

    def row(self, number: int) -> Row:
        unsaid = 1.0 if all(line.loss is None for line in self.messages) else 0.0
        turns = tuple(line.turn(unsaid) for line in self.messages)
        return Row(self.id or str(number), turns, self.tools, self.source)
