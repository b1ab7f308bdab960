"""Ranking and calibration against their definitions, and intervals against repetition."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from math import erf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.evaluation.forecasts import (
    Forecast,
    auc,
    auc_interval,
    brier,
    calibration_error,
    reliability,
)

#: Few values, so that ties are common.
VALUES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0]) | st.floats(0, 1)
FORECASTS = st.lists(st.builds(Forecast, VALUES, st.booleans(), st.sampled_from("abcde")), max_size=40)


def of(*told: tuple[float, bool]) -> list[Forecast]:
    """Each of a cluster of its own."""
    return [Forecast(value, came, str(at)) for at, (value, came) in enumerate(told)]


@given(FORECASTS)
def test_the_area_is_the_share_of_pairs_ranked_right(forecasts: list[Forecast]) -> None:
    came = [f.value for f in forecasts if f.came]
    not_ = [f.value for f in forecasts if not f.came]
    right = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(came, not_)]
    found = auc(forecasts)
    if right:
        assert found == pytest.approx(sum(right) / len(right), abs=1e-12)
    else:
        assert found is None


@given(FORECASTS)
def test_reliability_keeps_every_forecast_once(forecasts: list[Forecast]) -> None:
    kept = forecasts[:8]
    bins = reliability(kept, seed=0)
    assert sum(found["n"] for found in bins) == len(kept)
    for found in bins:
        assert found["low"] - 1e-9 <= found["value"] <= found["high"] + 1e-9
        assert found["ci95"][0] <= found["share"] + 1e-9
        assert found["share"] <= found["ci95"][1] + 1e-9
    if kept:
        error = calibration_error(bins)
        assert error is not None
        assert 0 <= error <= 1


def test_calibration_and_brier_by_hand() -> None:
    forecasts = of((0.2, False), (0.2, True), (0.9, True), (0.9, True), (1.0, False))
    bins = reliability(forecasts, seed=0)
    assert [(b["low"], b["n"]) for b in bins] == [(0.2, 2), (0.9, 3)]
    assert bins[1]["value"] == pytest.approx(2.8 / 3)
    assert bins[1]["share"] == pytest.approx(2 / 3)
    # 2 of 5 are 0.3 too low, 3 of 5 are 0.8 / 3 too high.
    assert calibration_error(bins) == pytest.approx((2 * 0.3 + 3 * 0.8 / 3) / 5)
    assert brier(forecasts) == pytest.approx((0.04 + 0.64 + 0.01 + 0.01 + 1) / 5)
    assert (brier([]), calibration_error([])) == (None, None)


def test_who_knows_is_perfect_and_who_says_one_half_is_not_wrong_either() -> None:
    outcomes = [True, False, True, True]
    knows = of(*((float(came), came) for came in outcomes))
    assert (auc(knows), brier(knows), calibration_error(reliability(knows, 0))) == (1.0, 0.0, 0.0)
    half = of(*((0.5, came) for came in outcomes))
    assert (auc(half), brier(half)) == (0.5, 0.25)
    assert calibration_error(reliability(half, 0)) == 0.25


def test_a_perfect_area_of_few_is_not_certain() -> None:
    knows = of(*((1.0, True) for _ in range(30)), *((0.0, False) for _ in range(3)))
    assert auc_interval(knows, 0) == pytest.approx((0.4385, 1.0), abs=1e-3)
    wrong = [replace(f, value=1 - f.value) for f in knows]
    assert auc_interval(wrong, 0) == pytest.approx((0.0, 0.5615), abs=1e-3)
    assert auc_interval(of((0.4, True)), 0) is None


def test_saying_the_same_again_in_a_cluster_adds_no_certainty() -> None:
    rng = random.Random(5)
    once = of(*((round(rng.random(), 1), rng.random() < 0.5) for _ in range(40)))
    again = [forecast for forecast in once for _ in range(7)]
    assert auc_interval(again, 3) == auc_interval(once, 3)
    apart = [replace(f, cluster=f"{f.cluster}-{at}") for at, f in enumerate(again)]
    assert width(apart) < 0.6 * width(again)


def width(forecasts: list[Forecast]) -> float:
    found = auc_interval(forecasts, 3)
    assert found is not None
    return found[1] - found[0]


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Clusters share their outcome and half of the noise of their values, as turns of a sample do."""
    truth = 0.5 * (1 + erf(1 / 2))  # normal values, one apart, of deviation 1
    held = 0
    for trial in range(25):
        rng = random.Random(trial)
        forecasts = []
        for cluster in range(24):
            came, shared = cluster % 2 == 0, rng.gauss(0, 0.5**0.5)
            forecasts += [
                Forecast(came + shared + rng.gauss(0, 0.5**0.5), came, str(cluster)) for _ in range(3)
            ]
        found = auc_interval(forecasts, trial)
        assert found is not None
        held += found[0] <= truth <= found[1]
    assert held >= 21
