"""Agent data beside general data: by how many rows there are of each, or by what each row weighs.

The paper's loss is λ · E over agent data + (1 − λ) · E over general data (section 3.2). With rows mixed
by sampling, λ is the agent's share of the rows; with weights all rows are kept and the loss is the
formula itself, E being the mean over trained tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from tmbr.core.errors import ConfigError
from tmbr.core.rows import Row, Turn
from tmbr.core.types import derive_seed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """size: how many rows there are, or what their turns weigh. weight: its part of its side, agent or
    general, against the others; None for all of a side is as large as they are."""

    name: str
    size: float
    agent: bool
    weight: float | None = None


def shares(sources: Sequence[Source], agent_share: float) -> dict[str, float]:
    """What part of all each source is to have: sums to 1. agent_share: λ.

    Raises ConfigError where a side that is to have a part has no source with rows, or where only some
    of its sources have weights.
    """
    found: dict[str, float] = {}
    for agent, part in ((True, agent_share), (False, 1 - agent_share)):
        side = [source for source in sources if source.agent is agent]
        what = "agent" if agent else "general"
        if len({source.weight is None for source in side}) > 1:
            bare = next(source.name for source in side if source.weight is None)
            raise ConfigError(f"mix: {bare} has no weight, but other {what} sources have; give all one")
        weights = {s.name: s.size if s.weight is None else s.weight * (s.size > 0) for s in side}
        total = sum(weights.values())
        if part > 0 and not total:
            raise ConfigError(f"mix: {part:.0%} of {what} data is asked for, but there is none of it")
        found |= {name: part * weight / total if total else 0.0 for name, weight in weights.items()}
    return found


def counts(sources: Sequence[Source], agent_share: float, most: int | None = None) -> dict[str, int]:
    """Rows of each source: as many as there can be with these shares and no row twice.

    most: of all together. Rounded by largest remainder, so the shares hold to within one row.
    """
    part = shares(sources, agent_share)
    sizes = {source.name: int(source.size) for source in sources}
    fits = int(min(sizes[name] / share for name, share in part.items() if share > 0) + 1e-9)
    total = fits if most is None else min(fits, most)
    exact = {name: share * total for name, share in part.items()}
    found = {name: int(value + 1e-9) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: (found[name] - exact[name], name)):
        if sum(found.values()) < total and found[name] < sizes[name]:
            found[name] += 1
    return found


def drawn(content: Iterable[T], size: int, count: int, seed: int) -> Iterator[T]:
    """Exactly `count` of the `size` items, in their order, each subset as likely as any other.

    Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): nothing is kept.
    """
    rng = Random(seed)
    left = count
    for number, item in enumerate(content):
        if left == 0:
            return
        if rng.random() * (size - number) < left:
            left -= 1
            yield item


def interleaved(content: Mapping[str, tuple[Iterator[T], int]], seed: int) -> Iterator[tuple[str, T]]:
    """All items of all sources (iterator and how many), mixed by chance, each source in its order."""
    rng = Random(seed)
    left = {name: count for name, (_, count) in content.items()}
    while total := sum(left.values()):
        at = rng.randrange(total)
        for name, count in left.items():
            if at < count:
                left[name] -= 1
                yield name, next(content[name][0])
                break
            at -= count


def sample(
    content: Mapping[str, Iterable[Row]],
    sources: Sequence[Source],
    agent_share: float,
    seed: int,
    most: int | None = None,
) -> Iterator[tuple[str, Row]]:
    """The mix by sampling: each row with its source's name, in an order that is the seed's alone."""
    wanted = counts(sources, agent_share, most)
    sizes = {source.name: int(source.size) for source in sources}
    taken = {
        name: (drawn(content[name], sizes[name], count, derive_seed(seed, number)), count)
        for number, (name, count) in enumerate(wanted.items())
    }
    return interleaved(taken, derive_seed(seed, "order"))


def trained(row: Row, count: Callable[[Turn], int]) -> float:
    """The weight that a row has in the loss: of each trained turn its tokens times its weight."""
    return sum(turn.loss * count(turn) for turn in row.turns if turn.loss)


def factors(sources: Sequence[Source], agent_share: float) -> dict[str, float]:
    """By what the turns of each source are to be multiplied, so that their weights have the shares.

    sources: their `size` is `trained` summed over their rows. The sum over all sources stays as it is,
    so the learning rate means what it meant. The trainer divides the weighted sum by the number of
    trained tokens: where all turns weighed 1 that is λ · mean over agent tokens + (1 − λ) · mean over
    general ones.
    """
    part = shares(sources, agent_share)
    total = sum(source.size for source in sources)
    return {s.name: part[s.name] * total / s.size if s.size else 0.0 for s in sources}


def scaled(row: Row, factor: float) -> Row:
    """The row with the weights of its turns multiplied."""
    return replace(
        row, turns=tuple(replace(t, loss=t.loss * factor) if t.loss else t for t in row.turns)
    )
