from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viewer.rows import row
from tmbr.viewer import figures
from tmbr.viewer.planes import Plane, _axis, planes


def under(budget: int, success: float, name: str = "multibranch", **more: Any) -> dict[str, Any]:
    cost = {"tokens_in": 0.9 * budget, "tokens_out": 0.1 * budget, "steps": budget / 1000}
    return row(f"{name} @ {budget:,} tokens", success, of=name, **cost, **more)


def plane(*rows: dict[str, Any]) -> Plane:
    (found,) = planes(figures.groups(rows))
    return found


def test_the_budgets_of_a_strategy_are_joined_in_the_order_of_their_price() -> None:
    found = plane(under(16000, 0.6), under(4000, 0.3), under(4000, 0.2, "react"), under(64000, 0.7))
    assert [(s.letter, s.name, s.points) for s in found.series] == [
        ("A", "multibranch · tuned", 3),
        ("B", "react · tuned", 1),
    ]
    tokens = found.panels[0]
    assert [(left.y, right.y) for left, right in tokens.links] == [
        pytest.approx((70, 40)),
        pytest.approx((40, 30)),
    ]
    assert all(left.x < right.x for left, right in tokens.links)
    assert tokens.logarithmic
    first, second, third = (p.x for p in tokens.points if p.series.letter == "A")
    assert second - first == pytest.approx(third - second)  # each costs four times the one before
    assert "multibranch @ 4,000 tokens: 30.0% (24.0% to 36.0%), 4k tokens" in tokens.points[0].told


def test_the_interval_stands_around_the_point() -> None:
    for point in plane(row("react", 0.5), row("paper", 0.25)).panels[0].points:
        assert point.high == pytest.approx(point.y - 6)
        assert point.low == pytest.approx(point.y + 6)


def test_a_price_is_drawn_where_it_is_known() -> None:
    rows = [row("react", 0.5), row("paper", 0.4, seconds=2.5), row("beam", 0.4, tokens_in=None)]
    panels = {panel.axis: panel for panel in plane(*rows).panels}
    assert [len(panel.points) for panel in panels.values()] == [2, 3, 1]
    assert "seconds an episode" not in {p.axis for p in plane(*rows[::2]).panels}


def test_one_row_is_no_plot() -> None:
    assert planes(figures.groups([row("react", 0.5)])) == []


PRICE = st.just(0.0) | st.floats(1e-6, 1e9)


@given(PRICE, PRICE)
def test_every_price_is_on_its_axis(one: float, other: float) -> None:
    place, ticks, logarithmic = _axis(min(one, other), max(one, other))
    assert all(0 <= place(cost) <= 100 for cost in (one, other))
    assert all(0 <= at <= 100 for at, _ in ticks)
    assert [at for at, _ in ticks] == sorted(at for at, _ in ticks)
    assert len(ticks) <= 10
    assert logarithmic or ticks[0][0] == 0
