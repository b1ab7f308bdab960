"""Strategies by name, with what each may see and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tmbr.core.errors import ConfigError, nearest
from tmbr.core.protocols import Strategy
from tmbr.reasoning.paper import Paper
from tmbr.reasoning.paths import React, ReactRetry
from tmbr.reasoning.search import Multibranch


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `tmbr strategies`. cost: model answers a step and what the world is charged."""

    make: type[React] | type[ReactRetry] | type[Paper] | type[Multibranch]
    summary: str
    cost: str


STRATEGIES: dict[str, Entry] = {
    "react": Entry(React, "one path, thought and action", "1 answer, 1 world step"),
    "react+retry": Entry(
        ReactRetry, "candidates, filter and judge, but no fork", "`branches` answers, 1 world step"
    ),
    "paper": Entry(
        Paper, "branches judged before acting, restart", "`num_branch` answers, 1 world step, × paths"
    ),
    "multibranch": Entry(
        Multibranch,
        "candidates looked at on forks, back to any state",
        "`branches` answers and world steps",
    ),
}


def strategy(name: str, **settings: Any) -> Strategy:
    """The strategy of a name. Raises ConfigError for an unknown name or setting."""
    if name not in STRATEGIES:
        raise ConfigError(f"no strategy {name!r}; {nearest(name, STRATEGIES)}")
    make = STRATEGIES[name].make
    known = [field for field in make.__dataclass_fields__ if field not in ("name", "access")]
    for setting in settings:
        if setting not in known:
            raise ConfigError(f"strategy {name} has no setting {setting!r}; {nearest(setting, known)}")
    return make(**settings)
