"""The choice over a pool of candidates, five at a time.

The rules are AgentBench's (src/server/tasks/mind2web/task.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

#: Candidates in the pool at first, and in one question.
POOL = 10
BATCH = 5


@dataclass(frozen=True, slots=True)
class Chosen:
    """An element, and what is done with it: an operation with its value, as text."""

    id: str
    action: str


@dataclass(frozen=True, slots=True)
class Rounds:
    """A pool that shrinks. What wins a question joins its tail; the rest of the question's are out.

    So the last of six candidates is not asked for when none of the first five is taken: upstream, too.

    last: the latest winner. over: at most one is left, and nothing more is asked.
    """

    pool: tuple[str, ...]
    last: Chosen | None = None

    @classmethod
    def start(cls, ranked: Sequence[str], seed: int) -> Rounds:
        """The first of the ranking, shuffled."""
        pool = list(ranked[:POOL])
        Random(seed).shuffle(pool)
        return cls(tuple(pool))

    @property
    def batch(self) -> tuple[str, ...]:
        return self.pool[:BATCH]

    @property
    def over(self) -> bool:
        return len(self.pool) <= 1

    def answer(self, chosen: Chosen | None) -> Rounds:
        """After a question of which one, or none, was chosen."""
        left = self.pool[BATCH:]
        if chosen is None:
            return replace(self, pool=left)
        return Rounds((*left, chosen.id), chosen)

    @property
    def outcome(self) -> Chosen | None:
        """The choice at the end: none where the pool is empty, or nothing was ever chosen."""
        return self.last if self.pool else None
