"""`tmbr data check`: is what lies on disk what its name promises?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tmbr.core.errors import DataError
from tmbr.core.store import read_traces


def check_traces(path: Path) -> str:
    """One line of what a trace file holds. Raises DataError with the line that is broken."""
    traces = read_traces(path)
    ends = Counter(trace.finish.status for trace in traces if trace.finish)
    solved = sum(trace.finish.score.success for trace in traces if trace.finish)
    said = ", ".join(f"{count} {status}" for status, count in ends.most_common())
    return f"{path}: {len(traces)} whole episodes, {solved} solved" + (f" ({said})" if said else "")


def check_benchmarks() -> list[str]:
    """One line a benchmark split: how many games, or why there are none."""
    from tmbr.tasks.household import Household
    from tmbr.tasks.household.data import SPLITS

    lines = []
    for name in SPLITS:
        try:
            lines.append(f"household {name}: {len(Household(data=name).samples(name))} games")
        except DataError as error:
            lines.append(f"household {name}: {error}")
    return lines
