"""`tmbr eval` and `tmbr collect`: cells of a grid are played into one store, then measured."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from tmbr.cli.budgets import Way, marked, ways
from tmbr.cli.build import build_judge, build_model, build_strategy, check_constrained
from tmbr.cli.progress import Progress
from tmbr.cli.tasks import make_task
from tmbr.config import CollectConfig, Config, EvalConfig, ModelConfig, PlayConfig
from tmbr.core.errors import DataError
from tmbr.core.files import write_whole
from tmbr.core.protocols import Model, Strategy, Task
from tmbr.core.store import TraceStore, read_timing, read_traces
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Sample, digest
from tmbr.models.expert import Walkthrough
from tmbr.runner import Job, run

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Grid:
    """What is to be played. cells: names of a model and of a way, a strategy under a budget."""

    config: PlayConfig
    cells: Sequence[tuple[str, str]]
    models: Mapping[str, ModelConfig]
    ways: Mapping[str, tuple[Way, Strategy]]
    task: Task
    samples: Sequence[Sample]

    @property
    def total(self) -> int:
        """Number of episodes."""
        samples = min(len(self.samples), self.config.samples or len(self.samples))
        return len(self.cells) * len(self.config.seeds) * samples

    def jobs(self, name: str, model: Model) -> Iterator[Job]:
        """All episodes of one model: strategies × budgets × seeds × samples."""
        for label in (second for first, second in self.cells if first == name):
            way, strategy = self.ways[label]
            budget = Budget(**way.budget.model_dump())
            judge = build_judge(way.strategy.judge, model, self.task)
            for of in self._runs(name, label, model):
                for sample in islice(self.samples, self.config.samples):
                    who = model.of(sample) if isinstance(model, Walkthrough) else model
                    yield Job(sample, self.task, strategy, who, judge, budget, of)

    def _runs(self, name: str, label: str, model: Model) -> list[Run]:
        way, strategy = self.ways[label]
        return [
            Run(
                config=settings_hash(way.strategy, self.config.sampling, way.budget),
                task=self.task.name,
                model=name,
                strategy=label,
                access="privileged" if isinstance(model, Walkthrough) else strategy.access,
                seed=seed,
                adapter=self.models[name].adapter,
                version=self.task.version,
                weights=model.weights_version,
                data=self.config.data,
            )
            for seed in self.config.seeds
        ]


def settings_hash(*settings: Config) -> str:
    """What `Run.config` says of the strategy, the sampling and the budget."""
    return digest([part.model_dump() for part in settings])


def evaluate(config: EvalConfig) -> int:
    """Play the grid, write `summary.json`, print the table; returns the exit code."""
    told = ways(config)
    wanted = config.cells or [(m, s) for m in config.models for s in config.strategies]
    cells = [
        (model, label)
        for model, strategy in wanted
        for label, way in told.items()
        if strategy == (way.of or label)
    ]
    traces = _run("eval", config, cells, config.models, told)
    if traces is None:
        return INTERRUPTED
    from rich.console import Console

    from tmbr.evaluation.table import comparison, table

    by_cell = _by_cell(traces, cells)
    comparisons = _comparisons(by_cell, told)
    measured = (trace for cell in by_cell.values() for trace in cell)
    rows, target = write_summary(config.out, measured, comparisons, told)
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table(rows, console.width))
    for compared in comparisons:
        print(f"- {comparison(compared)}")
    print(f"summary: {target}")
    return 0


def write_summary(
    out: Path,
    traces: Iterable[Trace],
    comparisons: Sequence[dict[str, Any]] = (),
    told: Mapping[str, Way] | None = None,
) -> tuple[list[dict[str, Any]], Path]:
    """The rows of OUT/summary.json, which is returned beside them. told: the ways that were played."""
    from tmbr.evaluation.metrics import oracles, summary

    timing, finished = read_timing(out / "traces.jsonl"), list(traces)
    rows = summary(finished, timing) + oracles(finished, timing)
    marked(rows, told or {})
    found = {"rows": rows, "comparisons": comparisons, "versions": versions()}
    target = out / "summary.json"
    write(target, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return rows, target


def collect(config: CollectConfig) -> int:
    """Play a split with one model; returns the exit code."""
    model, strategy = config.model.model, config.strategy.strategy or "react"
    traces = _run(
        "collect",
        config,
        [(model, strategy)],
        {model: config.model},
        {strategy: Way(config.strategy, config.budget)},
    )
    if traces is None:
        return INTERRUPTED
    solved = sum(trace.finish.score.success for trace in traces if trace.finish)
    print(f"{len(traces)} episodes, {solved} of them solved: {config.out / 'traces.jsonl'}")
    return 0


def _run(
    title: str,
    config: PlayConfig,
    cells: Sequence[tuple[str, str]],
    models: Mapping[str, ModelConfig],
    told: Mapping[str, Way],
) -> list[Trace] | None:
    """Build what the names stand for and play it; None when the user interrupted."""
    task = make_task(config.task, config.data, config.form)
    built = {
        name: (way, build_strategy(name, way.strategy, config.sampling)) for name, way in told.items()
    }
    for model, label in cells:
        check_constrained(told[label].strategy, models[model], task)
    samples = task.samples(config.split)
    if not samples:
        raise DataError(f"{config.task} {config.data}: no samples in the split {config.split!r}")
    grid = Grid(config, cells, models, built, task, samples)
    return play(title, grid, lambda model: build_model(model, task))


def play(title: str, grid: Grid, build: Callable[[ModelConfig], Model]) -> list[Trace] | None:
    """All traces of the grid, played now or before; None when the user interrupted."""
    out = grid.config.out
    path = out / "traces.jsonl"
    with TraceStore(path) as store:
        settings = grid.config.model_dump(mode="json")
        write(out / "config.yaml", yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
        with Progress(title, grid.total) as progress:
            if store.warning:
                progress.say(f"tmbr: {store.warning}")
            keys, interrupted = asyncio.run(_play(grid, build, store, progress))
        if interrupted:
            progress.say(
                f"tmbr: stopped; {len(store.finished)} finished episodes are kept in {path}, "
                "the same command goes on where it stopped"
            )
            return None
    return [trace for trace in read_traces(path) if trace.id in keys]


async def _play(
    grid: Grid, build: Callable[[ModelConfig], Model], store: TraceStore, progress: Progress
) -> tuple[set[str], bool]:
    """One model after the other, so that only one is in memory.

    Returns the ids of all episodes asked for so far, and whether the user interrupted.
    """
    keys: set[str] = set()

    def noted(jobs: Iterable[Job]) -> Iterator[Job]:
        for job in jobs:
            keys.add(job.key)
            yield job

    for name in dict.fromkeys(model for model, _ in grid.cells):
        model = build(grid.models[name])
        try:
            ran = await run(
                noted(grid.jobs(name, model)),
                store,
                grid.config.concurrency,
                on_trace=progress.add,
                on_reuse=progress.reuse,
                on_drain=lambda n: progress.say(
                    f"tmbr: {n} running episodes are finished first; Ctrl-C again drops them"
                ),
            )
        finally:
            await model.aclose()
        if ran.interrupted:
            return keys, True
    return keys, False


def _by_cell(
    traces: Sequence[Trace], pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[Trace]]:
    """Traces by model and strategy, in the order of the config."""
    cells: dict[tuple[str, str], list[Trace]] = {pair: [] for pair in pairs}
    for trace in traces:
        cells[trace.run.model, trace.run.strategy].append(trace)
    return cells


def _comparisons(
    cells: Mapping[tuple[str, str], list[Trace]], told: Mapping[str, Way]
) -> list[dict[str, Any]]:
    """Every strategy against the first of the same model and budget, every model against the first of
    the same strategy and budget."""
    from tmbr.evaluation.metrics import compare

    found = []
    for model, label in cells:
        budget = told[label].budget
        same_model = next(p for p in cells if p[0] == model and told[p[1]].budget == budget)
        same_strategy = next(pair for pair in cells if pair[1] == label)
        for first in dict.fromkeys((same_model, same_strategy)):
            if first != (model, label):
                found.append(compare(cells[model, label], cells[first]))
    return found


def versions() -> dict[str, str]:
    """Of what was in use."""
    names = ("tmbr", "torch", "transformers", "peft", "openai")
    return {"python": sys.version.split()[0], **{n: version(n) for n in names if n in sys.modules}}


def write(path: Path, text: str) -> None:
    """Whole or not at all. Raises DataError."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise DataError(f"{path}: cannot write ({error.strerror}); make room and try again") from error
