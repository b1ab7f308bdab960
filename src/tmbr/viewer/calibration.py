"""The calibration of judges as one SVG file: a panel a row, those of one cell in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import Any

from tmbr.viewer.templates import template

Row = Mapping[str, Any]

#: Pixels: the square of a panel, and the room around it, above for two lines and below for the axis.
SIDE, GAP, HEAD, FOOT, TITLE = 150, 44, 38, 30, 26
#: Area of the largest dot is that of all turns in one bin.
RADIUS = 9.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A bin, in pixels from a panel's upper left corner; low and high are the ends of its interval."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    bin: Row


@dataclass(frozen=True, slots=True)
class Panel:
    """A judge on a cell. x, y: its upper left corner."""

    row: Row
    x: int
    y: int
    dots: list[Dot]


@dataclass(frozen=True, slots=True)
class Line:
    """All judges of a cell. y: of its title."""

    title: str
    y: int
    panels: list[Panel]


def calibration(rows: Sequence[Row]) -> str:
    """An SVG document. rows: as in `judges.json` (see `tmbr.evaluation.judges.measure`)."""
    lines = _lines(rows)
    widest = max(len(line.panels) for line in lines)
    return template("calibration.svg.jinja").render(
        lines=lines,
        side=SIDE,
        ticks=[(0, 0), (SIDE // 2, 50), (SIDE, 100)],
        width=GAP + widest * (SIDE + GAP),
        height=len(lines) * (TITLE + HEAD + SIDE + FOOT) + GAP // 2,
    )


def _lines(rows: Sequence[Row]) -> list[Line]:
    """Rows of one cell stand together, in the order of the cells."""
    order = {cell: at for at, cell in reversed([*enumerate(map(_cell, rows))])}
    lines = []
    for at, (cell, members) in enumerate(
        groupby(sorted(rows, key=lambda row: order[_cell(row)]), key=_cell)
    ):
        y = at * (TITLE + HEAD + SIDE + FOOT) + TITLE
        panels = [
            Panel(row, GAP + column * (SIDE + GAP), y + HEAD, _dots(row))
            for column, row in enumerate(members)
        ]
        lines.append(Line(" · ".join(cell), y, panels))
    return lines


def _cell(row: Row) -> tuple[str, ...]:
    return tuple(row[key] for key in ("task", "data", "split", "model", "strategy"))


def _dots(row: Row) -> list[Dot]:
    return [
        Dot(
            x=round(SIDE * found["value"], 1),
            y=_height(found["share"]),
            low=_height(found["ci95"][0]),
            high=_height(found["ci95"][1]),
            radius=round(max(1.5, RADIUS * sqrt(found["n"] / row["turns"])), 1),
            bin=found,
        )
        for found in row["bins"]
    ]


def _height(share: float) -> float:
    return round(SIDE * (1 - share), 1)
