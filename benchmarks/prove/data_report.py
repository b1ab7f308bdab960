"""Tables and plot of the data ablation: docs/data_ablation.md (between its marks) and its figure.

python -m benchmarks.prove.data_report
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.pages import fill, markdown, plotter
from benchmarks.rows import RESULTS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "data_ablation.md"
FIGURE = DOCS / "data_ablation.svg"
MARK = "tables: made by benchmarks/prove/data_report.py"
HEAD = (
    *("rows", "trained tokens", "success", "success, sampled", "malformed, sampled"),
    *("inadmissible, sampled", "loss code", "loss docs", "loss dialogue"),
)


def main() -> None:
    report(json.loads((RESULTS / "data.json").read_text("utf-8")))


def report(found: dict[str, Any]) -> None:
    """Write the tables into the page, and the figure."""
    fill(PAGE, MARK, tables(found))
    draw(found)


def tables(found: dict[str, Any]) -> str:
    """A table for each group of arms, the base in the first line of each."""
    said = [
        f"`{found['command']}`, {found['machine']}, {found['date']}, {found['minutes']:g} minutes.",
    ]
    (base,) = (line for line in found["arms"] if line["group"] == "base")
    for group in dict.fromkeys(line["group"] for line in found["arms"] if line["group"] != "base"):
        arms = dict.fromkeys(line["arm"] for line in found["arms"] if line["group"] == group)
        rows = [_line("base", [base]), *(_line(arm, _of(found, group, arm)) for arm in arms)]
        said += ["", markdown([group, *HEAD], rows)]
    return "\n".join(said)


def _of(found: dict[str, Any], group: str, arm: str) -> list[dict[str, Any]]:
    return [line for line in found["arms"] if (line["group"], line["arm"]) == (group, arm)]


def _line(name: str, seeds: list[dict[str, Any]]) -> list[str]:
    """Means over the seeds."""

    def mean(*keys: str) -> float:
        return fmean(_at(line, keys) for line in seeds)

    size = [f"{round(mean(key)):,}" if key in seeds[0] else "–" for key in ("rows", "trained_tokens")]
    percent = [
        f"{100 * mean(*keys):.1f}%"
        for keys in (
            ("greedy", "success"),
            ("sampled", "success"),
            ("sampled", "malformed"),
            ("sampled", "inadmissible"),
        )
    ]
    losses = [f"{mean('general_loss', kind):.2f}" for kind in ("code", "docs", "dialogue")]
    return [name, *size, *percent, *losses]


def _at(line: dict[str, Any], keys: tuple[str, ...]) -> float:
    found: Any = line
    for key in keys:
        found = found[key]
    return float(found or 0.0)


def draw(found: dict[str, Any]) -> None:
    """Success and forgetting over λ, and success over the number of episodes."""
    pyplot = plotter()
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(13, 4))
    for axis, group, label in ((left, "lambda", "λ"), (right, "episodes", "episodes")):
        arms = list(dict.fromkeys(line["arm"] for line in found["arms"] if line["group"] == group))
        for name in ("greedy", "sampled"):
            means = [
                100 * fmean(_at(s, (name, "success")) for s in _of(found, group, arm)) for arm in arms
            ]
            axis.plot([float(arm) for arm in arms], means, "o-", label=name, markersize=3)
        axis.set_xlabel(label)
        axis.set_ylabel("success, %")
        axis.set_ylim(0, 100)
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    sizes = [float(line["arm"]) for line in found["arms"] if line["group"] == "episodes"]
    right.set_xscale("log")
    right.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    right.minorticks_off()
    arms = list(dict.fromkeys(line["arm"] for line in found["arms"] if line["group"] == "lambda"))
    for kind in ("code", "docs", "dialogue"):
        means = [
            fmean(_at(s, ("general_loss", kind)) for s in _of(found, "lambda", arm)) for arm in arms
        ]
        middle.plot([float(arm) for arm in arms], means, "o-", label=kind, markersize=3)
    middle.set_xlabel("λ")
    middle.set_ylabel("loss on held-out general text, nats a token")
    middle.legend(fontsize=8)
    middle.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(FIGURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
