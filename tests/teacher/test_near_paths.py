"""Sketches estimate what two paths share, and bands bring together what is alike."""

from __future__ import annotations

import pytest

from tests.support import grown
from tmbr.core.types import Finish, Score, Trace
from tmbr.teacher.near_paths import bands, jaccard, sketch


def _path(*actions: str) -> Trace:
    made = grown.Grown(grown.sample(), grown.run("react"))
    at = made.start
    for action in actions:
        at = made.act(at, action, "A shelf.", "I see.")
    made.trace.finish = Finish(at, Score(1.0, True), "completed")
    return made.trace


def test_the_estimate_is_near_the_truth() -> None:
    one = _path(*(f"go to shelf {n}" for n in range(30)))
    other = _path(*(f"go to shelf {n}" for n in range(10, 40)))
    shared, all_ = 20 + 19 + 1, 40 + 39 + 1  # actions, pairs of them, the instruction
    assert jaccard(sketch(one), sketch(other)) == pytest.approx(shared / all_, abs=0.12)
    assert jaccard(sketch(one), sketch(one)) == 1.0


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
def test_what_is_alike_shares_a_band_and_what_is_not_shares_none(threshold: float) -> None:
    long = [f"go to shelf {n}" for n in range(60)]
    one, near = sketch(_path(*long)), sketch(_path(*long[:-1]))
    far = sketch(_path(*(f"open drawer {n}" for n in range(60))))
    assert set(bands(one, threshold)) & set(bands(near, threshold))
    assert not set(bands(one, threshold)) & set(bands(far, threshold))
