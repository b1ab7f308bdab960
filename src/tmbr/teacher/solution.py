"""A second, independent solution: only what somebody else reaches too is a question worth asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tmbr.core.errors import ModelFault
from tmbr.core.protocols import Model, Strategy, Task
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Sample, derive_seed
from tmbr.rollout import episode
from tmbr.teacher.asker import Unfit
from tmbr.teacher.idle import replay


@dataclass(frozen=True, slots=True)
class Solved:
    """by: who reached it. turns: that it took."""

    by: str
    turns: int


#: How a question is played, in the world whose content has this seed.
Playing = Callable[[Sample, int], Strategy]


@dataclass(frozen=True, slots=True)
class Solver:
    """Plays a question in its world, without knowing its target.

    expert: tried first, None where the task has none. model: tried `samples` times where the expert
    does not reach it, of which `agree` have to.
    """

    task: Task
    playing: Playing
    expert: Model | None
    model: Model
    samples: int
    agree: int

    def check_start(self, sample: Sample) -> None:
        """Raises Unfit where what is asked holds before anything is done."""
        if replay(self.task, sample, []).success:
            raise Unfit("start", "what is asked for is true at the start")

    async def solve(self, sample: Sample, content: int, seed: int) -> Solved:
        """content: the seed of its world's.

        Raises Unfit where no second solution reaches the target; ModelFault as the model does.
        """
        tried = []
        if self.expert is not None:
            trace = await self._play(sample, content, self.expert, seed)
            if _reached(trace):
                return Solved("expert", _length(trace))
            tried.append("the expert")
        played = [
            await self._play(sample, content, self.model, derive_seed(seed, "sample", index))
            for index in range(self.samples)
        ]
        reached = [trace for trace in played if _reached(trace)]
        if self.samples and len(reached) >= self.agree:
            turns = sorted(map(_length, reached))[len(reached) // 2]
            return Solved(f"{len(reached)} of {self.samples} samples", turns)
        if self.samples:
            tried.append(f"{len(reached)} of {self.samples} samples of {self.model.name}")
        raise Unfit(
            "solution", f"not reached by a second solution; tried: {', '.join(tried) or 'none'}"
        )

    async def _play(self, sample: Sample, content: int, model: Model, seed: int) -> Trace:
        strategy = self.playing(sample, content)
        run = Run("", self.task.name, model.name, strategy.name, strategy.access, seed)
        trace = await episode(sample, self.task, strategy, model, None, Budget(), run)
        assert trace.finish is not None
        if trace.finish.error is not None and trace.finish.error.startswith("ModelFault"):
            raise ModelFault(trace.finish.error.removeprefix("ModelFault: "))
        return trace


def _reached(trace: Trace) -> bool:
    return trace.finish is not None and trace.finish.score.success


def _length(trace: Trace) -> int:
    assert trace.finish is not None
    return sum(trace.nodes[index].step is not None for index in trace.branch(trace.finish.leaf))
