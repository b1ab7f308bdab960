"""A growing episode as plain lines, one an event; for a terminal that is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tmbr.core.trace import Judgement, Node, Trace
from tmbr.viewer.text import clip, visible
from tmbr.viewer.tree import said

#: Characters of what was thought, answered or told.
LONG = 300


@dataclass(slots=True)
class Lines:
    """Says what is new in a trace since it was last shown.

    asked: the node to whose conversation the last candidates belong.
    """

    say: Callable[[str], None]
    nodes: int = 0
    judgements: int = 0
    answered: set[int] = field(default_factory=set)
    asked: int | None = None

    def show(self, trace: Trace) -> None:
        """First what was judged of and answered to nodes that were said before; then the new ones."""
        known, judgements = self.nodes, trace.judgements[self.judgements :]
        self.nodes, self.judgements = len(trace.nodes), len(trace.judgements)
        for judgement in judgements:
            if judgement.node < known:
                self._judged(judgement)
        for index in range(known):
            self._answer(trace, index)
        for index in range(known, self.nodes):
            self._node(trace, index)
            self._answer(trace, index)
        for judgement in judgements:
            if judgement.node >= known:
                self._judged(judgement)

    def _node(self, trace: Trace, index: int) -> None:
        node = trace.nodes[index]
        if node.kind == "root":
            self._root(trace, index)
        elif node.kind != "act":
            self._say(index, node.kind if node.sampled else "told", node.message.content)
        elif not node.sampled:
            self._say(index, "given", action(node))
        else:
            self._move(trace, node.parent)
            thought, tool, _ = said(node)
            if thought and tool:
                self._say(index, "thought", thought)
            if node.action is None:
                self._say(index, "malformed", f"{node.error or 'nothing to execute'}: {thought}")
            elif node.error:
                self._say(index, "dropped", f"{action(node)}: {node.error}")
            else:
                self._say(index, "action", action(node))

    def _root(self, trace: Trace, index: int) -> None:
        """Of a prompt that is told anew only what it adds to the first."""
        told = trace.nodes[index].message.content
        before = [node.message.content for node in trace.nodes[:index] if node.kind == "root"]
        for first in before:
            if told.startswith(first) and told != first:
                self._say(index, "told", told.removeprefix(first))
                return

    def _move(self, trace: Trace, to: int | None) -> None:
        """From where these candidates are asked, if it is not simply the turn after the last."""
        came, self.asked = self.asked, to
        if to is None or came is None or to == came:
            return
        branch = trace.branch(to)
        if came not in branch:
            acts = [index for index in branch if trace.nodes[index].sampled]
            self.say(f"back to #{to}" if acts else "back to the start")
        elif sum(node.parent == trace.nodes[to].parent for node in trace.nodes) > 1:
            self.say(f"on from #{to}")

    def _answer(self, trace: Trace, index: int) -> None:
        step = trace.nodes[index].step
        if step is not None and index not in self.answered:
            self.answered.add(index)
            if trace.nodes[index].sampled:
                refused = " (not possible here)" if step.admissible is False else ""
                self._say(index, f"answer{refused}", step.observation)

    def _judged(self, judgement: Judgement) -> None:
        why = f": {judgement.reason}" if judgement.reason else ""
        self._say(judgement.node, "judged", f"{judgement.value:.2f} by {judgement.judge}{why}")

    def _say(self, index: int, what: str, text: str) -> None:
        self.say(f"#{index} {what}: {line(text)}")


def line(text: str, limit: int = LONG) -> str:
    """Any text in one line in which nothing acts on a terminal."""
    return str(visible(" ".join(clip(text, limit).split())))


def action(node: Node) -> str:
    """Tool and arguments in one line; what was written where there is no action."""
    words, tool, arguments = said(node)
    return line(f"{tool} {arguments}" if tool else words)
