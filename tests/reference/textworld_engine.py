"""Drives the reference engine: TextWorld's planner environment under ALFWorld's printed names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from unittest import mock

import fast_downward  # type: ignore[import-untyped]
from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
from textworld.core import EnvInfos
from textworld.envs.pddl import PddlEnv
from textworld.envs.pddl.pddl import pddl_logic

#: What turns the package's text version `move` into the older `put` that AgentBench plays.
OLDER = (
    ("You arrive at {r.name}.", "You arrive at {lend.name}."),
    ("You move the {o.name} to the {r.name}.", "You put the {o.name} in/on the {r.name}."),
    ('"move {o} to {r}"', '"put {o} in/on {r}"'),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the engine shows after a command."""

    feedback: str
    admissible: tuple[str, ...]
    won: bool


class Reference:
    """The reference engine, with one game at a time: a new `load` ends the last game."""

    def __init__(self) -> None:
        self._inner = PddlEnv(EnvInfos(admissible_commands=True, won=True))
        self._env = AlfredDemangler(self._inner)

    def load(self, fields: Mapping[str, Any]) -> Moment:
        """The first moment of a game. fields: those of a game.tw-pddl file.

        Upstream translates each problem four times, three of them for nothing: a copy for `replan`,
        which play never asks for, and both anew when what was just loaded is reset. Here it is once.
        """
        translate = fast_downward.pddl2sas
        made: list[Any] = []

        def once(domain: str, problem: str, **options: Any) -> Any:
            if not options.get("optimize"):
                made.append(translate(domain, problem, **options))
            return made[-1]

        # The translator overwrites the command line's arguments.
        with mock.patch.object(fast_downward, "pddl2sas", once), mock.patch.object(sys, "argv", []):
            self._env.load(dict(fields))
        fresh = self._inner._pddl_state
        with mock.patch.object(pddl_logic, "PddlState", return_value=fresh):
            return _moment(self._env.reset())

    def step(self, command: str) -> Moment:
        return _moment(self._env.step(command)[0])


def _moment(state: Any) -> Moment:
    return Moment(state.feedback, tuple(state["admissible_commands"]), bool(state["won"]))


def packages() -> dict[str, str]:
    """The versions that a comparison is made with."""
    return {name: version(name) for name in ("textworld", "alfworld", "fast-downward-textworld")}


def package_logic(text_version: str) -> tuple[str, str]:
    """Domain and grammar as the alfworld package ships them (`move`), or turned into `put`."""
    data = files("alfworld") / "data"
    domain, grammar = (data / name for name in ("alfred.pddl", "alfred.twl2"))
    if text_version == "move":
        return domain.read_text(encoding="utf-8"), grammar.read_text(encoding="utf-8")
    return older(domain.read_text(encoding="utf-8"), grammar.read_text(encoding="utf-8"))


def older(domain: str, grammar: str) -> tuple[str, str]:
    """Domain and grammar of the text version `put`, from those of `move`."""
    for new, old in OLDER:
        assert new in grammar, f"the package's grammar has changed: no {new!r}"
        grammar = grammar.replace(new, old)
    return _without_help(domain, "(:action help", "\n)"), _without_help(grammar, "action help {", "\n}")


def _without_help(text: str, head: str, tail: str) -> str:
    start = text.index(head)
    return text[:start] + text[text.index(tail, start) + len(tail) :]
