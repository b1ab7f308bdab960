"""Judges against what became of what they judged: a row each of `judges.json`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tmbr.core.errors import DataError
from tmbr.core.protocols import Judge
from tmbr.core.trace import Trace
from tmbr.core.types import Usage
from tmbr.evaluation.forecasts import (
    Forecast,
    auc,
    auc_interval,
    brier,
    calibration_error,
    reliability,
)
from tmbr.evaluation.hindsight import Answers, Questions, Siblings, answers, cost, questions
from tmbr.evaluation.intervals import Pair, ratio, share

Row = dict[str, Any]

#: Reasons that a row tells, the commonest first.
REASONS = 8


@dataclass(frozen=True, slots=True)
class Judged:
    """An episode, what was asked of it, and what was answered."""

    trace: Trace
    asked: Questions
    answers: Answers


async def measure(
    judge: Judge, traces: Sequence[Trace], seed: int = 0, concurrency: int = 16
) -> list[Row]:
    """One row a cell of the traces, in the order in which cells are met.

    n, success: episodes, those that ended in a `task error` left out, and the share that were solved.
    turns: nodes of committed branches, of which `solved` (a share) belong to a success; auc, auc_early
    and auc_late (by halves of the branch): how well the value tells these from the others.
    kept, mistakes: pairs of siblings (see `Questions`); kept_right and mistakes_right: the share in
    which the better has the higher value, ties counting half. Intervals, each at `…_ci95`, are over
    samples. ece, brier: of the value as the probability of success; brier_base: of `solved` said
    everywhere. bins: see `reliability`. tokens, calls, seconds: a judgement, over all `judgements`.
    reasons: the commonest of the turns, with their counts. What cannot be told is None.

    Raises DataError when no episode can be asked about.
    """
    cells: dict[tuple[object, ...], list[Trace]] = {}
    for trace in traces:
        if trace.finish is not None and trace.finish.status != "task error":
            run = trace.run
            key = (run.task, trace.sample.split, run.data, run.model, run.adapter, run.strategy)
            cells.setdefault((*key, run.access, run.config, run.version, run.weights), []).append(trace)
    if not cells:
        raise DataError("no finished episode: nothing can be asked about")
    gate = asyncio.Semaphore(concurrency)

    async def judged(trace: Trace) -> Judged:
        asked = questions(trace)
        async with gate:
            return Judged(trace, asked, await answers(judge, asked))

    rows = []
    for cell in cells.values():
        began = time.monotonic()
        found = await asyncio.gather(*map(judged, cell))
        rows.append(_row(judge.name, found, time.monotonic() - began, seed))
    return rows


def _row(name: str, cell: Sequence[Judged], seconds: float, seed: int) -> Row:
    first, n = cell[0].trace, len(cell)
    forecasts = [
        (Forecast(one.answers[turn.view, turn.node].value, _won(one), _cluster(one)), turn.late)
        for one in cell
        for turn in one.asked.turns
    ]
    every = [forecast for forecast, _ in forecasts]
    bins = reliability(every, seed)
    solved = sum(f.came for f in every) / len(every) if every else None
    return {
        "task": first.run.task,
        "split": first.sample.split,
        "data": first.run.data,
        "model": first.run.model,
        "adapter": first.run.adapter,
        "strategy": first.run.strategy,
        "access": first.run.access,
        "judge": name,
        "n": n,
        "success": sum(map(_won, cell)) / n,
        "turns": len(every),
        "solved": solved,
        **_ranked("auc", every, seed),
        **_ranked("auc_early", [forecast for forecast, late in forecasts if not late], seed),
        **_ranked("auc_late", [forecast for forecast, late in forecasts if late], seed),
        **_paired("kept", [(one, one.asked.kept) for one in cell], seed),
        **_paired("mistakes", [(one, one.asked.mistakes) for one in cell], seed),
        "ece": calibration_error(bins),
        "brier": brier(every),
        "brier_base": solved * (1 - solved) if solved is not None else None,
        "bins": bins,
        **_spent(cell, seconds),
        "reasons": _reasons(cell),
    }


def _ranked(name: str, forecasts: Sequence[Forecast], seed: int) -> Row:
    return {name: auc(forecasts), f"{name}_ci95": auc_interval(forecasts, seed)}


def _paired(name: str, cell: Sequence[tuple[Judged, Sequence[Siblings]]], seed: int) -> Row:
    sums: dict[str, tuple[float, int]] = {}
    for one, pairs in cell:
        right, n = sums.get(_cluster(one), (0.0, 0))
        sums[_cluster(one)] = (right + sum(_right(one, pair) for pair in pairs), n + len(pairs))
    clusters: list[Pair] = [(right, n) for right, n in sums.values() if n]
    total = sum(n for _, n in sums.values())
    return {
        name: total,
        f"{name}_right": ratio(clusters) if total else None,
        f"{name}_right_ci95": share(clusters, seed) if total else None,
    }


def _right(one: Judged, pair: Siblings) -> float:
    better, worse = (one.answers[pair.view, node].value for node in (pair.better, pair.worse))
    return 0.5 if better == worse else float(better > worse)


def _spent(cell: Sequence[Judged], seconds: float) -> Row:
    each = [cost(one.answers) for one in cell]
    usage = sum((spent for spent, _ in each), Usage())
    n = sum(len(one.answers) for one in cell)
    return {
        "judgements": n,
        "tokens": usage.total / n if n else None,
        "calls": sum(calls for _, calls in each) / n if n else None,
        "seconds": seconds / n if n else None,
    }


def _reasons(cell: Sequence[Judged]) -> dict[str, int]:
    said = Counter(one.answers[turn.view, turn.node].reason for one in cell for turn in one.asked.turns)
    return dict(said.most_common(REASONS))


def _won(one: Judged) -> bool:
    assert one.trace.finish is not None  # `measure` has seen to it
    return one.trace.finish.score.success


def _cluster(one: Judged) -> str:
    return one.trace.sample.digest
