"""Judges: how promising is a branch? Each reads the trace alone, and no score.

`Rules` knows what any world shows: errors, no effect, loops, and whether something new was seen that
the task speaks of. `Confidence` is the acting model's own: how often, and how surely, it said this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tmbr.core.conversation import conversation
from tmbr.core.protocols import Judge, Model, RewardModel
from tmbr.core.trace import Judgement, Node, Trace, answer
from tmbr.core.types import Message, Rewarded, Usage
from tmbr.core.waiting import every
from tmbr.reasoning.prompts import prompt
from tmbr.reasoning.questions import ask

_WORD = re.compile(r"[a-z]{3,}")
#: Words that say nothing about which task it is.
_COMMON = frozenset(
    ("the", "and", "them", "with", "under", "some", "two", "put", "find", "look", "for", "into", "from")
)


@dataclass(frozen=True, slots=True)
class Rules:
    """0 for an error or no effect, low for a loop, high for news, highest for news of the task.

    To see again what was seen before something else is news of the changed world, no loop.
    """

    name: str = "rules"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        return [self._judge(trace, index) for index in nodes]

    def _judge(self, trace: Trace, index: int) -> Judgement:
        node = trace.nodes[index]
        if node.action is None:
            return Judgement(index, self.name, 0.0, "malformed")
        if node.step is not None and node.step.admissible is False:
            return Judgement(index, self.name, 0.0, "not possible here")
        before = [trace.nodes[i] for i in trace.branch(index)[:-1]]
        looped = _repeated(before, node)
        if looped is not None:
            fresh = any(_pair(n) not in {_pair(m) for m in before[:i]} for i, n in looped)
            value, reason = (0.6, "seen before, but things changed") if fresh else (0.1, "a loop")
            return Judgement(index, self.name, value, reason)
        if node.step is None:
            return Judgement(index, self.name, 0.6, "not tried")
        instruction = trace.sample.instruction.lower()
        # Some worlds repeat the instruction on every page: that is no news.
        told = set(_WORD.findall(node.step.observation.lower().replace(instruction, "")))
        asked = set(_WORD.findall(instruction)) - _COMMON
        if asked & told:
            share = len(asked & told) / len(asked)
            return Judgement(index, self.name, 0.7 + 0.3 * share, "speaks of the task")
        return Judgement(index, self.name, 0.6, "new")


def _pair(node: Node) -> tuple[str, str] | None:
    if node.action is None or node.step is None:
        return None
    return node.action.key, node.step.observation


def _repeated(before: Sequence[Node], node: Node) -> list[tuple[int, Node]] | None:
    """The nodes since the last time that this action had this answer, or None if it never had."""
    if node.action is None:
        return None
    for back in range(len(before) - 1, -1, -1):
        earlier = before[back]
        if earlier.action is None or not earlier.action.same(node.action):
            continue
        if node.step is None or (earlier.step and earlier.step.observation == node.step.observation):
            return list(enumerate(before))[back + 1 :]
    return None


@dataclass(frozen=True, slots=True)
class Confidence:
    """The acting model's own: the share of the siblings that say the same, and their likelihood."""

    name: str = "confidence"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        return [self._judge(trace, index) for index in nodes]

    def _judge(self, trace: Trace, index: int) -> Judgement:
        node = trace.nodes[index]
        siblings = _siblings(trace, index)
        same = [n for n in siblings if n.action and node.action and n.action.same(node.action)]
        likely = [
            math.exp(sum(n.completion.logprobs)) for n in same if n.completion and n.completion.logprobs
        ]
        votes = len(same) / max(1, len(siblings))
        value = 0.5 * votes + 0.5 * min(1.0, max(likely)) if likely else votes
        return Judgement(index, self.name, value, f"said {len(same)} of {len(siblings)} times")


def _siblings(trace: Trace, index: int) -> list[Node]:
    """The answers to the same question, this one among them: they stand together in a trace."""
    parent, first, last = trace.nodes[index].parent, index, index + 1
    while first > 0 and trace.nodes[first - 1].parent == parent:
        first -= 1
    while last < len(trace.nodes) and trace.nodes[last].parent == parent:
        last += 1
    return [node for node in trace.nodes[first:last] if node.sampled]


@dataclass(frozen=True, slots=True)
class NoJudge:
    """None at all: every branch is worth the same. What search is without a judge."""

    name: str = "none"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:  # noqa: ARG002
        return [Judgement(index, self.name, 0.5) for index in nodes]


@dataclass(frozen=True, slots=True)
class YesNo:
    """A model's own word, the acting one's (`self`) or another's: the probability of Yes to whether the
    last action brings the task nearer to its end. One half where it says neither."""

    model: Model
    name: str = "self"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        return await every(self._judge(trace, index) for index in nodes)

    async def _judge(self, trace: Trace, index: int) -> Judgement:
        if trace.nodes[index].action is None:
            return Judgement(index, self.name, 0.0, "malformed")
        doubt = await ask(self.model, conversation(trace, index), prompt("judge"))
        if doubt.yes is None:
            return Judgement(index, self.name, 0.5, "said neither Yes nor No", doubt.usage)
        return Judgement(index, self.name, doubt.yes, "", doubt.usage)


@dataclass(frozen=True, slots=True)
class Reward:
    """A trained head's: how a conversation that goes on from here is likely to end, or how much better
    this answer is than others, by what the head was trained on."""

    model: RewardModel
    name: str = "reward"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        asked = [index for index in nodes if trace.nodes[index].action is not None]
        found = await self.model.rewards([self._read(trace, index) for index in asked], trace.tools)
        said = dict(zip(asked, found, strict=True))
        return [self._said(index, said.get(index)) for index in nodes]

    def _read(self, trace: Trace, index: int) -> list[Message]:
        """The conversation, the world's answer included where the head was trained to see it."""
        messages = conversation(trace, index).messages()
        told = answer(trace.nodes[index]) is not None
        return messages[:-1] if told and not self.model.outcomes else messages

    def _said(self, index: int, reward: Rewarded | None) -> Judgement:
        if reward is None:
            return Judgement(index, self.name, 0.0, "malformed")
        if reward.value is None:
            return Judgement(index, self.name, 0.5, "too long to be read", reward.usage)
        return Judgement(index, self.name, reward.value, "", reward.usage)


@dataclass(frozen=True, slots=True)
class Mix:
    """A weighted mean of judges; a 0 of the first one is final."""

    parts: tuple[tuple[Judge, float], ...]
    name: str = "mix"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        each = [await judge.judge(trace, nodes) for judge, _ in self.parts]
        weights = [weight for _, weight in self.parts]
        return [
            self._mixed(index, weights, row)
            for index, row in zip(nodes, zip(*each, strict=True), strict=True)
        ]

    def _mixed(self, index: int, weights: Sequence[float], row: Sequence[Judgement]) -> Judgement:
        reason = "; ".join(part.reason for part in row if part.reason)
        usage = sum((part.usage for part in row), Usage())
        if row[0].value == 0.0:
            return Judgement(index, self.name, 0.0, row[0].reason, usage)
        value = sum(w * part.value for w, part in zip(weights, row, strict=True)) / sum(weights)
        return Judgement(index, self.name, value, reason, usage)


def default_judge() -> Judge:
    """What tmbr uses where no judge is named; how it was weighted is told in docs/judges.md."""
    return Mix(((Rules(), 0.5), (Confidence(), 0.5)))
