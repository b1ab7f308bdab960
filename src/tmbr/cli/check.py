"""`tmbr data check`: is what lies on disk what its name promises?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tmbr.core.store import read_traces


def check_traces(path: Path) -> str:
    """One line of what a trace file holds. Raises DataError with the line that is broken."""
    traces = read_traces(path)
    ends = Counter(trace.finish.status for trace in traces if trace.finish)
    solved = sum(trace.finish.score.success for trace in traces if trace.finish)
    said = ", ".join(f"{count} {status}" for status, count in ends.most_common())
    return f"{path}: {len(traces)} whole episodes, {solved} solved" + (f" ({said})" if said else "")
