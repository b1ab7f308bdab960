"""Which episodes are worth looking at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from tmbr.core.trace import Trace

#: From all episodes to those shown, in the order in which they are shown.
Choose = Callable[[Sequence[Trace]], Sequence[Trace]]


def asked(trace: Trace) -> tuple[str, str, str, str, int]:
    """What episodes have in common that may be compared: the sample, and the seed."""
    return (trace.run.task, trace.run.data, trace.sample.split, trace.sample.id, trace.run.seed)


def side_by_side(traces: Sequence[Trace], limit: int = 12) -> list[Trace]:
    """A success and a failure of each cell, taken from as few samples as tell them.

    Greedy cover: the next sample is the one whose episodes add most outcomes not yet shown (how many
    cells succeed or fail), then one on which cells differ, then the one that most cells have played,
    then the first by name. All episodes of one sample and seed stay together.
    """
    groups: dict[tuple[object, ...], list[Trace]] = defaultdict(list)
    for trace in sorted(traces, key=asked):
        groups[asked(trace)].append(trace)
    outcomes = {key: {_outcome(trace) for trace in group} for key, group in groups.items()}
    chosen: list[Trace] = []
    seen: set[tuple[object, ...]] = set()

    def worth(key: tuple[object, ...]) -> tuple[int, int, int]:
        told = outcomes[key]
        return len(told - seen), len({success for *_, success in told}), len(told)

    while len(chosen) < limit and outcomes:
        best = max(outcomes, key=worth)
        news = outcomes.pop(best)
        if news <= seen:
            break
        seen |= news
        chosen += groups[best][: limit - len(chosen)]
    return chosen


def all_of_few(traces: Sequence[Trace], limit: int = 12) -> list[Trace]:
    """All of them where they fit, by what was asked; else side by side."""
    if len(traces) <= limit:
        return sorted(traces, key=asked)
    return side_by_side(traces, limit)


def _outcome(trace: Trace) -> tuple[object, ...]:
    """The cell of the grid, whatever its seed, and whether it succeeded."""
    run = trace.run
    cell = (run.task, run.data, trace.sample.split, run.model, run.adapter, run.strategy, run.access)
    return (*cell, trace.finish is not None and trace.finish.score.success)
