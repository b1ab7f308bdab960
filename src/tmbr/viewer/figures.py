"""From rows of `summary.json` to lengths on the page, in percent of a figure's width.

Percentages instead of a scaled drawing: lines grow with the page and letters do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any, Literal, get_args

from tmbr.core.errors import DataError
from tmbr.core.types import Status

STATUSES: tuple[str, ...] = get_args(Status)
#: What a row must have for the page to be drawn; other columns may be null.
REQUIRED = (
    *("task", "split", "data", "model", "strategy", "access", "n", "success", "ci95", "statuses"),
    *("score", "malformed", "inadmissible", "steps", "steps_on_forks"),
    *("tokens_in", "tokens_out", "prefill_computed", "seconds"),
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar, in percent; `at` is its middle."""

    name: str
    tone: int
    count: int
    start: float
    width: float

    @property
    def at(self) -> float:
        return self.start + self.width / 2


@dataclass(frozen=True, slots=True)
class Cell:
    """One row, ready to be drawn. tokens: of one episode, prompt and generated; None if not known.

    asked and computed are widths in percent of the dearest cell's tokens; where the prefill is not
    known, all that was asked may have been computed.
    """

    row: Row
    parts: list[Part]
    tokens: float | None
    asked: float
    computed: float
    best: bool

    @property
    def name(self) -> str:
        return f"{self.row['model']} · {self.row['strategy']}"


@dataclass(frozen=True, slots=True)
class Group:
    """Cells that answer the same question: one task, split and data."""

    name: str
    cells: list[Cell]

    @property
    def leader(self) -> Cell | None:
        """The first of the best; None where nothing was solved."""
        return next((cell for cell in self.cells if cell.best), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired comparison on an axis from -reach to +reach percentage points."""

    comparison: Mapping[str, Any]
    low: float
    at: float
    high: float

    @property
    def certain(self) -> Literal["gain", "loss", None]:
        """On which side of zero the whole interval lies; None where zero is inside."""
        low, high = self.comparison["ci95"]
        return "gain" if low > 0 else "loss" if high < 0 else None


def groups(rows: Sequence[Row]) -> list[Group]:
    """Cells by task, split and data, in the order of the summary. Raises DataError on a bad row."""
    for at, row in enumerate(rows, 1):
        if missing := [key for key in REQUIRED if key not in row]:
            raise DataError(
                f"summary row {at} has no {missing[0]!r}: write the summary anew with `tmbr eval`"
            )
    dearest = max((_tokens(row) or 0 for row in rows), default=0) or 1
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(f"{row['task']} · {row['data']} · {row['split']}", []).append(row)
    return [Group(name, _cells(members, dearest)) for name, members in found.items()]


def _cells(rows: Sequence[Row], dearest: float) -> list[Cell]:
    """An oracle knows the score: it is drawn, but it is never the best."""
    fair = [row["success"] for row in rows if row["access"] != "oracle"]
    top = max(fair, default=0)
    return [
        _cell(row, dearest, best=top > 0 and row["success"] == top and row["access"] != "oracle")
        for row in rows
    ]


def _cell(row: Row, dearest: float, best: bool) -> Cell:
    tokens, prefill = _tokens(row), row["prefill_computed"]
    asked = tokens or 0
    computed = asked if prefill is None else min(asked, prefill + (row["tokens_out"] or 0))
    widths = (100 * asked / dearest, 100 * computed / dearest)
    return Cell(row, _parts(row["statuses"]), tokens, *widths, best)


def _tokens(row: Row) -> float | None:
    if row["tokens_in"] is None or row["tokens_out"] is None:
        return None
    return float(row["tokens_in"] + row["tokens_out"])


def _parts(statuses: Mapping[str, int]) -> list[Part]:
    """Statuses in AgentBench's order, as parts of the whole."""
    total = sum(statuses.values()) or 1
    ordered = [name for name in STATUSES if statuses.get(name)]
    ends = [0.0]
    for name in ordered:
        ends.append(ends[-1] + 100 * statuses[name] / total)
    return [
        Part(name, STATUSES.index(name), statuses[name], start, end - start)
        for name, (start, end) in zip(ordered, pairwise(ends), strict=True)
    ]


def differences(comparisons: Sequence[Mapping[str, Any]]) -> tuple[list[Difference], list[str]]:
    """Comparisons on one symmetric axis, and the five ticks of that axis in points."""
    widest = max((abs(end) for c in comparisons for end in (*c["ci95"], c["difference"])), default=0)
    reach = 10 * max(1, ceil(10 * widest))

    def place(share: float) -> float:
        return 50 + 50 * (100 * share) / reach

    drawn = [
        Difference(c, *map(place, (c["ci95"][0], c["difference"], c["ci95"][1]))) for c in comparisons
    ]
    ticks = [f"{sign}{size}" for sign, size in (("−", reach), ("−", reach // 2), ("", 0))]
    return drawn, [*ticks, f"+{reach // 2}", f"+{reach}"]
