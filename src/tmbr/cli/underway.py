"""A model that is being trained plays: PPO's and GRPO's rounds, and validation under any trainer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.begun import Begun
from tmbr.cli.build import build_judge, build_strategy
from tmbr.cli.play import settings_hash
from tmbr.cli.tasks import make_task
from tmbr.config import BudgetConfig, StrategyConfig, TaskValidationConfig, ValidationConfig
from tmbr.core.errors import DataError
from tmbr.core.protocols import Judge, Strategy, Task
from tmbr.core.store import TraceStore, read_traces, timing_path
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Sample
from tmbr.runner import Job, run
from tmbr.tuning import ranks

if TYPE_CHECKING:
    from tmbr.models.local import LocalModel


def first(task: Task, data: str, split: str, count: int | None) -> Sequence[Sample]:
    """The first samples of a split, None for all. Raises DataError where there are none."""
    every = task.samples(split)
    # A split that is long is made as it is read.
    samples = every if count is None else every[:count]
    if not samples:
        raise DataError(f"{task.name} {data}: no samples in the split {split!r}")
    return samples


@dataclass(frozen=True, slots=True)
class Way:
    """How episodes are played."""

    strategy: Strategy
    told: StrategyConfig
    budget: BudgetConfig


class Underway:
    """Plays episodes with a model as it is at the moment.

    name: of the base. data: which set of the task's samples.
    """

    model: LocalModel
    trained: Any

    def __init__(self, task: Task, data: str, name: str, max_batch: int, concurrency: int) -> None:
        self.task, self.data, self.name = task, data, name
        self.max_batch, self.concurrency = max_batch, concurrency
        self._judges: dict[str | None, Judge | None] = {}

    def open(self, model: Any, tokenizer: Any) -> None:
        from tmbr.models.local import LocalModel

        self.trained = model
        self.model = LocalModel.around(model, tokenizer, self.name, self.max_batch)

    def close(self) -> None:
        asyncio.run(self.model.aclose())

    def job(self, sample: Sample, way: Way, seed: int, begun: Begun | None = None) -> Job:
        of = Run(
            config=settings_hash(way.told, way.budget),
            task=self.task.name,
            model=self.name,
            strategy=way.strategy.name,
            access=way.strategy.access,
            seed=seed,
            version=self.task.version,
            data=self.data,
        )
        made = Budget(**way.budget.model_dump())
        judge = self.judge(way.told.judge)
        return Job(sample, self.task, way.strategy, self.model, judge, made, of, begun)

    def judge(self, spec: str | None) -> Judge | None:
        """One for all episodes: a reward model takes as much memory as its base. Raises ConfigError."""
        if spec not in self._judges:
            self._judges[spec] = build_judge(spec, self.model, self.task)
        return self._judges[spec]

    def play(self, weights: str, jobs: Sequence[Job], path: Path) -> list[Trace]:
        """The traces of these jobs, in their order, played now or before the run was stopped.

        weights: what these weights are called. path: of the traces, a file of this process alone.
        Raises KeyboardInterrupt when the user stops.
        """
        return ranks.spread(jobs, lambda own: self._play(weights, own, path))

    def _play(self, weights: str, jobs: Sequence[Job], path: Path) -> list[Trace]:
        from tmbr.models.loading import lent

        if not jobs:
            return []
        with TraceStore(path) as store, lent(self.trained):
            asyncio.run(self._run(weights, jobs, store))
        timing_path(path).unlink()
        traces = {trace.id: trace for trace in read_traces(path)}
        return [traces[job.key] for job in jobs]

    async def _run(self, weights: str, jobs: Sequence[Job], store: TraceStore) -> None:
        await self.model.swapped(weights)
        ran = await run(jobs, store, self.concurrency, on_drain=_drains)
        if ran.asked:
            raise KeyboardInterrupt


def _drains(episodes: int) -> None:
    said = f"tmbr: {episodes} running episodes are finished first; Ctrl-C again drops them"
    print(said, file=sys.stderr)


class Validator:
    """Measures success on validation samples; see `tmbr.tuning.validation.Evaluator`.

    path: where the episodes of an evaluation lie while it goes on.
    """

    def __init__(
        self, underway: Underway, told: ValidationConfig, budget: BudgetConfig, path: Path
    ) -> None:
        self.underway, self.seed, self.path = underway, told.seed, ranks.own(path)
        self.samples = first(underway.task, underway.data, told.split, told.samples)
        strategy = build_strategy("react", told.strategy, told.sampling)
        self.way = Way(strategy, told.strategy, budget)

    def open(self, model: Any, tokenizer: Any) -> None:
        self.underway.open(model, tokenizer)
        self.underway.judge(self.way.told.judge)

    def evaluate(self) -> float:
        for stale in (self.path, timing_path(self.path)):
            stale.unlink(missing_ok=True)
        jobs = [self.underway.job(sample, self.way, self.seed) for sample in self.samples]
        traces = self.underway.play("validation", jobs, self.path)
        self.path.unlink(missing_ok=True)
        return sum(trace.finish.score.success for trace in traces if trace.finish) / len(jobs)

    def close(self) -> None:
        self.underway.close()


def validator(told: TaskValidationConfig | None, name: str, out: Path) -> Validator:
    """Of a run of `tmbr tune sft` or `dpo` in the folder `out`. Raises ConfigError or DataError."""
    told = told or TaskValidationConfig()
    task = make_task(told.task, told.data, told.form)
    underway = Underway(task, told.data, name, told.max_batch, told.concurrency)
    return Validator(underway, told, told.budget, out / "validation.jsonl")
