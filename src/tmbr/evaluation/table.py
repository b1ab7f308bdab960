"""Rows of a summary as a table: for the terminal and for a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

HEADINGS = (
    *("model", "strategy", "access", "n", "success", "95% interval", "malformed", "inadmissible"),
    *("steps", "on forks", "tokens in", "tokens out", "s/episode"),
)


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


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """For a terminal, as `rich` prints it."""
    from rich import box
    from rich.table import Table

    shown = Table(title=title(rows), box=box.SIMPLE_HEAD, title_justify="left")
    for at, heading in enumerate(HEADINGS):
        shown.add_column(heading, justify="left" if at < 3 else "right", no_wrap=True)
    for row in rows:
        shown.add_row(*cells(row))
    return shown


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same as a GitHub table."""
    rule = ["---"] * 3 + ["---:"] * (len(HEADINGS) - 3)
    lines = [list(HEADINGS), rule, *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def title(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which questions the rows answer: task, data and split."""
    return "; ".join(dict.fromkeys(f"{row['task']} · {row['data']} · {row['split']}" for row in rows))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _amount(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
