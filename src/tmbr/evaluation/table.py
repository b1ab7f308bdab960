"""Rows of a summary, or of judges, as a table: for the terminal and for a README."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.table import Table

HEADINGS = (
    *("model", "strategy", "access", "n", "success", "95% interval", "malformed", "inadmissible"),
    *("steps", "on forks", "tokens in", "tokens out", "s/episode"),
)
#: What remains on a terminal that is narrower than `WIDE`.
ESSENTIAL = ("model", "strategy", "n", "success", "95% interval", "malformed", "inadmissible")
WIDE = 150
#: The same of judges.
JUDGES = (
    *("model", "strategy", "judge", "n", "success", "AUC", "95% interval", "early", "late"),
    *("kept right", "mistakes right", "ECE", "Brier", "tokens", "calls", "ms", "most often"),
)
JUDGES_ESSENTIAL = ("strategy", "judge", "n", "AUC", "95% interval", "kept right", "ECE", "tokens")


def cells(row: Mapping[str, Any]) -> list[str]:
    """One text a heading; shares in percent, amounts a mean episode."""
    low, high = row["ci95"]
    return [
        row["model"],
        row["strategy"],
        row["access"],
        str(row["n"]),
        _percent(row["success"]),
        f"{_percent(low)} – {_percent(high)}",
        _percent(row["malformed"]),
        _percent(row["inadmissible"]),
        *(_amount(row[key]) for key in ("steps", "steps_on_forks", "tokens_in", "tokens_out")),
        _amount(row["seconds"]),
    ]


def judge_cells(row: Mapping[str, Any]) -> list[str]:
    """One text a heading of a row of `judges.json`; costs are a judgement's."""
    low, high = row["auc_ci95"] or (None, None)
    said, times = next(iter(row["reasons"].items()), ("", 0))
    return [
        row["model"],
        row["strategy"],
        row["judge"],
        str(row["n"]),
        _percent(row["success"]),
        _fraction(row["auc"]),
        f"{_fraction(low)} – {_fraction(high)}" if row["auc"] is not None else "–",
        _fraction(row["auc_early"]),
        _fraction(row["auc_late"]),
        _right(row, "kept"),
        _right(row, "mistakes"),
        _fraction(row["ece"]),
        _fraction(row["brier"]),
        _amount(row["tokens"]),
        _amount(row["calls"]),
        _amount(1000 * row["seconds"] if row["seconds"] is not None else None),
        f"{said} ({100 * times / row['turns']:.0f}%)" if said else "–",
    ]


def table(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """For a terminal of `width` columns, as `rich` prints it; a narrow one gets the essential part."""
    return _table(rows, HEADINGS, HEADINGS if width >= WIDE else ESSENTIAL, cells)


def judges_table(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Rows of `judges.json`, as `table` does those of a summary."""
    return _table(rows, JUDGES, JUDGES if width >= WIDE else JUDGES_ESSENTIAL, judge_cells)


def _table(
    rows: Sequence[Mapping[str, Any]],
    headings: Sequence[str],
    shown: Sequence[str],
    texts: Callable[[Mapping[str, Any]], list[str]],
) -> Table:
    from rich import box
    from rich.table import Table

    made = Table(
        title=title(rows), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1)
    )
    for heading in shown:
        side: Literal["left", "right"] = "left" if heading in headings[:3] else "right"
        made.add_column(heading, justify=side, overflow="fold")
    for row in rows:
        told = dict(zip(headings, texts(row), strict=True))
        made.add_row(*(told[heading] for heading in shown))
    return made


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same as a GitHub table."""
    return _markdown(rows, HEADINGS, cells)


def judges_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of `judges.json` as a GitHub table."""
    return _markdown(rows, JUDGES, judge_cells)


def _markdown(
    rows: Sequence[Mapping[str, Any]],
    headings: Sequence[str],
    texts: Callable[[Mapping[str, Any]], list[str]],
) -> str:
    rule = ["---"] * 3 + ["---:"] * (len(headings) - 3)
    lines = [list(headings), rule, *map(texts, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comparison(found: Mapping[str, Any]) -> str:
    """One paired comparison (see `tmbr.evaluation.metrics.compare`) as a line."""
    low, high = found["ci95"]
    line = (
        f"{found['a']} against {found['b']}: success {_points(found['difference'])} points"
        f" ({_points(low)} to {_points(high)})"
    )
    if found["failures_gone"] is not None and found["failures_gone"] > 0:
        line += f", {_percent(found['failures_gone'])} of the failures gone"
    for kind in ("malformed", "inadmissible"):
        errors = found[kind]
        if errors["ratio"] is not None:
            low, high = errors["ci95"]
            upper = "any" if high is None else f"{high:.2f}"
            line += f"; {kind} turns × {errors['ratio']:.2f} ({low:.2f} to {upper})"
    return line


def title(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which questions the rows answer: task, data and split."""
    return "; ".join(dict.fromkeys(f"{row['task']} · {row['data']} · {row['split']}" for row in rows))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _right(row: Mapping[str, Any], name: str) -> str:
    """`75% of 120`: the share of pairs ranked right."""
    share = row[f"{name}_right"]
    return "–" if share is None else f"{100 * share:.0f}% of {row[name]}"


def _fraction(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _amount(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
