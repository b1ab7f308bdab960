"""Does search pay? Success at equal budgets, more of it, and without its parts: `make prove-search`.

    python -m benchmarks.prove.search [--samples 200] [--processes 2] [--out runs/prove_search]

Noisy experts (errors drawn anew at every answer, or fixed by the state) play three worlds under token
budgets that are multiples of what the expert itself needs. Every strategy has the same number of tuning
trials on validation samples; the test samples are played once. Writes benchmarks/results/search.json.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.prove.cells import Cell, Played, minutes, play, play_all
from benchmarks.prove.verdicts import holm, inferior, interval, not_inferior, paired
from benchmarks.rows import RESULTS, Row, row, table, write

RESULT = RESULTS / "search.json"
TASKS = ("household", "database", "webpages")
NOISE = [f"noisy-expert:{p}{how}" for p in (0.1, 0.3, 0.5) for how in ("", ":per-state")]
#: Tokens of an episode, as multiples of what the expert needs on average.
BUDGETS = (1.0, 1.5, 2.5, 5.0, 12.0)
MARGIN = 0.03
OURS = "multibranch"
#: Four tuning trials each; `react` has nothing to tune under a noisy expert.
TRIALS: dict[str, list[dict[str, Any]]] = {
    "react": [{}],
    "react+retry": [{"branches": n} for n in (2, 3, 4, 6)],
    "best-of-n": [{"n": n} for n in (2, 3, 4, 6)],
    "reflexion": [{"trials": n} for n in (2, 3, 4, 6)],
    "paper": [
        {"subtasks": 0, "num_branch": branch, "num_path": path}
        for branch, path in ((2, 2), (3, 2), (4, 2), (2, 4))
    ],
    "beam": [{"branches": b, "width": w} for b, w in ((2, 2), (3, 2), (4, 2), (4, 3))],
    "best-first": [{"branches": n} for n in (2, 3, 4, 6)],
    "mcts": [{"branches": b, "explore": e} for b, e in ((2, 0.5), (4, 0.5), (4, 0.2), (4, 1.0))],
    "multibranch": [{"branches": n} for n in (3, 4, 6, 8)],
}
#: Judges and parts that are taken away, one at a time.
ABLATIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "whole": (OURS, {}, "default"),
    "rules alone": (OURS, {}, "rules"),
    "confidence alone": (OURS, {}, "confidence"),
    "no judge": (OURS, {}, "none"),
    "no forks": ("react+retry", {}, "default"),
    "always all candidates": (OURS, {"adapt": False}, "default"),
    "one candidate": (OURS, {"branches": 1}, "default"),
    "no going back": (OURS, {"keep": 0.0}, "default"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/prove_search"))
    parser.add_argument("--result", type=Path, default=RESULT)
    told = parser.parse_args()
    found = prove(TASKS, told.samples, told.processes, told.out / "cells.jsonl")
    write(told.result, found)
    print(table(found["rows"]))


def prove(tasks: Sequence[str], samples: int, processes: int, kept: Path) -> dict[str, Any]:
    """All cells, and the rows of the verdict."""
    need = {task: _needed(task, samples) for task in tasks}
    chosen = _tuned(need, max(2, samples * 3 // 10), processes, kept)
    grid = [
        Cell(task, noise, name, round(multiple * need[task]), samples, settings=chosen[task][name])
        for task in need
        for noise in NOISE
        for multiple in BUDGETS
        for name in TRIALS
    ]
    played = play_all(grid, kept, processes)
    at = {(c.task, c.model, c.strategy, c.tokens): played[c.key] for c in grid}
    more = _more(need, samples, processes, kept)
    parts = _ablations(need, samples, processes, kept)
    return {
        "command": f"python -m benchmarks.prove.search --samples {samples}",
        "machine": platform.machine(),
        "date": time.strftime("%Y-%m-%d"),
        "minutes_of_playing": round(minutes(kept), 1),
        "expert_tokens": need,
        "chosen": chosen,
        "rows": [*_verdicts(grid, at, need), *_never_worse(more)],
        "equal_budgets": [_line(cell, played[cell.key], need) for cell in grid],
        "more": [{**told, "success": found.success} for told, found in more],
        "ablations": [{**told, "success": found.success} for told, found in parts],
    }


def _needed(task: str, samples: int) -> float:
    return fmean(play(Cell(task, "expert", "react", None, samples, "validation")).tokens)


def _tuned(
    need: dict[str, float], samples: int, processes: int, kept: Path
) -> dict[str, dict[str, dict[str, Any]]]:
    """The settings of each strategy that did best on validation samples, at two noises and budgets."""
    asked = {
        (task, name, number): [
            Cell(task, noise, name, round(m * need[task]), samples, "validation", settings)
            for noise in NOISE[2:4]
            for m in BUDGETS[1:4:2]
        ]
        for task in need
        for name, trials in TRIALS.items()
        for number, settings in enumerate(trials)
    }
    played = play_all((cell for cells in asked.values() for cell in cells), kept, processes)
    score = {key: fmean(played[cell.key].success for cell in cells) for key, cells in asked.items()}
    return {
        task: {
            name: trials[max(range(len(trials)), key=lambda n: score[task, name, n])]
            for name, trials in TRIALS.items()
        }
        for task in need
    }


def _line(cell: Cell, played: Played, need: dict[str, float]) -> dict[str, Any]:
    return {
        "task": cell.task,
        "model": cell.model,
        "strategy": cell.strategy,
        "budget": round(cell.tokens / need[cell.task], 2) if cell.tokens else None,
        "success": round(played.success, 4),
        "tokens": round(fmean(played.tokens), 1),
        "steps": round(fmean(played.steps), 2),
        "seconds": round(fmean(played.seconds), 5),
    }


def _verdicts(grid: list[Cell], at: dict[Any, Played], need: dict[str, float]) -> Iterator[Row]:
    """Ours against each other strategy at each point; Holm over all of them."""
    others = [cell for cell in grid if cell.strategy != OURS]
    pairs = [
        paired(at[c.task, c.model, OURS, c.tokens].won, at[c.task, c.model, c.strategy, c.tokens].won)
        for c in others
    ]
    worse = holm([inferior(d, e, MARGIN) for d, e in pairs])
    safe = holm([not_inferior(d, e, MARGIN) for d, e in pairs])
    yield row("comparisons at equal budgets", len(pairs))
    yield row("of them ours worse by more than 3 points, Holm 5%", sum(worse), bar="<= 0")
    yield row("of them ours worse by less than 3 points, Holm 5%", sum(safe))
    lower = sum(difference < -MARGIN for difference, _ in pairs)
    yield row("of them ours lower by more than 3 points, no correction", lower)
    yield row("of them ours higher", sum(d > 0 for d, _ in pairs))
    for task in need:
        low = min(zip(pairs, others, strict=True), key=lambda f: f[0][0] if f[1].task == task else 9)
        cell = low[1]
        where = f"{cell.model}, {(cell.tokens or 0) / need[task]:.1f} x, against {cell.strategy}"
        yield row(f"{task}: lowest difference ({where})", 100 * low[0][0], unit="points")
        for multiple in BUDGETS:
            mean = fmean(at[task, n, OURS, round(multiple * need[task])].success for n in NOISE)
            best = max(
                (fmean(at[task, n, s, round(multiple * need[task])].success for n in NOISE), s)
                for s in TRIALS
                if s != OURS
            )
            yield row(f"{task}, {multiple} x: ours, mean over the noises", 100 * mean, unit="%")
            yield row(f"{task}, {multiple} x: best other ({best[1]})", 100 * best[0], unit="%")
        for other in ("paper", "react+retry"):
            tokens = round(BUDGETS[-1] * need[task])
            ours = [won for n in NOISE for won in at[task, n, OURS, tokens].won]
            theirs = [won for n in NOISE for won in at[task, n, other, tokens].won]
            low_end, _ = interval(*paired(ours, theirs))
            name = f"{task}, {BUDGETS[-1]} x: ours over {other}, lower end"
            yield row(name, 100 * low_end, "points", "> 0")


def _more(
    need: dict[str, float], samples: int, processes: int, kept: Path
) -> list[tuple[dict[str, Any], Played]]:
    """The paper's Table 3: more branches, more paths, at a budget that hardly binds."""
    grown = [
        *((OURS, "branches", {"branches": n}, n) for n in (1, 2, 4, 8)),
        *(("paper", "num_branch", {"subtasks": 0, "num_branch": n}, n) for n in (1, 2, 4, 8)),
        *(("paper", "num_path", {"subtasks": 0, "num_path": n}, n) for n in (1, 2, 4)),
    ]
    cells = {
        (task, noise, name, setting, number): Cell(
            task, noise, name, round(BUDGETS[-1] * need[task]), samples, settings=settings
        )
        for task in need
        for noise in NOISE[2:4]
        for name, setting, settings, number in grown
    }
    played = play_all(cells.values(), kept, processes)
    named = ("task", "model", "strategy", "setting", "value")
    return [(dict(zip(named, key, strict=True)), played[cell.key]) for key, cell in cells.items()]


