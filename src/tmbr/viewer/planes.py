"""Success against what it cost, a panel a price: where it stands on the plane, in percent of each side.

A series is a strategy of a model; under several budgets it has several points, and a line joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10
from string import ascii_uppercase
from typing import Any

from tmbr.viewer.figures import Cell, Group
from tmbr.viewer.text import compact, percent

#: Prices that are further apart than this stand on a logarithmic axis.
WIDE = 8
#: Colours; beyond them they come again, and the letters tell.
TONES = 8
#: On a logarithmic axis, at most.
TICKS = 7

Price = Callable[[Cell], float | None]


def _steps(cell: Cell) -> float | None:
    return float(cell.row["steps"] + cell.row["steps_on_forks"])


#: Panels by their axis, and what of a row stands on it.
PRICES: Mapping[str, Price] = {
    "tokens an episode": lambda cell: cell.tokens,
    "world steps an episode": _steps,
    "seconds an episode": lambda cell: cell.row["seconds"],
}


@dataclass(frozen=True, slots=True)
class Series:
    """letter: in its points. points: how many rows it has."""

    letter: str
    tone: int
    name: str
    points: int


@dataclass(frozen=True, slots=True)
class Point:
    """A row. y, low, high: from the top."""

    series: Series
    x: float
    y: float
    low: float
    high: float
    told: str


@dataclass(frozen=True, slots=True)
class Panel:
    """links: pairs of points of one series, next to one another. ticks: (place, text)."""

    axis: str
    points: list[Point]
    links: list[tuple[Point, Point]]
    ticks: list[tuple[float, str]]
    logarithmic: bool


@dataclass(frozen=True, slots=True)
class Plane:
    name: str
    series: list[Series]
    panels: list[Panel]


def planes(groups: Sequence[Group]) -> list[Plane]:
    """One for each group of at least two rows; a price that no row tells has no panel."""
    return [_plane(group) for group in groups if len(group.cells) > 1]


def strategy_of(row: Mapping[str, Any]) -> str:
    """The strategy without its budget, where the row stands for one of several."""
    name: str = row.get("of", row["strategy"])
    return name


def _plane(group: Group) -> Plane:
    members: dict[str, list[Cell]] = {}
    for cell in group.cells:
        members.setdefault(f"{strategy_of(cell.row)} · {cell.row['model']}", []).append(cell)
    series = {
        name: Series(_letter(at), at % TONES, name, len(cells))
        for at, (name, cells) in enumerate(members.items())
    }
    panels = []
    for axis, price in PRICES.items():
        priced = {
            name: sorted(found, key=lambda pair: pair[0])
            for name, cells in members.items()
            if (found := [(cost, cell) for cell in cells if (cost := price(cell)) is not None])
        }
        if priced:
            panels.append(_panel(axis, priced, series))
    return Plane(group.name, [*series.values()], panels)


def _panel(
    axis: str, priced: Mapping[str, list[tuple[float, Cell]]], series: Mapping[str, Series]
) -> Panel:
    costs = [cost for found in priced.values() for cost, _ in found]
    place, ticks, logarithmic = _axis(min(costs), max(costs))
    lines = [
        [_point(series[name], cell, place(cost), cost, axis) for cost, cell in found]
        for name, found in priced.items()
    ]
    points = [point for line in lines for point in line]
    return Panel(axis, points, [pair for line in lines for pair in pairwise(line)], ticks, logarithmic)


def _point(series: Series, cell: Cell, x: float, cost: float, axis: str) -> Point:
    success, (low, high) = cell.row["success"], cell.row["ci95"]
    interval = f"{percent(low)} to {percent(high)}"
    told = f"{cell.name}: {percent(success)} ({interval}), {_told(cost)} {axis}"
    return Point(series, x, 100 * (1 - success), 100 * (1 - low), 100 * (1 - high), told)


def _axis(least: float, most: float) -> tuple[Callable[[float], float], list[tuple[float, str]], bool]:
    """A cost's place, with a margin at either end; round numbers as ticks; and whether it is
    logarithmic, as where costs are far apart."""
    if least > 0 and most / least > WIDE:
        low, high = log10(least), log10(most)
        margin = 0.06 * (high - low)
        low, high = low - margin, high + margin

        def place(cost: float) -> float:
            return 100 * (log10(cost) - low) / (high - low)

        steps = (1, 2, 5) if high - low < 2.2 else (1,)
        exponents = range(floor(low), floor(high) + 1)
        marks = [m * 10.0**e for e in exponents for m in steps if low <= log10(m * 10.0**e) <= high]
        few = marks[:: -(-len(marks) // TICKS)]
        return place, [(place(mark), _told(mark)) for mark in few], True
    end = 1.06 * most or 1.0
    step = _round(end / 4)
    marks = [step * at for at in range(int(end / step) + 1)]
    return (lambda cost: 100 * cost / end), [(100 * m / end, _told(m)) for m in marks], False


def _told(cost: float) -> str:
    return f"{cost:.2g}" if 0 < cost < 1 else compact(cost)


def _round(step: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below it."""
    power = 10.0 ** floor(log10(step))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step)


def _letter(at: int) -> str:
    """A to Z, then A2 and so on."""
    again, place = divmod(at, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(again + 1) if again else "")
