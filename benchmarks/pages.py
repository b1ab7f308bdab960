"""What the docs hold of results: Markdown tables, between marks in a page, and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

END = "<!-- end of tables -->"


def plotter() -> Any:
    """matplotlib's pyplot, which writes the same bytes from the same numbers."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tmbr"
    from matplotlib import pyplot

    return pyplot


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fill(page: Path, mark: str, content: str) -> None:
    """Put the content between the mark, `<!-- MARK -->`, and the next end of tables.

    Raises ValueError where the page has no such place.
    """
    before, begin, rest = page.read_text("utf-8").partition(f"<!-- {mark} -->")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page}: no place `<!-- {mark} -->` … `{END}`")
    page.write_text(f"{before}{begin}\n{content}\n{end}{after}", encoding="utf-8")
