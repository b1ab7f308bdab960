"""From one tree to the rows that a model learns from: the committed branch, and what became of detours.

The score decides what is learnt from. That is right here and only here: this is data of the train
split, made before any model is measured; nothing of it is known when a model acts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from tmbr.core.conversation import spoken
from tmbr.core.rows import Row, Turn, teaches
from tmbr.core.trace import Trace, answer
from tmbr.core.types import Message
from tmbr.teacher.prompts import prompt

#: Said beside the world: it may stand in a conversation without being on the branch.
ASIDE = ("plan", "summary")


def sft_rows(trace: Trace, leaf: int, corrections: float | None = None) -> list[Row]:
    """The branch that ends at `leaf`, one row for each conversation in which it was held.

    What the branch went back from is cut: failed attempts told before a restart, and the restart's own
    words about them. corrections: keeps detours instead, as turns of this weight, each followed by a
    short turn that says that it did not help (0: context, so only the mending is learnt). A branch has
    more than one conversation where a plan's parts had their own.
    """
    made = []
    for end in conversations(trace, leaf):
        turns = _cut(trace, leaf, end) if corrections is None else _told(trace, leaf, end, corrections)
        if any(turn.loss for turn in turns):
            made.append(Row(trace.sample.id, tuple(turns), trace.tools, trace.sample.task))
    return made


def conversations(trace: Trace, leaf: int) -> list[int]:
    """Where each conversation of a branch ends: at `leaf`, and before a part that began its own."""
    branch = trace.branch(leaf)
    ends = []
    for before, after in pairwise(branch):
        if trace.nodes[after].context is None:
            ends.append(before)
    return [*ends, leaf]


def _cut(trace: Trace, leaf: int, end: int) -> list[Turn]:
    """One conversation of the branch without what was gone back from."""
    branch = set(trace.branch(leaf))
    told = trace.conversation(end)
    opening = [index for index in told if trace.nodes[index].kind == "root"]
    rest = [i for i in told[len(opening) :] if i in branch or trace.nodes[i].kind in ASIDE]
    return _turns(trace, [*_first_prompt(trace, opening), *rest], branch)


def _first_prompt(trace: Trace, opening: list[int]) -> list[int]:
    """The prompt of a path from the start, as it was before a restart added its words to it."""
    if not opening or trace.nodes[opening[0]].parent is not None:
        return opening  # a part of a plan, whose prompt names its subtask
    first = list(range(len(opening)))
    unchanged = all(
        trace.nodes[now].message.content.startswith(trace.nodes[then].message.content)
        for now, then in zip(opening, first, strict=True)
    )
    return first if unchanged else opening


def _turns(trace: Trace, nodes: Sequence[int], branch: set[int]) -> list[Turn]:
    return [
        Turn(message, float(index is not None and index in branch and teaches(trace.nodes[index])))
        for message, index in spoken(trace, nodes)
    ]


def _told(trace: Trace, leaf: int, end: int, weight: float) -> list[Turn]:
    """One conversation of the branch in which each detour stands before the turn that mended it."""
    branch = set(trace.branch(leaf))
    turns: list[Turn] = []
    told = trace.conversation(end)
    opening = 0
    for at, index in enumerate(told):
        node = trace.nodes[index]
        if node.kind == "act" and index in branch:
            turns += _turns(trace, told[opening:at], branch)
            opening = at
            for wrong in detours(trace, index):
                turns = [*turns, *_correction(trace, wrong, weight)]
    return _joined([*turns, *_turns(trace, told[opening:], branch)])


def detours(trace: Trace, index: int) -> list[int]:
    """Siblings of a node that the tree entered and went back from, in the order in which it did."""
    node, longest = trace.nodes[index], depths(trace)
    return [
        other
        for other, sibling in enumerate(trace.nodes)
        if other != index
        and (sibling.parent, sibling.context, sibling.kind) == (node.parent, node.context, "act")
        and sibling.sampled
        and entered(trace, other, longest)
    ]


def entered(trace: Trace, index: int, longest: Sequence[int]) -> bool:
    """Whether the tree went on from a node, after more than a look at it. longest: `depths`."""
    return trace.nodes[index].step is not None and longest[index] > 1


def depths(trace: Trace) -> list[int]:
    """Of each node the executed turns of the longest path that begins with it, itself included."""
    longest = [0] * len(trace.nodes)
    for index in reversed(range(len(trace.nodes))):
        node = trace.nodes[index]
        longest[index] += node.kind == "act" and node.step is not None
        if node.parent is not None:
            longest[node.parent] = max(longest[node.parent], longest[index])
    return longest


def _correction(trace: Trace, wrong: int, weight: float) -> Iterator[Turn]:
    """A turn that was gone back from, and what is said of it."""
    node = trace.nodes[wrong]
    yield Turn(node.message, weight if teaches(node) else 0.0)
    told = answer(node)
    assert told is not None, "a detour was executed"
    yield Turn(told)
    yield Turn(Message("user", prompt("went_back", turns=depths(trace)[wrong])))


def _joined(turns: Sequence[Turn]) -> list[Turn]:
    """Two user turns in a row are one, as in every conversation that a model hears."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and turn.message.role == "user" == joined[-1].message.role:
            words = f"{joined[-1].message.content}\n{turn.message.content}"
            joined[-1] = replace(turn, message=Message("user", words))
        else:
            joined.append(turn)
    return joined
