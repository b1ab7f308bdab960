"""Strategies by name."""

from __future__ import annotations

import pytest

from tmbr.core.errors import ConfigError
from tmbr.reasoning.decompose import Decompose
from tmbr.reasoning.search import Beam, Multibranch
from tmbr.reasoning.strategies import STRATEGIES, strategy


def test_every_name_makes_the_strategy_of_that_name() -> None:
    assert {name: strategy(name).access for name in STRATEGIES} == {
        "io": "none",
        "cot": "none",
        "react": "none",
        "react+retry": "none",
        "best-of-n": "restart",
        "reflexion": "restart",
        "paper": "restart",
        "beam": "fork",
        "best-first": "fork",
        "mcts": "fork",
        "multibranch": "fork",
    }
    assert all(strategy(name).name == name for name in STRATEGIES)


def test_settings_are_handed_over() -> None:
    assert strategy("multibranch", branches=7) == Multibranch(branches=7)


def test_any_strategy_can_go_through_the_parts_of_a_plan() -> None:
    made = strategy("decompose+beam", subtasks=5, width=3)
    assert made == Decompose(Beam(width=3), subtasks=5)
    assert (made.name, made.access) == ("decompose+beam", "fork")
    with pytest.raises(ConfigError, match="paper divides tasks by itself"):
        strategy("decompose+paper")
    with pytest.raises(ConfigError, match="strategy beam has no setting 'sutbasks'"):
        strategy("decompose+beam", sutbasks=5)


def test_the_baseline_has_the_candidates_of_search() -> None:
    search, baseline = Multibranch(), strategy("react+retry")
    for setting in ("branches", "asks", "sampling"):
        assert getattr(search, setting) == getattr(baseline, setting)


def test_a_mistyped_name_or_setting_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'multibranch'"):
        strategy("multibranche")
    with pytest.raises(ConfigError, match="has no setting 'branch'; did you mean 'branches'"):
        strategy("multibranch", branch=2)
    with pytest.raises(ConfigError, match="has no setting 'access'"):
        strategy("react", access="oracle")
