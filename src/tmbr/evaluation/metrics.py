"""Traces → the rows of `summary.json`, and paired comparisons of two cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import Any

from tmbr.core.errors import DataError
from tmbr.core.store import Timing
from tmbr.core.trace import Finish, Node, Trace
from tmbr.evaluation.intervals import Interval, Pair, bootstrap, ratio, share, wilson

Row = dict[str, Any]
#: Columns that are a mean episode's price.
COSTS = ("steps", "steps_on_forks", "tokens_in", "tokens_out", "prefill_computed", "seconds")


def summary(traces: Iterable[Trace], timing: Mapping[str, Timing], seed: int = 0) -> list[Row]:
    """One row a cell, in the order in which the cells are met.

    n counts episodes. success and score are means over all of them, a `task error` counting as a
    failure; statuses are counts. `ci95` is of success: Wilson's interval when every sample was played
    once, a bootstrap over samples when several seeds share them; `ci95_method` says which.
    malformed and inadmissible are shares of `turns`, the sampled act turns of committed branches,
    before any repair, with intervals from a bootstrap over episodes. A share of 0 or 1 has Wilson's
    interval over clusters instead of a bootstrap's, which would have no width. steps, tokens, prefill
    and seconds are means an episode, of all branches and all models asked; prefill and seconds come
    from `timing` and are None where it knows no episode of the cell.
    """
    return [_row(cell, timing, seed) for cell in _cells(traces)]


def oracles(traces: Iterable[Trace], timing: Mapping[str, Timing], seed: int = 0) -> list[Row]:
    """What a perfect judge would have given: of each cell whose samples were all played k > 1 times, a
    row `STRATEGY pass@k` in which every sample counts with its best episode, at the price of all k."""
    rows = []
    for cell in _cells(traces):
        tries: dict[str, list[Trace]] = {}
        for trace in cell:
            tries.setdefault(trace.sample.digest, []).append(trace)
        k = min(map(len, tries.values()))
        if k < 2 or k != max(map(len, tries.values())):
            continue
        best = [max(found, key=lambda t: _finish(t).score.value) for found in tries.values()]
        row, each = _row(best, timing, seed), _row(cell, timing, seed)
        dear = {key: each[key] * k for key in COSTS if each[key] is not None}
        named = {"strategy": f"{row['strategy']} pass@{k}", "access": "oracle"}
        rows.append({**row, **dear, **named})
    return rows


def _cells(traces: Iterable[Trace]) -> Iterable[list[Trace]]:
    """Traces of equal conditions together, in the order in which they are met. Raises DataError."""
    cells: dict[tuple[object, ...], list[Trace]] = {}
    for trace in traces:
        if trace.finish is None:
            raise DataError(f"episode {trace.id} has not ended; only finished episodes can be measured")
        run = trace.run
        key = (run.task, trace.sample.split, run.data, run.model, run.adapter, run.strategy, run.access)
        cells.setdefault((*key, run.config, run.version, run.weights), []).append(trace)
    return cells.values()


def compare(a: Sequence[Trace], b: Sequence[Trace], seed: int = 0) -> Row:
    """Cell `a` against cell `b` over the same samples and seeds: success minus, errors over.

    difference: of success; ci95: bootstrap over samples. failures_gone: by how much of its own number
    `a` has fewer failures than `b`, new ones counted against it; None when `b` never fails. malformed,
    inadmissible: the share of turns in each, `ratio` of a's to b's and its interval; None when `b` has
    none, and the upper end None where some resample of `b` has none. Raises DataError when not a single
    sample and seed is in both.
    """
    left, right = _by_question(a), _by_question(b)
    shared = sorted(left.keys() & right.keys())
    if not shared:
        raise DataError("the two cells share no sample and seed: nothing to compare")
    clusters: dict[str, list[tuple[Trace, Trace]]] = {}
    for question in shared:
        clusters.setdefault(question[0], []).append((left[question], right[question]))
    sums: list[Pair] = [
        (sum(_won(x) - _won(y) for x, y in pairs), len(pairs)) for pairs in clusters.values()
    ]
    failed_a = sum(not _won(left[key]) for key in shared)
    failed_b = sum(not _won(right[key]) for key in shared)
    return {
        "a": _name(a[0]),
        "b": _name(b[0]),
        "n": len(shared),
        "difference": ratio(sums),
        "ci95": bootstrap(sums, ratio, seed),
        "failures_gone": 1 - failed_a / failed_b if failed_b else None,
        "malformed": _errors(list(clusters.values()), _malformed, seed),
        "inadmissible": _errors(list(clusters.values()), _inadmissible, seed),
    }


def _errors(
    clusters: Sequence[Sequence[tuple[Trace, Trace]]], wrong: Callable[[Node], bool], seed: int
) -> Row:
    """Shares of wrong turns in both cells, and the ratio of the first to the second."""

    def counted(traces: Iterable[Trace]) -> Pair:
        turns = [node for trace in traces for node in _turns(trace)]
        return sum(map(wrong, turns)), len(turns)

    pairs = [(counted(x for x, _ in c), counted(y for _, y in c)) for c in clusters]

    def over(drawn: Sequence[tuple[Pair, Pair]]) -> float:
        below = ratio([b for _, b in drawn])
        return ratio([a for a, _ in drawn]) / below if below else inf

    a, b = ratio([pair for pair, _ in pairs]), ratio([pair for _, pair in pairs])
    found: Row = {"a": a, "b": b, "ratio": None, "ci95": None}
    if b:
        low, high = bootstrap(pairs, over, seed)
        found |= {"ratio": a / b, "ci95": (low, high if high < inf else None)}
    return found


def _row(cell: Sequence[Trace], timing: Mapping[str, Timing], seed: int) -> Row:
    run, ends, n = cell[0].run, [_finish(trace) for trace in cell], len(cell)
    low_high, method = _success_interval(cell, seed)
    turns = [_turns(trace) for trace in cell]
    malformed: list[Pair] = [(sum(map(_malformed, nodes)), len(nodes)) for nodes in turns]
    inadmissible: list[Pair] = [(sum(map(_inadmissible, nodes)), len(nodes)) for nodes in turns]
    known = [timing[trace.id] for trace in cell if trace.id in timing]
    return {
        "task": run.task,
        "split": cell[0].sample.split,
        "data": run.data,
        "model": run.model,
        "adapter": run.adapter,
        "strategy": run.strategy,
        "access": run.access,
        "n": n,
        "success": sum(end.score.success for end in ends) / n,
        "score": sum(end.score.value for end in ends) / n,
        "ci95": low_high,
        "ci95_method": method,
        "statuses": dict(sorted(Counter(end.status for end in ends).items())),
        "turns": sum(map(len, turns)),
        "malformed": ratio(malformed),
        "malformed_ci95": share(malformed, seed),
        "inadmissible": ratio(inadmissible),
        "inadmissible_ci95": share(inadmissible, seed),
        "distinct_actions": _distinct(cell, _action),
        "distinct_outcomes": _distinct(cell, _outcome),
        "steps": sum(trace.spent.steps for trace in cell) / n,
        "steps_on_forks": sum(trace.spent.steps_on_forks for trace in cell) / n,
        "tokens_in": sum(trace.spent.usage.prompt for trace in cell) / n,
        "tokens_out": sum(trace.spent.usage.generated for trace in cell) / n,
        "prefill_computed": sum(one.prefill for one in known) / len(known) if known else None,
        "seconds": sum(one.seconds for one in known) / len(known) if known else None,
    }


def _success_interval(cell: Sequence[Trace], seed: int) -> tuple[Interval, str]:
    clusters: dict[str, list[bool]] = {}
    for trace in cell:
        clusters.setdefault(trace.sample.digest, []).append(_finish(trace).score.success)
    if len(clusters) == len(cell):
        return wilson(sum(map(sum, clusters.values())), len(cell)), "wilson"
    return share([(sum(won), len(won)) for won in clusters.values()], seed), "bootstrap over samples"


def _turns(trace: Trace) -> list[Node]:
    """Sampled act nodes of the committed branch."""
    if not trace.nodes:
        return []
    branch = (trace.nodes[index] for index in trace.branch(_finish(trace).leaf))
    return [node for node in branch if node.kind == "act" and node.sampled]


def _distinct(cell: Sequence[Trace], told: Callable[[Node], str | None]) -> float | None:
    """Of the answers to questions that had several, which part differs in what is told of them. Those
    of which nothing is told are left out; None where no question had several."""
    different = answers = 0
    for trace in cell:
        said: dict[int | None, list[str]] = {}
        for node in trace.nodes:
            if node.kind == "act" and node.sampled and (what := told(node)) is not None:
                said.setdefault(node.parent, []).append(what)
        several = [found for found in said.values() if len(found) > 1]
        different += sum(len({*found}) for found in several)
        answers += sum(map(len, several))
    return different / answers if answers else None


def _action(node: Node) -> str | None:
    return node.action.key if node.action else None


def _outcome(node: Node) -> str | None:
    return node.step.observation if node.step else None


def _malformed(node: Node) -> bool:
    return node.action is None


def _inadmissible(node: Node) -> bool:
    return node.action is not None and node.step is not None and node.step.admissible is False


def _by_question(cell: Sequence[Trace]) -> dict[tuple[str, int], Trace]:
    return {(trace.sample.digest, trace.run.seed): trace for trace in cell}


def _won(trace: Trace) -> bool:
    return _finish(trace).score.success


def _name(trace: Trace) -> str:
    return f"{trace.run.model} · {trace.run.strategy}"


def _finish(trace: Trace) -> Finish:
    assert trace.finish is not None  # `summary` has seen to it
    return trace.finish
