"""95% intervals: Wilson's for independent outcomes, a seeded bootstrap over clusters for the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from random import Random
from typing import TypeVar

Cluster = TypeVar("Cluster")
Interval = tuple[float, float]
Pair = tuple[float, float]

RESAMPLES = 2000
Z = 1.959963984540054


def wilson(successes: float, n: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = p + Z * Z / (2 * n)
    spread = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def bootstrap(
    clusters: Sequence[Cluster], statistic: Callable[[Sequence[Cluster]], float | None], seed: int
) -> Interval:
    """Percentile interval of `statistic` over resampled whole clusters (Davison & Hinkley 1997).

    Resamples for which it is not defined (None) are left out; it is for the clusters as they are.
    """
    rng = Random(seed)
    found = (statistic(rng.choices(clusters, k=len(clusters))) for _ in range(RESAMPLES))
    drawn = sorted(value for value in found if value is not None)
    tail = len(drawn) // 40
    return drawn[tail], drawn[-1 - tail]


def ratio(pairs: Sequence[Pair]) -> float:
    """Sum of the first over sum of the second; 0 where there is nothing to divide by."""
    below = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / below if below else 0.0


def share(pairs: Sequence[Pair], seed: int) -> Interval:
    """Interval of `ratio` when each pair is a cluster's hits and trials.

    A bootstrap cannot see what never happened: for a share of 0 or 1 it is Wilson's interval with the
    number of clusters that have trials, as if each were a single trial.
    """
    found = ratio(pairs)
    if 0 < found < 1:
        return bootstrap(pairs, ratio, seed)
    n = sum(trials > 0 for _, trials in pairs)
    return wilson(found * n, n)
