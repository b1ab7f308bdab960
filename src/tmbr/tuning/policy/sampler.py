"""What the loop is handed to play with: tuning knows no worlds, tasks or strategies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tmbr.core.trace import Trace
from tmbr.core.types import Context, Tool

#: Reward of each of these nodes, which are the sampled ones of the committed branch, in order.
Rewards = Callable[[Trace, Sequence[int]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a round is made of: each of `samples` is played `episodes` times; from `forks` states of
    each episode, drawn by chance, `branches` more go on."""

    samples: int
    episodes: int
    forks: int = 0
    branches: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """An episode. trunk: the one (by its trace's id) that it was forked from, after node `node`."""

    trace: Trace
    trunk: str | None = None
    node: int = -1


class Sampler(Protocol):
    """Plays with the policy as it is now, at temperature 1 with nothing cut off."""

    def open(self, model: Any, tokenizer: Any) -> None:
        """The policy: a transformers model whose weights change between the calls below."""
        ...

    def play(self, round: int, ask: Ask) -> list[Played]:
        """Equal rounds and weights give equal episodes. Raises KeyboardInterrupt when told to stop."""
        ...

    def forget(self, round: int) -> None:
        """A checkpoint is kept: the episodes of this round and of earlier ones are not needed again."""
        ...

    def prompt(self, context: Context, tools: Sequence[Tool]) -> tuple[int, ...]:
        """The token ids that the model saw when it was asked."""
        ...

    def evaluate(self) -> float:
        """Share of the validation samples that the policy solves."""
        ...

    def close(self) -> None: ...
