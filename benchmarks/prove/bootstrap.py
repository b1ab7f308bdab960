"""Self-improvement: does a model get better by what it found itself, with search and without a teacher?

    python -m benchmarks.prove.bootstrap [--first 250 --passes 8] [--seeds 3] [--served PORT]

Round 0 tunes the embedded base on a few episodes of the expert, in so many passes. Each later round
plays new houses, keeps what was solved, and tunes the last model further on an even mix of that and
round 0's data. Three arms, all with the same number of updates:

    multibranch   rollouts by search; its successes are learnt
    rejection     `react` at temperature 1 on as many tokens; its successes are learnt
    continued     no rollouts: round 0's data again

Measured with greedy `react` on the same held-out houses. With --served all rollouts are played over
HTTP, by a `transformers serve` that loads each round's model. A run that was stopped goes on; writes
benchmarks/results/bootstrap.json, or bootstrap_served.json.
"""

from __future__ import annotations

import argparse
import platform
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.support.serving import serving

from benchmarks.prove.loop import TEACHER, World, kept, mixed, played, tuned, won
from benchmarks.prove.verdicts import interval, paired
from benchmarks.rows import RESULTS, Row, row, table, write
from tmbr.core.trace import Trace

ARMS = ("multibranch", "rejection", "continued")
ROUNDS = 3
#: Houses that react may need beyond those of search until it has spent as many tokens.
MORE = 1.5
WORLD = World()
FIRST_RATE, LATER_RATE = 1.5e-3, 5e-4


@dataclass(frozen=True, slots=True)
class Plan:
    """first: the expert's episodes, learnt in so many `passes`. houses: new ones a round. tests:
    held-out houses. rows: learnt in a round. server: of the rollouts, where they are served."""

    first: int
    passes: int
    houses: int
    tests: int
    rows: int
    out: Path
    server: str | None = None

    def at(self, model: str) -> str:
        """Where the model's rollouts are asked for."""
        return f"{Path(model).absolute()}@{self.server}" if self.server else model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--houses", type=int, default=300)
    parser.add_argument("--tests", type=int, default=200)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--served", type=int, metavar="PORT")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--result", type=Path)
    told = parser.parse_args()
    name = "bootstrap_served" if told.served else "bootstrap"
    out = told.out or Path(f"runs/prove_{name}")
    with ExitStack() as stack:
        out.mkdir(parents=True, exist_ok=True)
        server = stack.enter_context(serving(out, told.served)) if told.served else None
        plan = Plan(told.first, told.passes, told.houses, told.tests, told.rows, out, server)
        curves = [_curves(plan, seed) for seed in range(told.seeds)]
    asked = " ".join(sys.argv[1:])
    found = {
        "command": f"python -m benchmarks.prove.bootstrap {asked}".strip(),
        "machine": platform.machine(),
        "date": time.strftime("%Y-%m-%d"),
        "plan": {key: getattr(plan, key) for key in ("first", "passes", "houses", "tests", "rows")},
        "rows": list(_verdicts(curves)),
        "seeds": [_told(curve) for curve in curves],
    }
    write(told.result or RESULTS / f"{name}.json", found)
    print(table(found["rows"]))


@dataclass(frozen=True, slots=True)
class Measured:
    """A model of a round: the test houses it solved, and the tokens that the round's rollouts took."""

    won: list[int]
    tokens: int


def _curves(plan: Plan, seed: int) -> dict[str, list[Measured]]:
    """Of each arm, round 0 to the last; round 0 is the same for all."""
    out = plan.out / str(seed)
    first = played(WORLD, TEACHER, "react", range(plan.first), seed, out / "expert")
    given = kept(out / "expert" / "rows.jsonl", first)
    begin = tuned(WORLD, "nano", given, FIRST_RATE, seed, out / "0", epochs=plan.passes)
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
            new = kept(folder / "found.jsonl", traces) if traces else given
            content = mixed(given, new, plan.rows, random.Random(f"{seed} {arm} {number}"))
            at[arm] = tuned(WORLD, at[arm], content, LATER_RATE, seed, folder)
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
        houses = range(begin, begin + plan.houses)
        return played(WORLD, plan.at(model), "multibranch", houses, seed, folder / "play")
    most = range(begin, begin + round(plan.houses * MORE))
    traces = played(WORLD, plan.at(model), "react", most, seed, folder / "play", 1.0)
    paid = accumulate(trace.spent.usage.total for trace in traces)
    return [trace for trace, so_far in zip(traces, paid, strict=True) if so_far <= spent]


def _won(model: str, plan: Plan, folder: Path) -> list[int]:
    return won(played(WORLD, model, "react", range(plan.tests), 0, folder / "test", split="test"))


def _verdicts(curves: Sequence[dict[str, list[Measured]]]) -> Iterator[Row]:
    """The last round against round 0 and against the controls, over seeds and houses."""
    for name, arm, at in (
        ("round 3 against round 0", "multibranch", 0),
        ("round 3 against rejection sampling", "rejection", ROUNDS),
        ("round 3 against continued tuning", "continued", ROUNDS),
    ):
        sides = [
            [one for curve in curves for one in curve[of][when].won]
            for of, when in (("multibranch", ROUNDS), (arm, at))
        ]
        mean, error = paired(*sides)
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
