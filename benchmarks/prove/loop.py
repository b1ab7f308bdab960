"""What the proofs of tuning share: to play and to tune in this process, each kept where it lies.

A step that was done before is read and not done again, so a proof that was stopped goes on.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tmbr.cli.budgets import Way
from tmbr.cli.build import build_model, build_strategy
from tmbr.cli.play import Grid, play
from tmbr.cli.tasks import make_task
from tmbr.cli.tune import SftRun, tune
from tmbr.config import BudgetConfig, ModelConfig, PlayConfig, SamplingConfig, StrategyConfig
from tmbr.core.rows import Row as Conversation
from tmbr.core.rows import read_rows, rows, write_rows
from tmbr.core.trace import Trace

T = TypeVar("T")
#: The teacher errs in every tenth turn and mends it: only the mending is learnt.
TEACHER = "noisy-expert:0.1:slips"


@dataclass(frozen=True, slots=True)
class World:
    """A task with generated samples. answer: most tokens of one. tuning: of every SFT."""

    task: str = "household"
    answer: int = 80
    tuning: dict[str, Any] = field(
        default_factory=lambda: {
            **{"method": "full", "optimizer": "muon", "epochs": 1, "batch_size": 6},
            **{"max_length": 1280, "eval_fraction": 0},
        }
    )


def played(
    world: World,
    model: str,
    strategy: str,
    samples: range,
    seed: int,
    out: Path,
    temperature: float | None = None,
    split: str = "train",
) -> list[Trace]:
    """Episodes in the order of the samples. Exits when the user interrupts."""
    task = make_task(world.task, "generated", "text")
    every = task.samples(split)
    limits = SamplingConfig(max_tokens=world.answer, temperature=temperature)
    config = PlayConfig(
        task=world.task, split=split, seeds=[seed], sampling=limits, concurrency=128, out=out
    )
    told = StrategyConfig(strategy=strategy)
    grid = Grid(
        config,
        [(model, strategy)],
        {model: ModelConfig(model=model)},
        {strategy: (Way(told, BudgetConfig()), build_strategy(strategy, told, limits))},
        task,
        [every[index] for index in samples],
    )
    traces = play(str(out), grid, lambda which: build_model(which, task))
    if traces is None:
        raise SystemExit(130)
    order = {every[index].id: index for index in samples}
    return sorted(traces, key=lambda trace: order[trace.sample.id])


def won(traces: Iterable[Trace]) -> list[int]:
    return [int(trace.finish is not None and trace.finish.score.success) for trace in traces]


def kept(path: Path, traces: Sequence[Trace]) -> list[Conversation]:
    """Rows of the solved episodes."""
    write_rows(path, rows(traces))
    return read_rows(path)


def mixed(
    given: Sequence[Conversation], new: Sequence[Conversation], count: int, rng: random.Random
) -> list[Conversation]:
    """Half of either, each as often as is needed; all of `given` where nothing is new."""
    half = count // 2 if new else 0
    found = [*drawn(given, count - half, rng), *drawn(new, half, rng)]
    rng.shuffle(found)
    return found


def drawn(content: Sequence[T], count: int, rng: random.Random) -> Iterator[T]:
    """Without return as far as the content reaches, and then again."""
    assert content or not count, "there is nothing to draw from"
    while count > 0:
        part = rng.sample(content, min(count, len(content)))
        count -= len(part)
        yield from part


def tuned(
    world: World,
    model: str,
    content: Sequence[Conversation],
    rate: float,
    seed: int,
    folder: Path,
    **told: Any,
) -> str:
    """The folder of the model tuned further on these rows. told: over what the world's tuning says."""
    path = folder / "rows.jsonl"
    write_rows(path, content)
    config = SftRun(model=model, learning_rate=rate, seed=seed, **{**world.tuning, **told})
    return str(folder / "tune" / tune(config, path, folder / "tune").folder)
