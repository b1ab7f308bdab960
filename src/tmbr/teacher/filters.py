"""What is not worth learning from: small filters over the committed branch, each with its reason.

A filter says why an episode is dropped, or None. The first that objects has dropped it. They see one
episode at a time; what needs all of them (balance, duplicates) is the ledger's.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import Protocol

from tmbr.core.trace import Node, Trace
from tmbr.core.types import Message

#: What an episode may cost a filter to look at: the sampled actions of its branch.
Turns = Sequence[Node]


class Filter(Protocol):
    """One rule. Its name stands in the yields."""

    @property
    def name(self) -> str: ...

    def __call__(self, trace: Trace, turns: Turns) -> str | None:
        """Why the episode is dropped; None keeps it."""
        ...


def branch_turns(trace: Trace) -> list[Node]:
    """The sampled actions of the committed branch; none of an episode without an end."""
    if trace.finish is None:
        return []
    nodes = (trace.nodes[index] for index in trace.branch(trace.finish.leaf))
    return [node for node in nodes if node.kind == "act" and node.sampled]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Solved episodes; or, with `least`, those of at least this score."""

    least: float | None = None
    name: str = "outcome"

    def __call__(self, trace: Trace, turns: Turns) -> str | None:
        finish = trace.finish
        if finish is None or finish.status == "task error":
            return "it did not end by itself"
        if not finish.score.known:
            return "nobody has said what would be right"
        if not turns:
            return "no turn of it was sampled"
        if self.least is not None:
            return None if finish.score.value >= self.least else f"score {finish.score.value:.2f}"
        return None if finish.score.success else "not solved"


@dataclass(frozen=True, slots=True)
class Malformed:
    """At most this share of turns without a readable action."""

    most: float = 0.0
    name: str = "format"

    def __call__(self, trace: Trace, turns: Turns) -> str | None:  # noqa: ARG002
        return _too_many(
            "turns without an action", _share(turns, lambda n: n.action is None), self.most
        )


@dataclass(frozen=True, slots=True)
class Inadmissible:
    """At most this share of actions that the world did not offer."""

    most: float = 0.2
    name: str = "inadmissible"

    def __call__(self, trace: Trace, turns: Turns) -> str | None:  # noqa: ARG002
        refused = _share(turns, lambda node: node.step is not None and node.step.admissible is False)
        return _too_many("refused actions", refused, self.most)


@dataclass(frozen=True, slots=True)
class Loops:
    """The same action with the same answer at most so often."""

    most: int = 2
    name: str = "loops"

    def __call__(self, trace: Trace, turns: Turns) -> str | None:  # noqa: ARG002
        seen = Counter(
            (node.action.key, node.step.observation) for node in turns if node.action and node.step
        )
        (key, _), times = seen.most_common(1)[0] if seen else (("", ""), 0)
        return f"{times} times {key} with the same answer" if times > self.most else None


@dataclass(frozen=True, slots=True)
class Length:
    """turns: sampled turns of the branch, from and to. tokens: of the whole conversation by `count`,
    from and to. None is no limit."""

    turns: tuple[int, int] | None = None
    tokens: tuple[int, int] | None = None
    count: Callable[[str], int] = len
    name: str = "length"

    def __call__(self, trace: Trace, turns: Turns) -> str | None:
        if self.turns is not None and not self.turns[0] <= len(turns) <= self.turns[1]:
            return f"{len(turns)} turns"
        if self.tokens is None or trace.finish is None:
            return None
        told = (trace.nodes[index] for index in trace.conversation(trace.finish.leaf))
        tokens = sum(map(self.count, (text for node in told for text in _texts(node))))
        return None if self.tokens[0] <= tokens <= self.tokens[1] else f"{tokens} tokens"


@dataclass(frozen=True, slots=True)
class Language:
    """At least this share of the letters that the model wrote belong to these scripts, by their Unicode
    names (`LATIN`, `CYRILLIC`, `CJK`): a model that falls into another script is noticed by it."""

    scripts: tuple[str, ...] = ("LATIN",)
    least: float = 0.98
    name: str = "language"

    def __call__(self, trace: Trace, turns: Turns) -> str | None:  # noqa: ARG002
        found: Counter[str] = Counter()
        for node in turns:
            found.update(_scripts(_written(node.message)))
        letters = sum(found.values())
        known = sum(found[script] for script in self.scripts)
        if not letters or known >= self.least * letters:
            return None
        other, count = max((n for n in found.items() if n[0] not in self.scripts), key=lambda n: n[1])
        return f"{count} of {letters} letters are {other}"


@dataclass(frozen=True, slots=True)
class Judged:
    """The judge's mean value over the branch, as it is stored in the trace, is at least this."""

    judge: str
    least: float
    name: str = "judge"

    def __call__(self, trace: Trace, turns: Turns) -> str | None:  # noqa: ARG002
        if trace.finish is None:
            return "it did not end"
        branch = set(trace.branch(trace.finish.leaf))
        values = [j.value for j in trace.judgements if j.judge == self.judge and j.node in branch]
        if not values:
            return f"{self.judge} has not judged it"
        mean = fmean(values)
        return None if mean >= self.least else f"{self.judge} says {mean:.2f}"


@dataclass(frozen=True, slots=True)
class Dropped:
    """Which filter dropped an episode, and why."""

    filter: str
    why: str


def verdict(filters: Iterable[Filter], trace: Trace) -> Dropped | None:
    """The first objection, or None."""
    turns = branch_turns(trace)
    for one in filters:
        why = one(trace, turns)
        if why is not None:
            return Dropped(one.name, why)
    return None


def _share(turns: Turns, of: Callable[[Node], bool]) -> float:
    return sum(map(of, turns)) / len(turns) if turns else 0.0


def _too_many(what: str, share: float, most: float) -> str | None:
    return f"{share:.0%} {what}" if share > most else None


def _texts(node: Node) -> Iterator[str]:
    yield _written(node.message)
    if node.step is not None:
        yield node.step.observation


def _written(message: Message) -> str:
    return " ".join([message.content, *(f"{c.name} {c.arguments}" for c in message.tool_calls)])


def _scripts(text: str) -> Counter[str]:
    """Letters by script."""
    return Counter(_script(letter) for letter in text if letter.isalpha())


@lru_cache(maxsize=10_000)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNNAMED").partition(" ")[0]
