"""From a trace to what a reader follows: the committed branch, and beside it what was left.

A tree is laid out as paths: a path is a chain of turns that were executed, and at a turn hang the paths
that were not taken there. The committed branch is the first path; the longest chain of a rejected
subtree is the path that stands for it. Nesting is thus shallow, however deep the tree.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile

from tmbr.core.trace import Judgement, Node, NodeKind, Trace
from tmbr.core.types import Message
from tmbr.viewer.text import clip, plural

#: Turns shown of one path, first and last, and turns shown beside the committed branch.
HEAD, TAIL, BESIDE = 30, 10, 80
#: Characters: of all thoughts of the committed branch, and of all its observations, shared by its
#: turns; at most of one text; of a text beside the branch; of the prompt.
SHARED, LONGEST, BRIEF, PROMPT = 24_000, 3000, 250, 6000

_THOUGHT = re.compile(
    r"\A\s*(?:Thought:)?\s*(.*?)\s*(?:^\s*Action:|<tool_call>|\Z)", re.S | re.M | re.I
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A word beside a turn; tone: `plain`, `fork`, `bad` or `good`."""

    text: str
    tone: str = "plain"


@dataclass(slots=True)
class Turn:
    """One node as shown, `node` of its trace. gap: so many turns of the path are left out before it.

    back: paths that were followed from here and abandoned. beside: candidates that were not followed.
    then: at the end of a path, what was tried there without going on.
    """

    node: int
    kind: NodeKind
    number: int
    thought: str
    tool: str
    action: str
    observation: str | None
    marks: list[Mark]
    judgements: list[Judgement]
    error: str
    gap: int = 0
    back: list[list[Turn]] = field(default_factory=list)
    beside: list[list[Turn]] = field(default_factory=list)
    then: list[list[Turn]] = field(default_factory=list)


def says(paths: Sequence[Sequence[Turn]]) -> str:
    """`2 other candidates, 1 dropped`."""
    dropped = sum(any(mark.tone == "bad" for mark in path[0].marks) for path in paths)
    others = len(paths) - dropped
    parts = [plural(others, "other candidate")] if others else []
    return ", ".join([*parts, *([f"{dropped:,} dropped"] if dropped else [])])


@dataclass(frozen=True, slots=True)
class Episode:
    """A trace, ready to be drawn.

    after: attempts made after the one that counted. left_out: nodes that are not on the page.
    """

    trace: Trace
    prompt: list[Message]
    turns: list[Turn]
    after: list[list[Turn]]
    left_out: int

    @property
    def success(self) -> bool:
        return self.trace.finish is not None and self.trace.finish.score.success


