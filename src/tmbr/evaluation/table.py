"""Rows of a summary as a table: for the terminal and for a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def table(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """For a terminal of `width` columns, as `rich` prints it; a narrow one gets the essential part."""
    from rich import box
    from rich.table import Table

    shown = HEADINGS if width >= WIDE else ESSENTIAL
    made = Table(
        title=title(rows), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1)
    )
    for heading in shown:
        side: Literal["left", "right"] = "left" if heading in HEADINGS[:3] else "right"
        made.add_column(heading, justify=side, overflow="fold")
    for row in rows:
        texts = dict(zip(HEADINGS, cells(row), strict=True))
        made.add_row(*(texts[heading] for heading in shown))
    return made


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same as a GitHub table."""
    rule = ["---"] * 3 + ["---:"] * (len(HEADINGS) - 3)
    lines = [list(HEADINGS), rule, *map(cells, rows)]
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


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _amount(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
