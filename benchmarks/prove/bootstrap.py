"""Self-improvement: does a model get better by what it found itself, with search and without a teacher?

    python -m benchmarks.prove.bootstrap [--houses 300] [--seeds 3]

Round 0 tunes the embedded base on a few episodes of the expert. Each later round plays new houses,
keeps what was solved, and tunes the last model further on an even mix of that and round 0's data. Three
arms, all with the same number of updates:

    multibranch   rollouts by search; its successes are learnt
    rejection     `react` at temperature 1 on as many tokens; its successes are learnt
    continued     no rollouts: round 0's data again

Measured with greedy `react` on the same held-out houses. A run that was stopped goes on; writes
benchmarks/results/bootstrap.json.
"""

from __future__ import annotations

import argparse
import platform
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks.prove.verdicts import interval
from benchmarks.rows import RESULTS, Row, row, table, write
from tmbr.cli.budgets import Way
from tmbr.cli.build import build_model, build_strategy
from tmbr.cli.play import Grid, play
from tmbr.cli.tasks import make_task
from tmbr.cli.tune import SftRun, tune
from tmbr.config import ModelConfig, PlayConfig, SamplingConfig, StrategyConfig
from tmbr.core.rows import Row as Conversation
from tmbr.core.rows import read_rows, rows, write_rows
from tmbr.core.types import Trace

RESULT = RESULTS / "bootstrap.json"
ARMS = ("multibranch", "rejection", "continued")
ROUNDS = 3
#: Houses that react may need beyond those of search until it has spent as many tokens.
MORE = 1.5
TUNE: dict[str, Any] = {
    "method": "full",
    "optimizer": "muon",
    "epochs": 1,
    "batch_size": 6,
    "max_length": 1280,
    "eval_fraction": 0,
}
FIRST_RATE, LATER_RATE = 1.5e-3, 5e-4


@dataclass(frozen=True, slots=True)
class Plan:
    """first: the expert's episodes. houses: new ones a round. tests: held-out houses. updates: a round,
    in rows."""

    first: int
    houses: int
    tests: int
    rows: int
    out: Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--houses", type=int, default=300)
    parser.add_argument("--tests", type=int, default=200)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/prove_bootstrap"))
    parser.add_argument("--result", type=Path, default=RESULT)
    told = parser.parse_args()
    plan = Plan(told.first, told.houses, told.tests, told.rows, told.out)
    begun = time.time()
    curves = [_curves(plan, seed) for seed in range(told.seeds)]
    found = {
        "command": f"python -m benchmarks.prove.bootstrap --houses {told.houses} --seeds {told.seeds}",
        "machine": platform.machine(),
        "date": time.strftime("%Y-%m-%d"),
        "minutes": round((time.time() - begun) / 60, 1),
        "plan": {key: getattr(plan, key) for key in ("first", "houses", "tests", "rows")},
        "rows": list(_verdicts(curves)),
        "seeds": [_told(curve) for curve in curves],
    }
    write(told.result, found)
    print(table(found["rows"]))


@dataclass(frozen=True, slots=True)
class Measured:
    """A model of a round: the test houses it solved, and the tokens that the round's rollouts took."""

    won: list[int]
    tokens: int


def _curves(plan: Plan, seed: int) -> dict[str, list[Measured]]:
    """Of each arm, round 0 to the last; round 0 is the same for all."""
    out = plan.out / str(seed)
    first = _play("noisy-expert:0.1:slips", "react", range(plan.first), seed, out / "expert")
    given = _kept(out / "expert" / "rows.jsonl", first)
    begin = _tuned("nano", given, FIRST_RATE, seed, out / "0")
    start = Measured(_won(begin, plan, out / "0"), 0)
    found = {arm: [start] for arm in ARMS}
    at = dict.fromkeys(ARMS, begin)
    for number in range(1, ROUNDS + 1):
        spent = 0
        for arm in ARMS:
            folder = out / arm / str(number)
            traces = _rollouts(arm, at[arm], plan, number, seed, folder, spent)
            tokens = sum(trace.spent.usage.total for trace in traces)
            spent = tokens if arm == "multibranch" else spent
            new = _kept(folder / "found.jsonl", traces) if traces else given
            mixed = _mixed(given, new, plan.rows, random.Random(f"{seed} {arm} {number}"))
            at[arm] = _tuned(at[arm], mixed, LATER_RATE, seed, folder)
            found[arm].append(Measured(_won(at[arm], plan, folder), tokens))
    return found


