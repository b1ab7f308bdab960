"""How good is a value in [0, 1] as a forecast of yes or no? How it ranks, and is it calibrated?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tmbr.evaluation.intervals import Interval, Pair, bootstrap, share, wilson

Row = dict[str, Any]
#: (cluster, forecasts of it that came true, forecasts of it that did not), all of one value.
Tied = tuple[int, int, int]

BINS = 10


@dataclass(frozen=True, slots=True)
class Forecast:
    """value: in [0, 1]. came: whether it came true. cluster: those of the same one go together, as the
    turns of one sample do."""

    value: float
    came: bool
    cluster: str


def auc(forecasts: Sequence[Forecast]) -> float | None:
    """The chance that of two forecasts, one of which came true, that one has the higher value.

    Ties count half (Mann & Whitney 1947). None where all or none came true.
    """
    levels, clusters = _levels(forecasts)
    return _area(levels, [1] * clusters)


def auc_interval(forecasts: Sequence[Forecast], seed: int) -> Interval | None:
    """95% interval of `auc`: a bootstrap over clusters; None where there is no area.

    For an area of 0 or 1, which no resample could widen, it is Wilson's with the number of clusters
    of the rarer kind, as if each were a single trial.
    """
    levels, clusters = _levels(forecasts)
    found = _area(levels, [1] * clusters)
    if found is None:
        return None
    if found in (0.0, 1.0):
        kinds = [{f.cluster for f in forecasts if f.came is kind} for kind in (True, False)]
        n = min(map(len, kinds))
        return wilson(found * n, n)

    def resampled(drawn: Sequence[int]) -> float | None:
        times = Counter(drawn)
        return _area(levels, [times[cluster] for cluster in range(clusters)])

    return bootstrap(range(clusters), resampled, seed)


def brier(forecasts: Sequence[Forecast]) -> float | None:
    """Mean squared distance of value and outcome (Brier 1950); 0 is best. None for no forecast."""
    if not forecasts:
        return None
    return sum((f.value - f.came) ** 2 for f in forecasts) / len(forecasts)


def reliability(forecasts: Sequence[Forecast], seed: int) -> list[Row]:
    """Forecasts by tenths of their value, empty ones left out: how often did they come true?

    low, high: the tenth. n: forecasts in it. value: their mean. share: of those that came true, with
    its interval over clusters, `ci95`.
    """
    bins: dict[int, list[Forecast]] = {}
    for forecast in forecasts:
        bins.setdefault(min(BINS - 1, int(BINS * forecast.value)), []).append(forecast)
    return [
        {
            "low": at / BINS,
            "high": (at + 1) / BINS,
            "n": len(within),
            "value": sum(f.value for f in within) / len(within),
            "share": sum(f.came for f in within) / len(within),
            "ci95": share(_by_cluster(within), seed),
        }
        for at, within in sorted(bins.items())
    ]


def calibration_error(bins: Sequence[Row]) -> float | None:
    """Expected calibration error: the mean distance of value and share over the bins of `reliability`,
    by how many each holds (Guo et al., 2017); 0 is best. None without a bin."""
    n = sum(row["n"] for row in bins)
    return sum(row["n"] * abs(row["value"] - row["share"]) for row in bins) / n if n else None


def _levels(forecasts: Sequence[Forecast]) -> tuple[list[list[Tied]], int]:
    """Forecasts by rising value, those of equal value together; and the number of clusters."""
    numbers: dict[str, int] = {}
    for forecast in forecasts:
        numbers.setdefault(forecast.cluster, len(numbers))
    levels = []
    for _, equal in groupby(sorted(forecasts, key=lambda f: f.value), key=lambda f: f.value):
        counts: dict[int, list[int]] = {}
        for forecast in equal:
            counts.setdefault(numbers[forecast.cluster], [0, 0])[not forecast.came] += 1
        levels.append([(cluster, came, not_) for cluster, (came, not_) in counts.items()])
    return levels, len(numbers)


def _area(levels: Sequence[Sequence[Tied]], times: Sequence[int]) -> float | None:
    """The area when each cluster is there so many times."""
    below = came = 0
    won = 0.0
    for level in levels:
        here = sum(times[cluster] * yes for cluster, yes, _ in level)
        missed = sum(times[cluster] * no for cluster, _, no in level)
        won += here * (below + missed / 2)
        came += here
        below += missed
    return won / (came * below) if came and below else None


def _by_cluster(forecasts: Sequence[Forecast]) -> list[Pair]:
    """Those that came true and all, a cluster each."""
    sums: dict[str, tuple[int, int]] = {}
    for forecast in forecasts:
        came, n = sums.get(forecast.cluster, (0, 0))
        sums[forecast.cluster] = (came + forecast.came, n + 1)
    return list(sums.values())