def episode(trace: Trace, leaf: int | None = None) -> Episode:
    """Lay out one trace; it may be empty, unfinished, or larger than a page should be.

    leaf: end of the branch to tell in full; by default the committed one, or the last node.
    """
    if not trace.nodes:
        return Episode(trace, [], [], [], 0)
    if leaf is None:
        leaf = trace.finish.leaf if trace.finish else len(trace.nodes) - 1
    main = _main(trace, leaf)
    first = next((at for at, node in enumerate(main) if not _given(trace.nodes[node])), len(main))
    layout = _Layout(trace, main)
    before, later = layout.attempts(main)
    turns = layout.path(main[first:], committed=True)
    after = layout.draw([*layout.left_at(main[-1]), *later])
    if turns:
        turns[0].back[:0] = before
    else:
        after[:0] = before
    prompt = [
        Message(node.message.role, clip(node.message.content, max(BRIEF, PROMPT // first)))
        for node in (trace.nodes[index] for index in main[:first])
    ]
    return Episode(trace, prompt, turns, after, len(trace.nodes) - first - layout.shown)


def _given(node: Node) -> bool:
    return node.kind == "root" and not node.sampled


def _main(trace: Trace, leaf: int) -> list[int]:
    """The committed branch, with the plans and summaries that the model was told on its way."""
    notes = (i for i in trace.conversation(leaf) if trace.nodes[i].kind not in ("act", "root"))
    return sorted({*trace.branch(leaf), *notes})


class _Layout:
    """Lays out paths while there is room on the page."""

    def __init__(self, trace: Trace, main: Sequence[int]) -> None:
        self.shown = 0
        self._text = min(LONGEST, SHARED // min(len(main), HEAD + TAIL))
        self._trace = trace
        self._placed = set(main)
        self._room = BESIDE
        self._children: dict[int | None, list[int]] = defaultdict(list)
        self._depth = [1] * len(trace.nodes)  # nodes on the longest executed chain from here
        for index, node in enumerate(trace.nodes):
            self._children[node.parent].append(index)
        for index in range(len(trace.nodes) - 1, -1, -1):
            parent = trace.nodes[index].parent
            if parent is not None and self._goes_on(index):
                self._depth[parent] = max(self._depth[parent], self._depth[index] + 1)
        self._judged: dict[int, list[Judgement]] = defaultdict(list)
        for judgement in trace.judgements:
            self._judged[judgement.node].append(judgement)

    def left_at(self, node: int | None) -> list[list[int]]:
        """Paths that begin at `node` and have no place yet, in order of creation; now they have."""
        paths = [self._chain(child) for child in self._children[node] if child not in self._placed]
        self._placed.update(*paths)
        return paths

    def _chain(self, node: int) -> list[int]:
        path = [node]
        while children := [*filter(self._goes_on, self._children[path[-1]])]:
            path.append(max(children, key=lambda child: self._depth[child]))
        return path

    def _goes_on(self, index: int) -> bool:
        """Not a candidate that was only written."""
        node = self._trace.nodes[index]
        return node.kind != "act" or node.step is not None

    def _followed(self, path: Sequence[int]) -> bool:
        """Whether the agent stood there and asked what to do next."""
        return len(path) > 1 or bool(self._children[path[-1]])

    def attempts(self, main: Sequence[int]) -> tuple[list[list[Turn]], list[list[int]]]:
        """After a restart: earlier attempts, drawn, and later ones, each without its own prompt.

        A restart asks anew, so it has a root of its own.
        """
        earlier: list[list[int]] = []
        later: list[list[int]] = []
        for path in self.left_at(None):
            taken = list(dropwhile(lambda index: _given(self._trace.nodes[index]), path))
            self.shown += len(path) - len(taken)  # the same prompt again
            (earlier if path[0] < main[0] else later).append(taken)
        return self.draw(earlier), later

    def draw(self, paths: Iterable[list[int]]) -> list[list[Turn]]:
        """Those of the paths, or their beginnings, for which there is room."""
        drawn = []
        for path in paths:
            if path := path[: self._room]:
                self._room -= len(path)
                drawn.append(self.path(path, committed=False))
        return drawn

    def path(self, nodes: Sequence[int], *, committed: bool) -> list[Turn]:
        """Turns of one path, the middle of a very long one left out."""
        kept = [*range(len(nodes))]
        if len(kept) > HEAD + TAIL:
            kept = [*kept[:HEAD], *kept[-TAIL:]]
        self.shown += len(kept)
        turns: list[Turn] = []
        untaken: list[list[Turn]] = []
        before = -1
        for at in kept:
            turn = self._turn(nodes[at], at + 1, committed)
            turn.gap, before = at - before - 1, at
            left = self.left_at(self._trace.nodes[nodes[at]].parent)
            turn.back = self.draw(path for path in left if self._followed(path))
            untaken += self.draw(path for path in left if not self._followed(path))
            if turn.kind == "act":
                turn.beside, untaken = untaken, []
            turns.append(turn)
        if turns:
            turns[-1].beside += untaken
            turns[-1].then = self.draw(self.left_at(nodes[-1]))
        return turns

    def _turn(self, index: int, number: int, committed: bool) -> Turn:
        node = self._trace.nodes[index]
        limit = self._text if committed else BRIEF
        thought, tool, action = said(node)
        return Turn(
            node=index,
            kind=node.kind,
            number=number,
            thought=clip(thought, limit),
            tool=tool,
            action=clip(action, limit),
            observation=None if node.step is None else clip(node.step.observation, limit),
            marks=list(self._marks(node, committed)),
            judgements=self._judged[index],
            error=clip(node.error or "", limit),
        )

    def _marks(self, node: Node, committed: bool) -> Iterable[Mark]:
        forks = self._trace.run.access in ("fork", "privileged", "oracle")
        if node.kind == "act" and node.action is None:
            yield Mark("malformed", "bad")
        elif node.error and not committed:
            yield Mark("dropped", "bad")
        if node.step is not None and node.step.admissible is False:
            yield Mark("inadmissible", "bad")
        if node.kind == "act" and not committed:
            if node.step is None:
                yield Mark("not tried")
            elif forks:
                yield Mark("on a fork", "fork")


def said(node: Node) -> tuple[str, str, str]:
    """Thought, tool and arguments as a reader wants them; whole text where no action was read."""
    content = node.message.content
    if node.action is None:
        calls = " ".join(f"{call.name} {call.arguments}" for call in node.message.tool_calls)
        return " ".join(filter(None, (content.strip(), calls))) or "(nothing was written)", "", ""
    found = _THOUGHT.match(content)
    arguments = node.action.arguments
    shown = (
        [*arguments.values()] if len(arguments) == 1 else [f"{k}: {v}" for k, v in arguments.items()]
    )
    return found[1] if found else "", node.action.name, ", ".join(shown)
