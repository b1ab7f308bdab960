"""Tables and plot of the proof of search: docs/search.md (between its marks) and its figure.

python -m benchmarks.prove.search_report
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.pages import fill, markdown, plotter
from benchmarks.prove.search import ABLATIONS, BUDGETS, OURS, RESULT, TASKS, TRIALS
from benchmarks.prove.tuned import RESULT as TUNED

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "search.md"
FIGURE = DOCS / "search.svg"
KINDS = {"": "errors drawn anew", ":per-state": "errors fixed by the state"}


def main() -> None:
    found = json.loads(RESULT.read_text("utf-8"))
    tuned = json.loads(TUNED.read_text("utf-8"))
    maker = "benchmarks/prove/search_report.py"
    fill(PAGE, f"equal budgets: made by {maker}", "\n\n".join(equal_budgets(found["equal_budgets"])))
    fill(PAGE, f"ablations: made by {maker}", ablations(found["ablations"]))
    fill(PAGE, f"the tuned model: made by {maker}", by_budget(tuned["budgets"]))
    fill(PAGE, f"its parts: made by {maker}", parts(tuned["parts"]["rows"]))
    draw(found["equal_budgets"])


def equal_budgets(cells: list[dict[str, Any]]) -> Iterator[str]:
    """A table for each kind of errors and task."""
    for kind, told in KINDS.items():
        for task in TASKS:
            head = [f"{task}, {told}", *(f"{budget:g} ×" for budget in BUDGETS)]
            rows = ([name, *_percents(_means(cells, task, kind, name))] for name in TRIALS)
            yield markdown(head, rows)


def ablations(cells: list[dict[str, Any]]) -> str:
    """Success with errors drawn anew / fixed by the state."""

    def told(name: str, task: str) -> str:
        both = (
            100 * cell["success"]
            for kind in KINDS
            for cell in cells
            if (cell["without"], cell["task"]) == (name, task)
            and cell["model"].endswith(":per-state") == bool(kind)
        )
        return " / ".join(f"{value:.0f}" for value in both)

    return markdown(
        ["without", *TASKS], ([name, *(told(name, t) for t in TASKS)] for name in ABLATIONS)
    )


def by_budget(found: list[dict[str, Any]]) -> str:
    """Success of every strategy, a line a budget."""
    names = [row["strategy"] for row in found[0]["rows"]]
    return markdown(
        ["tokens", *names],
        ([f"{one['tokens']:,}", *_percents(row["success"] for row in one["rows"])] for one in found),
    )


def parts(rows: list[dict[str, Any]]) -> str:
    """Success and costs of an episode, a line a variant."""
    head = ["variant", "success, %", "95% interval", "inadmissible, %", "tokens", "seconds"]
    told = (
        [
            row["strategy"],
            f"{100 * row['success']:.0f}",
            " – ".join(f"{100 * end:.0f}" for end in row["ci95"]),
            f"{100 * row['inadmissible']:.1f}",
            f"{row['tokens_in'] + row['tokens_out']:,.0f}",
            f"{row['seconds']:.0f}",
        ]
        for row in rows
    )
    return markdown(head, told)


def draw(cells: list[dict[str, Any]]) -> None:
    """Success over the budget of tokens, a panel for each task and kind of errors."""
    pyplot = plotter()
    figure, axes = pyplot.subplots(len(KINDS), len(TASKS), figsize=(12, 7), sharey=True)
    for row, (kind, told) in zip(axes, KINDS.items(), strict=True):
        for axis, task in zip(row, TASKS, strict=True):
            for name in TRIALS:
                means = [100 * mean for mean in _means(cells, task, kind, name)]
                width, order = (2.6, 3) if name == OURS else (1.1, 2)
                axis.plot(BUDGETS, means, "o-", label=name, linewidth=width, zorder=order, markersize=3)
            axis.set_xscale("log")
            axis.set_xticks(BUDGETS, [f"{budget:g}×" for budget in BUDGETS], minor=False)
            axis.minorticks_off()
            axis.set_title(f"{task}, {told}", fontsize=10)
            axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("success, %")
    axes[1][0].set_ylabel("success, %")
    axes[1][1].set_xlabel("tokens of an episode, as multiples of what the expert needs")
    axes[1][2].legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    figure.savefig(FIGURE, metadata={"Date": None})


def _means(cells: list[dict[str, Any]], task: str, kind: str, name: str) -> list[float]:
    """Success at each budget, over the shares of errors."""
    return [
        fmean(
            cell["success"]
            for cell in cells
            if (cell["task"], cell["strategy"], cell["budget"]) == (task, name, budget)
            and cell["model"].endswith(":per-state") == bool(kind)
        )
        for budget in BUDGETS
    ]


def _percents(shares: Iterable[float]) -> list[str]:
    return [f"{100 * share:.0f}" for share in shares]


if __name__ == "__main__":
    main()
