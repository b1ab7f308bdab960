"""Turns of a branch that did nothing: found by what the world answered, cut when a replay agrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tmbr.core.errors import EnvironmentFault
from tmbr.core.protocols import Task
from tmbr.core.trace import Node, Trace
from tmbr.core.types import Action, Sample, Step


@dataclass(frozen=True, slots=True)
class Played:
    """What a fresh world answered to some actions, and whether the task was solved by them."""

    steps: tuple[Step, ...]
    success: bool


#: Actions done in a fresh world; None is a turn from which none could be read.
Replay = Callable[[Sequence[Action | None]], Played]


def replay(task: Task, sample: Sample, actions: Sequence[Action | None]) -> Played:
    """Do the actions in the sample's world, opened anew. Raises EnvironmentFault."""
    session = task.open(sample)
    try:
        steps = tuple(session.step(action) for action in actions)
        return Played(steps, task.score(sample, session, steps).success)
    finally:
        session.close()


def idle(trace: Trace, leaf: int, replay: Replay) -> list[int]:
    """Turns of the branch that ends at `leaf` that can be cut.

    A stretch is idle when it told nothing new (the world refused each turn of it, or answered as it had
    before), and when without it a fresh world answers all other turns as it did and the task is solved:
    it changed nothing that mattered. Nothing is cut of a branch that a replay does not solve.
    """
    kept = [index for index in trace.branch(leaf) if trace.nodes[index].kind == "act"]
    told_nothing = any(next(_ends(trace, kept, at), 0) for at in range(len(kept)))
    if not told_nothing or not _holds(trace, kept, replay):
        return []
    cut: list[int] = []
    at = 0
    while at < len(kept) - 1:
        for end in _ends(trace, kept, at):
            rest = kept[:at] + kept[end:]
            if _holds(trace, rest, replay):
                cut += kept[at:end]
                kept = rest
                break
        else:
            at += 1
    return cut


def without(trace: Trace, cut: Sequence[int]) -> Trace:
    """The trace with some turns cut: what continued one of them continues what it continued."""

    def past(link: int | None, kind: str) -> int | None:
        while link is not None and link in gone:
            node = trace.nodes[link]
            link = node.parent if kind == "parent" else node.context
        return link

    gone = set(cut)
    nodes = [
        replace(node, parent=past(node.parent, "parent"), context=past(node.context, "context"))
        for node in trace.nodes
    ]
    return replace(trace, nodes=nodes)


def _ends(trace: Trace, kept: Sequence[int], at: int) -> Iterator[int]:
    """Where stretches from `at` that told nothing new may end, the longest first; the last turn, which
    ends the episode, is in none."""
    before = {_told(trace.nodes[index]) for index in kept[:at]}
    end = at
    while end < len(kept) - 1 and _nothing_new(trace.nodes[kept[end]], before):
        end += 1
    return iter(range(end, at, -1))


def _nothing_new(node: Node, before: set[str]) -> bool:
    refused = node.action is None or (node.step is not None and node.step.admissible is False)
    return refused or _told(node) in before


def _told(node: Node) -> str:
    return node.step.observation if node.step else ""


def _holds(trace: Trace, kept: Sequence[int], replay: Replay) -> bool:
    """Whether these turns alone solve the task, each answered as it was. A world that breaks: no."""
    nodes = [trace.nodes[index] for index in kept]
    try:
        played = replay([node.action for node in nodes])
    except EnvironmentFault:
        return False
    same = all(
        node.step is not None
        and (node.step.observation, node.step.admissible) == (s.observation, s.admissible)
        for node, s in zip(nodes, played.steps, strict=True)
    )
    return same and played.success
