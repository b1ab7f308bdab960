"""Stored episodes as questions to a judge: what it is shown, and which answers time has proved right.

A judge sees a trace as it had grown when the siblings of a node were judged, without what gives the
outcome away: the verdict, the target, the answer that ended the episode, and which turns a noisy
teacher meant as mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from tmbr.core.errors import ModelFault
from tmbr.core.protocols import Judge
from tmbr.core.trace import Judgement, Node, Spent, Trace
from tmbr.core.types import Usage


@dataclass(frozen=True, slots=True)
class View:
    """What is shown: the nodes before `end`. acted: with the world's answer to those asked about."""

    end: int
    acted: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """A node of the committed branch. late: in the second half of its turns."""

    node: int
    view: View
    late: bool


@dataclass(frozen=True, slots=True)
class Siblings:
    """Two actions in the same state, of which one proved better."""

    better: int
    worse: int
    view: View


@dataclass(frozen=True, slots=True)
class Questions:
    """All that a judge is asked of an episode.

    turns: of the committed branch, without the one that ended the episode: that is the outcome itself.
    kept: what a success kept, and each sibling that it left. mistakes: what a noisy teacher said as it
    knew best, and each sibling that it meant as a mistake; nobody's choice comes in.
    """

    trace: Trace
    turns: tuple[Turn, ...]
    kept: tuple[Siblings, ...]
    mistakes: tuple[Siblings, ...]

    def asks(self) -> dict[View, list[int]]:
        """The nodes to ask about, each once a view."""
        nodes: dict[View, set[int]] = {}
        for turn in self.turns:
            nodes.setdefault(turn.view, set()).add(turn.node)
        for pair in (*self.kept, *self.mistakes):
            nodes.setdefault(pair.view, set()).update((pair.better, pair.worse))
        return {view: sorted(found) for view, found in nodes.items()}


#: What was said of a node in a view.
Answers = dict[tuple[View, int], Judgement]


def questions(trace: Trace) -> Questions:
    """The questions of a finished episode."""
    assert trace.finish is not None
    nodes, ends = trace.nodes, _ends(trace.nodes)
    main = [i for i in trace.branch(trace.finish.leaf) if _candidate(nodes[i])]
    asked = [i for i in main if _answered(nodes[i])]
    turns = [
        Turn(i, View(ends[i], acted=True), late=2 * at >= len(asked)) for at, i in enumerate(asked)
    ]
    committed = frozenset(main) if trace.finish.score.success else frozenset()
    meant = frozenset(range(len(nodes))) - {i for i, node in enumerate(nodes) if _mistaken(node)}
    return Questions(
        _hidden(trace),
        tuple(turns),
        tuple(_pairs(nodes, ends, committed)),
        tuple(_pairs(nodes, ends, meant)),
    )


def _pairs(nodes: Sequence[Node], ends: Sequence[int], better: frozenset[int]) -> Iterator[Siblings]:
    """Siblings that the filter let pass and that differ, one of the better and one not."""
    families: dict[int | None, list[int]] = {}
    for index, node in enumerate(nodes):
        if _candidate(node) and node.action is not None and node.error is None:
            families.setdefault(node.parent, []).append(index)
    for family in families.values():
        good = [i for i in family if i in better]
        for a, b in product(good, [i for i in family if i not in better]):
            if _key(nodes[a]) != _key(nodes[b]):
                # Shown alike, or it would be plain which of the two was gone on with.
                acted = _answered(nodes[a]) and _answered(nodes[b])
                yield Siblings(a, b, View(max(ends[a], ends[b]), acted))


async def answers(judge: Judge, asked: Questions) -> Answers:
    """Ask a judge all questions of an episode.

    Where it fails, passes over a node or names no value in [0, 1], one half is recorded, and why.
    """
    found: Answers = {}
    for view, nodes in asked.asks().items():
        try:
            said = {j.node: j for j in await judge.judge(_shown(asked.trace, view, nodes), nodes)}
            why = "no answer"
        except ModelFault as fault:
            said, why = {}, f"ModelFault: {fault}"
        for node in nodes:
            found[view, node] = _sound(said.get(node), Judgement(node, judge.name, 0.5, why))
    return found


def cost(found: Answers) -> tuple[Usage, int]:
    """Tokens, and calls of a model, as the budget of an episode counts them."""
    usages = [judgement.usage for judgement in found.values()]
    return sum(usages, Usage()), sum(usage.total > 0 for usage in usages)


def _sound(judgement: Judgement | None, instead: Judgement) -> Judgement:
    if judgement is None:
        return instead
    if 0 <= judgement.value <= 1:
        return judgement
    return replace(judgement, value=0.5, reason=f"no value in [0, 1]: {judgement.value}")


def _hidden(trace: Trace) -> Trace:
    """An episode without what a strategy may not see of it; nodes keep their indices."""
    sample = replace(trace.sample, setup={}, target=None)
    nodes = [_hidden_node(node) for node in trace.nodes]
    return replace(trace, sample=sample, nodes=nodes, judgements=[], spent=Spent(), finish=None)


def _hidden_node(node: Node) -> Node:
    completion = node.completion
    if completion is not None and _mistaken(node):
        completion = replace(completion, finish_reason="stop")
    step = None if node.step is not None and node.step.done else node.step
    return replace(node, step=step, completion=completion)


def _shown(trace: Trace, view: View, asked: Sequence[int]) -> Trace:
    nodes = trace.nodes[: view.end]
    if not view.acted:
        for index in asked:
            nodes[index] = replace(nodes[index], step=None)
    return replace(trace, nodes=nodes, judgements=[])


def _ends(nodes: Sequence[Node]) -> list[int]:
    """For each node, where its run of siblings ends: candidates of one step are appended together."""
    ends = list(range(1, len(nodes) + 1))
    for index in range(len(nodes) - 2, -1, -1):
        if nodes[index].parent == nodes[index + 1].parent:
            ends[index] = ends[index + 1]
    return ends


def _candidate(node: Node) -> bool:
    return node.kind == "act" and node.sampled


def _answered(node: Node) -> bool:
    """The world has answered, and went on."""
    return node.step is not None and not node.step.done


def _mistaken(node: Node) -> bool:
    return node.completion is not None and node.completion.finish_reason == "mistake"


def _key(node: Node) -> str | None:
    return node.action.key if node.action is not None else None
