"""The trace of an episode, which is a tree; it only grows, its parts are immutable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tmbr.core.types import (
    FREE,
    Access,
    Action,
    Completion,
    Message,
    Sample,
    Score,
    Status,
    Step,
    Tool,
    Usage,
)

NodeKind = Literal["root", "act", "plan", "summary", "reflect"]


@dataclass(frozen=True, slots=True)
class Node:
    """One message of the tree, and for an action what the world answered.

    parent: the node whose world state this one continues.
    context: the node whose conversation this one continues (differs after a restart or a summary).
    sampled: written by the model, not given as context.
    action: what was parsed; None when nothing could be (`error` says why) or for other kinds.
    step: the world's answer; for a candidate never executed it is None.
    """

    parent: int | None
    context: int | None
    kind: NodeKind
    message: Message
    sampled: bool = False
    action: Action | None = None
    error: str | None = None
    step: Step | None = None
    completion: Completion | None = None

    @property
    def out_of_room(self) -> bool:
        """The conversation was too long for the answer."""
        return self.completion is not None and self.completion.finish_reason == "context"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of a node; value in [0, 1]."""

    node: int
    judge: str
    value: float
    reason: str = ""
    usage: Usage = FREE


@dataclass(frozen=True, slots=True)
class Run:
    """Under which conditions an episode was made; the same for all episodes of one cell and seed.

    config: hash of the settings that shape an episode (strategy, sampling, budget).
    version: of the task's world and prompt. weights: `Model.weights_version`. data: which set of
    samples of the task.
    """

    config: str
    task: str
    model: str
    strategy: str
    access: Access
    seed: int
    adapter: str | None = None
    version: str = ""
    weights: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """leaf: end of the committed branch. stop: why the strategy ended where the world did not."""

    leaf: int
    score: Score
    status: Status
    stop: str | None = None
    error: str | None = None


@dataclass(slots=True)
class Spent:
    """What an episode has cost so far, of agent, planner and judge together."""

    usage: Usage = FREE
    calls: int = 0
    steps: int = 0
    steps_on_forks: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """The outer law of an episode; None is no limit.

    tokens: prompt asked plus generated. calls: of any model. steps: of the world, forks included.
    seconds: of the clock, looked at before each question; what then is reached depends on the machine.
    """

    tokens: int | None = None
    calls: int | None = None
    steps: int | None = None
    seconds: float | None = None

    def spent_by(self, spent: Spent, seconds: float) -> str | None:
        """The name of the limit that is reached, or None. seconds: since the episode began."""
        if self.tokens is not None and spent.usage.total >= self.tokens:
            return "token budget"
        if self.calls is not None and spent.calls >= self.calls:
            return "call budget"
        if self.steps is not None and spent.steps + spent.steps_on_forks >= self.steps:
            return "step budget"
        if self.seconds is not None and seconds >= self.seconds:
            return "time budget"
        return None


@dataclass(slots=True)
class Trace:
    """An episode: a flat, append-only tree. A branch is the walk from a leaf to the root.

    tools: what the model was offered; empty for a text form.
    """

    id: str
    sample: Sample
    run: Run
    nodes: list[Node] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    finish: Finish | None = None
    tools: tuple[Tool, ...] = ()

    def add(self, node: Node) -> int:
        """Append a node and return its index."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def branch(self, leaf: int) -> list[int]:
        """Indices from the root to `leaf` along the world's states."""
        return list(self._walk(leaf, "parent"))[::-1]

    def conversation(self, leaf: int) -> list[int]:
        """Indices from the first message to `leaf` along what the model was told."""
        return list(self._walk(leaf, "context"))[::-1]

    def leaves(self) -> list[int]:
        """Nodes that no other continues, in order of creation."""
        inner = {node.parent for node in self.nodes}
        return [index for index in range(len(self.nodes)) if index not in inner]

    def _walk(self, leaf: int, link: Literal["parent", "context"]) -> Iterator[int]:
        at: int | None = leaf
        while at is not None:
            yield at
            node = self.nodes[at]
            at = node.parent if link == "parent" else node.context


def answer(node: Node) -> Message | None:
    """The message by which the model hears what the world answered to this node."""
    if node.step is None:
        return None
    if node.message.tool_calls:
        return Message("tool", node.step.observation, tool_call_id=node.message.tool_calls[0].id)
    return Message("user", node.step.observation)
