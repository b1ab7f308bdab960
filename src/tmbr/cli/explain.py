"""Why each branch of a finished episode was left, as far as the trace and the settings tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tmbr.cli.lines import action
from tmbr.core.trace import Judgement, Node, Trace
from tmbr.viewer.text import plural

#: Short errors of a node in words that stand alone.
_WORDS = {
    "duplicate": "duplicate of another candidate",
    "not looked at": "the budget had no step left to look at it",
    "no room": "the conversation had no room for an answer",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a strategy's settings closes a branch; None where it has no such setting."""

    keep: float | None = None
    path_steps: int | None = None


def explain(trace: Trace, limits: Limits) -> Iterator[str]:
    """A line a branch that is not the committed one, in order of its last node."""
    assert trace.finish is not None
    reading = _Reading(trace, limits, frozenset(trace.branch(trace.finish.leaf)))
    seen: set[int] = set()
    for leaf in trace.leaves():
        at = reading.last_act(leaf)
        if at is not None and at not in seen:
            seen.add(at)
            yield f"#{at} {reading.path(at)}: {reading.why(at)}"


@dataclass(frozen=True, slots=True)
class _Reading:
    """main: the committed branch."""

    trace: Trace
    limits: Limits
    main: frozenset[int]

    def last_act(self, leaf: int) -> int | None:
        """The last turn of a branch, before what was only said after it; None of the committed one."""
        at: int | None = leaf
        while at is not None and at not in self.main:
            if self._node(at).kind == "act":
                return at
            at = self._node(at).parent
        return None

    def path(self, at: int) -> str:
        """Its last action, and how many turns it is long since it left the committed branch."""
        turns = [i for i in self._turns(at) if i not in self.main]
        long = f" (after {plural(len(turns) - 1, 'turn')} of its own)" if len(turns) > 1 else ""
        return f"{action(self._node(at))}{long}"

    def why(self, at: int) -> str:
        node, finish, limits = self._node(at), self.trace.finish, self.limits
        assert finish is not None
        if node.error in _WORDS:
            return _WORDS[node.error]
        if node.action is None:
            return f"malformed: {node.error}"
        if node.error:
            return node.error
        judged = self._judged(at)
        if judged and limits.keep is not None:
            if judged.value < limits.keep:
                return f"judged {judged.value:.2f}, below keep={limits.keep:g}{_because(judged)}"
            if (same := self._looks_like(at)) is not None:
                return f"judged {judged.value:.2f}; the world showed the same for #{same}"
        if judged and (better := self._preferred(at)) is not None:
            other = self._judged(better)
            than = f" {other.value:.2f}" if other else ""
            return f"judged {judged.value:.2f}; #{better}{than} was preferred{_because(judged)}"
        if node.step is not None and node.step.done:
            return f"its end ({node.step.status}) was not the one selected"
        turns = len(self._turns(at))
        if limits.path_steps is not None and turns >= limits.path_steps:
            return f"path long: {plural(turns, 'turn')} without an end"
        value = f"judged {judged.value:.2f}, " if judged else ""
        if finish.stop:
            return f"{value}still open when the {finish.stop} was spent"
        return f"{value}still open when the episode ended elsewhere"

    def _preferred(self, at: int) -> int | None:
        """The sibling that was gone on with, or the best one if that is not this."""
        nodes = self.trace.nodes
        others = [i for i, n in enumerate(nodes) if n.parent == nodes[at].parent and n.kind == "act"]
        gone = [i for i in others if i != at and self._gone(i)]
        if gone and not self._gone(at):
            return max(gone, key=self._value)
        best = max(others, key=lambda i: (self._value(i), -i))
        return best if self._value(best) > self._value(at) else None

    def _looks_like(self, at: int) -> int | None:
        """The sibling, judged no worse, for which the world showed the same."""
        nodes, step = self.trace.nodes, self._node(at).step
        if step is None or self._gone(at):
            return None
        found = [
            (self._value(i), -i)
            for i, node in enumerate(nodes)
            if node.parent == nodes[at].parent
            and node.step
            and node.step.observation == step.observation
        ]
        best = -max(found)[1]
        return None if best == at else best

    def _gone(self, at: int) -> bool:
        return at in self.main or any(node.parent == at for node in self.trace.nodes)

    def _value(self, at: int) -> float:
        judged = self._judged(at)
        return judged.value if judged else -1.0

    def _judged(self, at: int) -> Judgement | None:
        return next((j for j in reversed(self.trace.judgements) if j.node == at), None)

    def _turns(self, at: int) -> list[int]:
        """The turns of its path that were taken in this episode."""
        return [
            i for i in self.trace.branch(at) if self._node(i).kind == "act" and self._node(i).sampled
        ]

    def _node(self, at: int) -> Node:
        return self.trace.nodes[at]


def _because(judged: Judgement) -> str:
    return f" ({judged.reason})" if judged.reason else ""