def _rollouts(
    arm: str, model: str, plan: Plan, number: int, seed: int, folder: Path, spent: int
) -> list[Trace]:
    """Houses of their own for each round; react plays on until it has spent what search did."""
    begin = plan.first + round((number - 1) * plan.houses * MORE)
    if arm == "continued":
        return []
    if arm == "multibranch":
        return _play(model, "multibranch", range(begin, begin + plan.houses), seed, folder / "play")
    most = range(begin, begin + round(plan.houses * MORE))
    traces = _play(model, "react", most, seed, folder / "play", 1.0)
    paid = accumulate(trace.spent.usage.total for trace in traces)
    return [trace for trace, so_far in zip(traces, paid, strict=True) if so_far <= spent]


def _play(
    model: str,
    strategy: str,
    houses: range,
    seed: int,
    out: Path,
    temperature: float | None = None,
    split: str = "train",
) -> list[Trace]:
    """Episodes in the order of the houses."""
    task = make_task("household", "generated", "text")
    samples = task.samples(split)
    limits = SamplingConfig(max_tokens=80, temperature=temperature)
    config = PlayConfig(split=split, seeds=[seed], sampling=limits, concurrency=128, out=out)
    told = StrategyConfig(strategy=strategy)
    grid = Grid(
        config,
        [(model, strategy)],
        {model: ModelConfig(model=model)},
        {strategy: (Way(told, config.budget), build_strategy(strategy, told, limits))},
        task,
        [samples[index] for index in houses],
    )
    traces = play(str(out), grid, lambda which: build_model(which, task))
    if traces is None:
        raise SystemExit(130)
    order = {samples[index].id: index for index in houses}
    return sorted(traces, key=lambda trace: order[trace.sample.id])


def _won(model: str, plan: Plan, folder: Path) -> list[int]:
    traces = _play(model, "react", range(plan.tests), 0, folder / "test", split="test")
    return [int(trace.finish is not None and trace.finish.score.success) for trace in traces]


def _kept(path: Path, traces: Sequence[Trace]) -> list[Conversation]:
    """Rows of the solved episodes."""
    write_rows(path, rows(traces))
    return read_rows(path)


def _mixed(
    given: Sequence[Conversation], new: Sequence[Conversation], count: int, rng: random.Random
) -> list[Conversation]:
    """Half of either, drawn without return as far as they reach."""
    half = count // 2
    found = [*_drawn(given, count - half, rng), *_drawn(new, half, rng)]
    rng.shuffle(found)
    return found


def _drawn(content: Sequence[Conversation], count: int, rng: random.Random) -> Iterator[Conversation]:
    while count > 0:
        part = rng.sample(content, min(count, len(content)))
        count -= len(part)
        yield from part


def _tuned(model: str, content: Sequence[Conversation], rate: float, seed: int, folder: Path) -> str:
    """The folder of the model tuned further on these rows."""
    path = folder / "rows.jsonl"
    write_rows(path, content)
    config = SftRun(model=model, learning_rate=rate, seed=seed, **TUNE)
    return str(folder / "tune" / tune(config, path, folder / "tune").folder)


def _verdicts(curves: Sequence[dict[str, list[Measured]]]) -> Iterator[Row]:
    """The last round against round 0 and against the controls, over seeds and houses."""
    for name, arm, at in (
        ("round 3 against round 0", "multibranch", 0),
        ("round 3 against rejection sampling", "rejection", ROUNDS),
        ("round 3 against continued tuning", "continued", ROUNDS),
    ):
        differences = [
            ours - theirs
            for curve in curves
            for ours, theirs in zip(curve["multibranch"][ROUNDS].won, curve[arm][at].won, strict=True)
        ]
        mean, error = fmean(differences), stdev(differences) / len(differences) ** 0.5
        low, _ = interval(mean, error)
        yield row(f"{name}: difference, points", 100 * mean)
        yield row(f"{name}: lower end, points", 100 * low, bar="> 0" if at == 0 else ">= -3")


def _told(curve: dict[str, list[Measured]]) -> dict[str, Any]:
    return {
        arm: [{"success": fmean(one.won), "rollout_tokens": one.tokens} for one in measured]
        for arm, measured in curve.items()
    }


if __name__ == "__main__":
    main()
