"""The household against the reference engine: same text, same commands in the same order, same win.

CI compares at least 1,000 steps; `TMBR_CONFORMANCE=full` (`make conformance`) compares more than 20,000
on all games of `valid_seen` and a sample of `train`, and writes
benchmarks/results/household_conformance.json. Without ALFWorld's files only built games are compared.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from platform import machine, python_version
from random import Random
from typing import Any

import pytest

from tests.reference import alfworld_files, walks
from tests.reference.scenes import GOALS, quirky, small
from tmbr.environments.household import VERSIONS, Game, Version, generate, to_pddl

pytest.importorskip(
    "alfworld", reason="the reference engine is not installed: pip install 'tmbr[reference]'"
)

from tests.reference import textworld_engine

FULL = os.environ.get("TMBR_CONFORMANCE") == "full"
RESULT = alfworld_files.ROOT / "benchmarks/results/household_conformance.json"
VERBS = ("go", "open", "close", "take", "heat", "cool", "clean", "slice", "use", "examine")


@dataclass(slots=True)
class Tally:
    """What has been compared so far."""

    games: int = 0
    steps: int = 0
    wins: int = 0
    refused: int = 0
    verbs: dict[Version, Counter[str]] = field(default_factory=lambda: {v: Counter() for v in VERSIONS})
    used: dict[Version, Counter[str]] = field(default_factory=lambda: {v: Counter() for v in VERSIONS})
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verbs = {v: dict(sorted(count.items())) for v, count in self.verbs.items()}
        return f"{self.games} games, {self.steps} steps, {len(self.differences)} differences, {verbs}"


@pytest.fixture(scope="module")
def reference() -> textworld_engine.Reference:
    return textworld_engine.Reference()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Writes to the terminal, whatever pytest captures."""

    def write(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True, file=sys.stderr)

    return write


def compare(
    reference: textworld_engine.Reference,
    fields: dict[str, Any],
    game: Game,
    tally: Tally,
    rng: Random,
    steps: int,
) -> None:
    """Play one walk in both engines, up to the first difference."""
    moment, state, text = reference.load(fields), game.start(), game.intro
    said: list[str] = []
    tally.games += 1
    commands = walks.walk(game, tally.used[game.version], rng, steps)
    while True:
        ours = (text, state.admissible, state.won)
        theirs = (moment.feedback, moment.admissible, moment.won)
        if ours != theirs:
            tally.differences.append(
                f"{game.name} ({game.version}) after {said}: {ours!r} not {theirs!r}"
            )
            return
        command = next(commands, None)
        if command is None:
            return
        said.append(command)
        admissible = command.strip() in moment.admissible
        if admissible:
            tally.verbs[game.version][walks.verb(command.strip())] += 1
        tally.refused += not admissible
        moment = reference.step(command)
        state, text = state.step(command)
        tally.steps += 1
        tally.wins += state.won


def spoken(game: Game) -> dict[str, Any]:
    """A game.tw-pddl file of a game built in Python."""
    domain, grammar = textworld_engine.package_logic(game.version)
    said = grammar.replace("UNKNOWN GOAL.", game.instruction)
    return {**to_pddl(game), "pddl_domain": domain, "grammar": said}


def built(version: Version, seeds: int) -> Iterator[Game]:
    yield quirky(version)
    yield from (small(task_type, version) for task_type in GOALS)
    yield from (generate(seed, version) for seed in range(seeds))


@pytest.mark.slow
def test_built_games_play_as_in_the_reference(reference: textworld_engine.Reference) -> None:
    """Written by `to_pddl`, read by both engines. Takes no files."""
    tally, rng = Tally(), Random(1)
    share = 1 if alfworld_files.available() else 2  # alone, it still compares 1,000 steps
    for version in VERSIONS:
        for game in built(version, seeds=20 if FULL else 3):
            fields = spoken(game)
            read = Game.parse(json.dumps(fields), game.name)
            assert read == game
            compare(
                reference, fields, read, tally, rng, steps=share * (60 if game.name == "quirky" else 25)
            )
    print(tally)
    assert not tally.differences, tally.differences[0]
    assert tally.steps >= 500 * share
    for version in VERSIONS:
        assert all(tally.verbs[version][verb] for verb in VERBS)


@pytest.mark.slow
@alfworld_files.needed
def test_alfworlds_games_play_as_in_the_reference(
    reference: textworld_engine.Reference, say: Callable[[str], None]
) -> None:
    """Walkthroughs, then errands of every verb, loose steps and wrong commands, on past the win."""
    games = alfworld_files.games("valid_seen")
    games = games + alfworld_files.games("train", 300, seed=11) if FULL else _one_of_each(games)
    older = alfworld_files.older_logic()
    tally, rng, begun = Tally(), Random(2), time.monotonic()
    for name, newer in games:
        for version in VERSIONS:
            fields = newer if version == "move" else alfworld_files.in_words(newer, *older)
            game = Game.parse(json.dumps(fields), name)
            assert game.version == version
            assert game == Game.parse(json.dumps(newer), name, version)
            compare(reference, fields, game, tally, rng, steps=24 if FULL else 45)
        if FULL and tally.games % 40 == 0:
            say(f"{time.monotonic() - begun:6.0f} s: {tally}")
    print(tally)
    if FULL:
        say(f"{time.monotonic() - begun:6.0f} s: {tally}")
        _write(tally, time.monotonic() - begun)
    assert not tally.differences, tally.differences[0]
    assert tally.steps >= (20_000 if FULL else 500)
    for version in VERSIONS:
        counts = tally.verbs[version]
        assert all(counts[verb] >= (20 if FULL else 1) for verb in (*VERBS, version)), counts


def _one_of_each(games: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """A game of each task type; the type begins the name of the folder."""
    return list({name.split("/")[-2].split("-")[0]: (name, fields) for name, fields in games}.values())


def _write(tally: Tally, seconds: float) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    row = {
        "command": "TMBR_CONFORMANCE=full pytest tests/environments/test_household_conformance.py",
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{machine()}, {os.cpu_count()} cores",
        "packages": {"python": python_version(), **textworld_engine.packages()},
        "versions": list(VERSIONS),
        "games": tally.games,
        "steps": tally.steps,
        "steps_refused": tally.refused,
        "steps_in_won_states": tally.wins,
        "verbs": {version: dict(sorted(count.items())) for version, count in tally.verbs.items()},
        "differences": len(tally.differences),
        "seconds": round(seconds),
    }
    RESULT.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")


@alfworld_files.needed
def test_the_older_words_are_agentbenchs() -> None:
    """What the tests derive from the package is the domain and the grammar that AgentBench ships."""
    derived = textworld_engine.package_logic("put")
    for ours, theirs in zip(derived, alfworld_files.older_logic(), strict=True):
        assert ours.split() == theirs.split()
