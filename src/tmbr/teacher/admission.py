"""Which proposals enter, decided in the order of their numbers: the same set at any concurrency.

What is asked of proposal k follows from what was decided of those before k - window, so that many can
be under way and none depends on which came back first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tmbr.core.types import Sample
from tmbr.teacher.asker import LEVELS, Asker, Question, Unfit
from tmbr.teacher.near import NearIndex, text_sketch
from tmbr.teacher.roles import Ask

#: A category is given up after so many proposals in a row of which none entered.
DRY = 30
#: One in so many questions of a category is asked for on top of what is missing, as some will fail.
AHEAD = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """What became of one question that was asked for.

    number: of the proposal, from 0. said: the generator's answer, cut. question: None where nothing
    checkable was said. level: of difficulty, from the solution's turns. solver: who reached it too.
    stage, reason: where and why it was dropped; None for one that passed every check of its own.
    """

    number: int
    ask: Ask | None
    said: str = ""
    question: Question | None = None
    level: str | None = None
    solver: str | None = None
    stage: str | None = None
    reason: str | None = None


class Evaluation:
    """What must not be learnt: the samples of evaluation splits, by text and by world content."""

    def __init__(self, threshold: float) -> None:
        self._texts = NearIndex(threshold)
        self._worlds: dict[str, str] = {}
        self.counts: dict[str, int] = {}

    def add(self, name: str, asker: Asker, samples: Iterable[Sample]) -> None:
        """name: of the split, for the report."""
        self.counts[name] = 0
        for sample in samples:
            self._texts.add(sample.id, text_sketch(sample.instruction))
            self._worlds[asker.world(sample)] = sample.id
            self.counts[name] += 1

    def check_text(self, told: str) -> None:
        """Raises Unfit for a question that is an evaluation sample's, or nearly."""
        if found := self._texts.find(text_sketch(told)):
            raise Unfit("evaluation text", f"says what evaluation sample {found} says")

    def check_world(self, world: str) -> None:
        """Raises Unfit for a world that evaluation uses."""
        if found := self._worlds.get(world):
            raise Unfit("evaluation world", f"its world is that of evaluation sample {found}")


@dataclass(slots=True)
class Admission:
    """Who is let in: quotas of categories, and no near-duplicate of another.

    planned: what was asked for and is not decided yet. dry: proposals of a category since the last that
    entered. A category that is given up leaves what is missing of it to the others.
    """

    wanted: int
    categories: Sequence[str]
    near: NearIndex
    accepted: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    dry: Counter[str] = field(default_factory=Counter)

    @property
    def given_up(self) -> list[str]:
        return [name for name in self.categories if self.dry[name] >= DRY]

    @property
    def full(self) -> bool:
        return self.accepted.total() >= self.wanted

    @property
    def quota(self) -> int:
        """Of each category that was not given up."""
        closed = self.given_up
        left = self.wanted - sum(self.accepted[name] for name in closed)
        return -(-left // max(1, len(self.categories) - len(closed)))

    def plan(self, possible: Sequence[str]) -> Ask | None:
        """What is missing most, of what this world can have; None where enough is under way."""
        quota, closed = self.quota, self.given_up
        ahead = quota + quota // AHEAD + 1
        open_ones = [
            name
            for name in possible
            if name not in closed
            and self.accepted[name] < quota
            and self.accepted[name] + self.planned[name] < ahead
        ]
        if not open_ones:
            return None
        category = min(open_ones, key=lambda name: self.accepted[name] + self.planned[name])
        level = min(LEVELS, key=lambda name: self.levels[name] + self.planned[name])
        ask = Ask(category, level)
        self.planned.update((ask.category, ask.level))
        return ask

    def decide(self, proposal: Proposal) -> tuple[str, str] | None:
        """(stage, reason) where it is dropped; None where it enters."""
        if proposal.ask:
            self.planned.subtract((proposal.ask.category, proposal.ask.level))
            self.dry[proposal.ask.category] += 1
        if proposal.question is None or proposal.stage is not None:
            return proposal.stage or "format", proposal.reason or "no question"
        question = proposal.question
        if self.full:
            return "enough", "as many questions as are wanted had entered"
        quota = self.quota
        if self.accepted[question.category] >= quota:
            return "quota", f"there are {quota} of the category {question.category!r} already"
        if found := self.near.add(str(proposal.number), text_sketch(question.facts)):
            return "duplicate", f"nearly the same as question {found}"
        self.accepted[question.category] += 1
        self.dry[question.category] = 0
        self.levels[proposal.level or LEVELS[0]] += 1
        return None
