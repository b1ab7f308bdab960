"""docs/search.svg: success over the budget of tokens, a panel for each task and kind of errors.

python -m benchmarks.prove.plot
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.prove.search import BUDGETS, OURS, RESULT, TASKS, TRIALS

TARGET = Path(__file__).parents[2] / "docs/search.svg"
KINDS = {"": "errors drawn anew", ":per-state": "errors fixed by the state"}


def main() -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tmbr"  # the same bytes from the same numbers
    from matplotlib import pyplot

    lines = json.loads(RESULT.read_text("utf-8"))["equal_budgets"]
    figure, axes = pyplot.subplots(len(KINDS), len(TASKS), figsize=(12, 7), sharey=True)
    for row, (kind, told) in zip(axes, KINDS.items(), strict=True):
        for axis, task in zip(row, TASKS, strict=True):
            for name in TRIALS:
                means = [100 * _mean(lines, task, kind, name, budget) for budget in BUDGETS]
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
    figure.savefig(TARGET, metadata={"Date": None})
    print(TARGET)


def _mean(lines: list[dict[str, Any]], task: str, kind: str, name: str, budget: float) -> float:
    """Over the shares of errors."""
    return fmean(
        line["success"]
        for line in lines
        if (line["task"], line["strategy"], line["budget"]) == (task, name, budget)
        and line["model"].endswith(":per-state") == bool(kind)
    )


if __name__ == "__main__":
    main()