def _never_worse(more: list[tuple[dict[str, Any], Played]]) -> Iterator[Row]:
    """The largest drop from a value of a setting to the next larger one, and how many are sure."""
    series: dict[tuple[Any, ...], list[tuple[int, Played]]] = {}
    for told, played in more:
        key = (told["strategy"], told["setting"], told["task"], told["model"])
        series.setdefault(key, []).append((told["value"], played))
    for strategy, setting in dict.fromkeys(key[:2] for key in series):
        steps = [
            paired(after.won, before.won)
            for key, values in series.items()
            if key[:2] == (strategy, setting)
            for (_, before), (_, after) in pairwise(values)
        ]
        drop = min(difference for difference, _ in steps)
        surely = sum(interval(d, e)[1] < 0 for d, e in steps)
        bar = "<= 0" if strategy == OURS else None
        yield row(f"more {setting} ({strategy}): largest drop", 100 * drop, unit="points")
        yield row(f"more {setting} ({strategy}): drops beyond their interval", surely, bar=bar)


def _ablations(
    need: dict[str, float], samples: int, processes: int, kept: Path
) -> list[tuple[dict[str, Any], Played]]:
    cells = {
        (task, noise, name): replace(
            Cell(task, noise, strategy, round(BUDGETS[2] * need[task]), samples),
            settings=settings, judge=judge,
        )
        for task in need
        for noise in NOISE[2:4]
        for name, (strategy, settings, judge) in ABLATIONS.items()
    }  # fmt: skip
    played = play_all(cells.values(), kept, processes)
    named = ("task", "model", "without")
    return [(dict(zip(named, key, strict=True)), played[cell.key]) for key, cell in cells.items()]


if __name__ == "__main__":
    main()
