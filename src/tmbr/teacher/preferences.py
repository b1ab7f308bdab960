"""From trees to preference pairs: the same state, a better and a worse next turn.

What is better is known by the outcome, which is the score: data of the train split (see `trees`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from tmbr.core.conversation import conversation
from tmbr.core.pairs import Pair, Valued
from tmbr.core.rows import teaches
from tmbr.core.trace import Node, Trace, answer
from tmbr.core.types import Message, Tool, digest
from tmbr.teacher.trees import depths, entered

#: Of some nodes of a trace how good it is to be there, in [0, 1]; of the others nothing is known.
Values = Callable[[Trace], Mapping[int, float]]


def outcomes(trace: Trace) -> dict[int, float]:
    """What the end of an episode tells of its turns.

    Those of the committed branch are worth its success. Worth nothing is a turn without a readable or
    admitted action, a mistake made on purpose, and, where the episode was solved, what the tree entered
    and went back from. Of what was only proposed or looked at nothing is known.
    """
    if trace.finish is None or trace.finish.status == "task error" or not trace.finish.score.known:
        return {}
    branch, won = set(trace.branch(trace.finish.leaf)), trace.finish.score.success
    longest, found = depths(trace), {}
    for index, node in enumerate(trace.nodes):
        if node.kind != "act" or not node.sampled:
            continue
        if _is_wrong(node):
            found[index] = 0.0
        elif index in branch:
            found[index] = float(won)
        elif won and entered(trace, index, longest):
            found[index] = 0.0
    return found


def state_values(trace: Trace) -> dict[int, float]:
    """What the state after each turn was worth to who played on from there.

    As `outcomes`, but a refused turn of the committed branch is worth its success too: the next may
    have mended it.
    """
    found = outcomes(trace)
    if found and trace.finish is not None:
        won = float(trace.finish.score.success)
        found |= {index: won for index in trace.branch(trace.finish.leaf) if index in found}
    return found


def _is_wrong(node: Node) -> bool:
    dropped = node.action is not None and node.error is not None  # a double, or never looked at
    return not dropped and not teaches(node)


@dataclass(slots=True)
class _Tried:
    """What was written, what the world said to it where known, and how good it was each time."""

    message: Message
    heard: Message | None
    values: list[float] = field(default_factory=list)

    @property
    def worth(self) -> float:
        return fmean(self.values)


@dataclass(slots=True)
class _State:
    """Where something was said next. tried: by the key of its action."""

    prompt: tuple[Message, ...]
    tools: tuple[Tool, ...]
    tried: dict[str, _Tried] = field(default_factory=dict)


class States:
    """All states of one sample in which a turn of known worth was taken, in the order of the traces.

    States that several traces went through are one, and so are turns with equal actions: what they are
    worth is the mean. What the model was shown is kept word for word. lone: also states in which no
    other turn was taken, which give no pairs.
    """

    def __init__(self, traces: Sequence[Trace], values: Values = outcomes, lone: bool = True) -> None:
        self._states: dict[str, _State] = {}
        self.sample = traces[0].sample.id if traces else ""
        every = lone or len(traces) > 1
        for trace in traces:
            known = values(trace)
            taken = Counter(_where(trace.nodes[index]) for index in known)
            for index, value in sorted(known.items()):
                if every or taken[_where(trace.nodes[index])] > 1:
                    self._note(trace, index, value)

    def pairs(self, margin: float = 0.5) -> Iterator[Pair]:
        """Of each state the best turn (the earliest of equals) against every one that is worse by at
        least `margin`."""
        for state in self._states.values():
            best = max(state.tried.values(), key=lambda tried: tried.worth)
            for key in sorted(state.tried):
                tried = state.tried[key]
                more = round(best.worth - tried.worth, 6)
                if more > 0 and more >= margin:
                    yield Pair(
                        self.sample, state.prompt, best.message, tried.message, state.tools, more
                    )

    def valued(self) -> Iterator[Valued]:
        """The conversation after every turn, and what it is worth."""
        for state in self._states.values():
            for tried in state.tried.values():
                said = filter(None, (tried.message, tried.heard))
                worth = round(tried.worth, 6)
                yield Valued(self.sample, (*state.prompt, *said), worth, state.tools)

    def _note(self, trace: Trace, index: int, value: float) -> None:
        node = trace.nodes[index]
        if node.context is None or node.parent is None:
            return
        prompt = tuple(conversation(trace, node.context).messages())
        done = (trace.nodes[at].action for at in trace.branch(node.parent))
        acts = [action.key for action in done if action]
        state = self._states.setdefault(
            digest([[_said(message) for message in prompt], acts]), _State(prompt, trace.tools)
        )
        key = node.action.key if node.action else ""
        state.tried.setdefault(key, _Tried(node.message, answer(node))).values.append(value)


def _where(node: Node) -> tuple[int | None, int | None]:
    return node.parent, node.context


def _said(message: Message) -> list[object]:
    calls = [[call.name, call.arguments] for call in message.tool_calls]
    return [message.role, message.content, calls]
