"""Paired comparisons of two cells on the same samples, and Holm's correction over many of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from random import Random
from statistics import NormalDist, fmean, stdev

from tmbr.evaluation.intervals import Interval, bootstrap


def paired(ours: Sequence[int], theirs: Sequence[int]) -> tuple[float, float]:
    """Mean difference of success and its standard error."""
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    return fmean(differences), stdev(differences) / sqrt(len(differences))


def interval(difference: float, error: float) -> tuple[float, float]:
    """95% interval of a mean."""
    reach = NormalDist().inv_cdf(0.975) * error
    return difference - reach, difference + reach


def crossed(differences: Sequence[Sequence[float]], seed: int = 0) -> Interval:
    """95% interval of the mean over rows (runs) and columns (samples, the same in each run): both are
    drawn anew, whole (the pigeonhole bootstrap, Owen 2007)."""
    rng = Random(f"runs {seed}")

    def mean(columns: Sequence[Sequence[float]]) -> float:
        rows = rng.choices(range(len(differences)), k=len(differences))
        return fmean(column[row] for row in rows for column in columns)

    return bootstrap([*zip(*differences, strict=True)], mean, seed)


def inferior(difference: float, error: float, margin: float) -> float:
    """p of the hypothesis that ours is worse by no more than the margin: small where it is worse."""
    return _below(difference + margin, error)


def not_inferior(difference: float, error: float, margin: float) -> float:
    """p of the hypothesis that ours is worse by the margin or more: small where it surely is not."""
    return _below(-difference - margin, error)


def _below(difference: float, error: float) -> float:
    if error == 0:
        return 0.0 if difference < 0 else 1.0
    return NormalDist().cdf(difference / error)


def holm(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which hypotheses are rejected when the chance of a single wrong rejection is `level` (Holm)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    rejected = [False] * len(p_values)
    for rank, index in enumerate(order):
        if p_values[index] > level / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected
