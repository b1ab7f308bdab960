"""Complete example trajectories, which the action maker imitates."""

from __future__ import annotations

from pathlib import Path

from tmbr.core.errors import ConfigError
from tmbr.core.protocols import Model, Strategy, Task
from tmbr.core.store import read_traces
from tmbr.core.types import Budget, Run, Trace
from tmbr.rollout import episode

#: Samples that the expert tries for each example that is wanted.
TRIES = 5


def given(path: Path, count: int) -> list[Trace]:
    """The shortest solved episodes of a file, which has to hold enough of them. Raises ConfigError."""
    solved = [trace for trace in read_traces(path) if trace.finish and trace.finish.score.success]
    if len(solved) < count:
        raise ConfigError(f"{path}: holds {len(solved)} solved episodes, but examples={count}")
    return sorted(solved, key=lambda trace: (len(trace.nodes), trace.sample.id))[:count]


async def played(task: Task, strategy: Strategy, expert: Model, count: int, seed: int) -> list[Trace]:
    """Solved episodes of the expert on the training split. Raises ConfigError where they are few."""
    found: list[Trace] = []
    for sample in task.samples("train")[: TRIES * count]:
        run = Run("", task.name, expert.name, strategy.name, strategy.access, seed)
        trace = await episode(sample, task, strategy, expert, None, Budget(), run)
        if trace.finish and trace.finish.score.success:
            found.append(trace)
        if len(found) == count:
            return found
    raise ConfigError(f"the expert solved {len(found)} of its samples, but examples={count}")
