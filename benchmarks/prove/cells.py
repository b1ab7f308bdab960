"""Cells of many episodes, played once and kept: what a proof is made of.

A cell is a task, a noisy expert, a strategy with its settings, and a budget, on the first samples of a
split. Cells are played by several processes; each that is done is one line of a file, and the same
proof run again goes on from there.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tmbr import reasoning, rollout
from tmbr.cli.build import build_judge, build_model
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig
from tmbr.core.trace import Budget, Run
from tmbr.core.types import digest
from tmbr.models import expert
from tmbr.reasoning.strategies import strategy
from tmbr.rollout import episode

#: World steps, forks included, that no episode passes.
MOST_STEPS = 400


@dataclass(frozen=True, slots=True)
class Cell:
    """tokens: of the budget, None is no limit."""

    task: str
    model: str
    strategy: str
    tokens: int | None
    samples: int
    split: str = "test"
    settings: dict[str, Any] = field(default_factory=dict)
    judge: str = "default"
    seed: int = 0

    @property
    def key(self) -> str:
        return digest([asdict(self), _task(self.task).version, _code()])


@dataclass(frozen=True, slots=True)
class Played:
    """Of each sample: success, tokens, world steps with those on forks, seconds (the expert's: 0)."""

    won: list[int]
    tokens: list[int]
    steps: list[int]
    seconds: list[float] = field(compare=False)

    @property
    def success(self) -> float:
        return sum(self.won) / len(self.won)


@cache
def _code() -> str:
    """Of what decides how a cell is played: after a change it is played anew."""
    parts = [
        *Path(reasoning.__file__).parent.rglob("*.*"),
        Path(rollout.__file__),
        Path(expert.__file__),
    ]
    texts = [path.read_text("utf-8") for path in sorted(parts) if path.suffix in (".py", ".jinja")]
    return digest(texts)


@cache
def _task(name: str) -> Any:
    return make_task(name, "generated", "text")


def play(cell: Cell) -> Played:
    return asyncio.run(_play(cell))


async def _play(cell: Cell) -> Played:
    task = _task(cell.task)
    model = build_model(ModelConfig(model=cell.model), task)
    made = strategy(cell.strategy, **cell.settings)
    judge = build_judge(cell.judge, model, task)
    budget = Budget(tokens=cell.tokens, steps=MOST_STEPS)
    run = Run("", cell.task, model.name, made.name, made.access, cell.seed)
    played = Played([], [], [], [])
    for sample in task.samples(cell.split)[: cell.samples]:
        began = time.perf_counter()
        trace = await episode(sample, task, made, model, judge, budget, run)
        assert trace.finish is not None
        assert trace.finish.status != "task error", trace.finish.error
        played.seconds.append(round(time.perf_counter() - began, 5))
        played.won.append(int(trace.finish.score.success))
        played.tokens.append(trace.spent.usage.total)
        played.steps.append(trace.spent.steps + trace.spent.steps_on_forks)
    return played


def play_all(cells: Iterable[Cell], kept: Path, processes: int) -> dict[str, Played]:
    """Every cell by its key, from the file or played now."""
    wanted = {cell.key: cell for cell in cells}
    done = _read(kept)
    todo = [cell for key, cell in wanted.items() if key not in done]
    print(f"{len(wanted)} cells, {len(todo)} to play", flush=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file, ProcessPoolExecutor(processes) as pool:
        for number, (cell, played) in enumerate(zip(todo, pool.map(play, todo), strict=True), 1):
            done[cell.key] = played
            line = {"key": cell.key, "cell": asdict(cell), **asdict(played)}
            file.write(json.dumps(line) + "\n")
            file.flush()
            if number % 50 == 0:
                print(f"  {number} of {len(todo)}", flush=True)
    return {key: done[key] for key in wanted}


def minutes(kept: Path) -> float:
    """What playing took, all processes and runs together."""
    return sum(sum(played.seconds) for played in _read(kept).values()) / 60


def _read(kept: Path) -> dict[str, Played]:
    found = {}
    for line in kept.read_text("utf-8").splitlines() if kept.exists() else ():
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue  # a line that a killed run left torn; its cell is played again
        found[told["key"]] = Played(told["won"], told["tokens"], told["steps"], told["seconds"])
    return found
