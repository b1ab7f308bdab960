"""Tables of the docs that are made from results: Markdown, between marks in a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

END = "<!-- end of tables -->"


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
