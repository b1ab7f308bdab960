"""Strategies by name, with what each may see and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tmbr.core.errors import ConfigError, nearest
from tmbr.core.protocols import Strategy
from tmbr.reasoning.decompose import Decompose
from tmbr.reasoning.paths import Cot, Io, React, ReactRetry
from tmbr.reasoning.restarts import BestOfN, Paper, Reflexion
from tmbr.reasoning.search import Beam, BestFirst, Mcts, Multibranch
from tmbr.reasoning.walk import Walk


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `tmbr strategies`. cost: model answers a step and what the world is charged."""

    make: type[Any]
    summary: str
    cost: str


STRATEGIES: dict[str, Entry] = {
    "io": Entry(Io, "one path, actions without thoughts", "1 answer, 1 world step"),
    "cot": Entry(Cot, "one thought at the start, then as io", "1 answer, 1 world step, 1 thought"),
    "react": Entry(React, "one path, thought and action", "1 answer, 1 world step"),
    "react+retry": Entry(
        ReactRetry, "candidates, filter and judge, but no fork", "`branches` answers, 1 world step"
    ),
    "best-of-n": Entry(
        BestOfN, "whole paths, of which the judge selects", "1 answer, 1 world step, × `n` paths"
    ),
    "reflexion": Entry(
        Reflexion, "a poor path is reflected on and begun again", "1 answer, 1 world step, × `trials`"
    ),
    "paper": Entry(
        Paper,
        "subtasks, branches judged before acting, restart",
        "`num_branch` answers, 1 world step, 2 judgements, × `num_path` paths",
    ),
    "beam": Entry(
        Beam, "level by level, the best `width` states kept", "`branches` answers and world steps"
    ),
    "best-first": Entry(
        BestFirst, "always from the best open state", "`branches` answers and world steps"
    ),
    "mcts": Entry(
        Mcts, "by upper confidence bounds on backed-up values", "`branches` answers and world steps"
    ),
    "multibranch": Entry(
        Multibranch,
        "candidates looked at on forks, back to any state",
        "`branches` answers and world steps",
    ),
}
PARTS = "decompose+"


def strategy(name: str, sampling: Mapping[str, Any] | None = None, **settings: Any) -> Strategy:
    """The strategy of a name; `decompose+NAME` sends it through the subtasks of a plan.

    sampling: overrides of how it samples.

    Raises ConfigError for an unknown name or setting.
    """
    if not name.startswith(PARTS):
        made: Strategy = _made(name, sampling, settings)
        return made
    own = {key: settings.pop(key) for key in tuple(settings) if key in _settings(Decompose)}
    of: Walk = _made(name.removeprefix(PARTS), sampling, settings)
    if isinstance(of, Paper):
        raise ConfigError(f"strategy {name}: paper divides tasks by itself; name another one")
    return Decompose(of, **own)


def _made(name: str, sampling: Mapping[str, Any] | None, settings: dict[str, Any]) -> Any:
    if name not in STRATEGIES:
        raise ConfigError(f"no strategy {name!r}; {nearest(name, STRATEGIES)}")
    make = STRATEGIES[name].make
    known = _settings(make)
    for setting in settings:
        if setting not in known:
            raise ConfigError(f"strategy {name} has no setting {setting!r}; {nearest(setting, known)}")
    made = make(**settings)
    return replace(made, sampling=replace(made.sampling, **(sampling or {})))


def _settings(make: type[Any]) -> list[str]:
    """The fields of a strategy that a user sets; how it samples is said beside them."""
    return [
        field
        for field in make.__dataclass_fields__
        if field not in ("name", "access", "sampling", "of")
    ]
