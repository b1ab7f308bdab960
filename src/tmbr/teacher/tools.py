"""What a build is given by its caller: counting, worlds to replay in, and somebody who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tmbr.core.protocols import Task
from tmbr.core.trace import Trace

#: Tokens of a text.
Count = Callable[[str], int]
#: Episodes or samples between two commits: what a kill can cost.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Tools:
    """task: that of a trace, for replays. progress: hears what is done, how much, and of how much."""

    count: Count
    task: Callable[[Trace], Task]
    progress: Callable[[str, int, int], None]
