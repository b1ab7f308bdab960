"""The household beside its reference engine: steps a second, a fork, reading a game.

    python -m benchmarks.household

Both engines walk at random through the same games and give the admissible commands and the win after
each step. Times are CPU seconds of one core, for both, so that a busy machine does not count. Games
are ALFWorld's `valid_seen` where `TMBR_DATA` has them, otherwise generated ones. The reference
(`pip install 'tmbr[reference]'`) gets few games, as it takes 35 to 55 ms a step, and loads each with
one of its four translations (see tests/reference/textworld_engine.py); where it is not installed the
native rows are measured alone. Writes benchmarks/results/household.json.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.util import find_spec
from random import Random
from statistics import median
from typing import Any

from tests.reference import alfworld_files

from benchmarks.rows import RESULTS, row, verdict, write
from tmbr.environments.household import Game, State, generate, to_pddl

#: Of a game's file, by their names.
Fields = dict[str, Any]
REFERENCE = "textworld 1.7 with alfworld 0.4, CPU time of one core"
WALK = 40


def main() -> None:
    """Measure, print the table, write the rows, and fail where a bar is missed."""
    games = _games()
    print(f"{len(games)} games: {games[0][0]} to {games[-1][0]}", flush=True)
    parsed = [Game.parse(text, name) for name, text, _ in games]
    slow_steps, slow_load = _reference([fields for _, _, fields in games[:4]])
    rows = [
        row(
            "household: steps, commands and win included",
            steps_a_second(parsed),
            "1/s",
            ">= 10000",
            REFERENCE,
            slow_steps,
        ),
        row("household: fork, p50", fork(parsed), "µs", "<= 2"),
        row("household: reading a game, p50", reading(games), "ms", "<= 5", REFERENCE, slow_load),
    ]
    write(RESULTS / "household.json", rows)
    verdict(rows)


def steps_a_second(games: list[Game]) -> float:
    """Of random walks; each step also asks for the commands and for the win. Median of three rounds."""

    def round_() -> float:
        rng, steps, begun = Random(0), 0, time.process_time()
        for game in games:
            state, commands = game.start(), game.start().admissible
            for _ in range(WALK):
                state, _ = state.step(commands[int(rng.random() * len(commands))])
                commands = state.admissible
                state.won  # noqa: B018
                steps += 1
        return steps / (time.process_time() - begun)

    return median(round_() for _ in range(3))


def fork(games: list[Game]) -> float:
    """Microseconds for one fork, the clock's own calls included."""
    rng, took = Random(0), []
    for game in games:
        state = game.start()
        for _ in range(WALK):
            state, _ = state.step(rng.choice(state.admissible))
            begun = time.process_time_ns()
            twin: State = state.fork()
            took.append((time.process_time_ns() - begun) / 1e3)
            assert twin == state
    return median(took)


def reading(games: list[tuple[str, str, Fields]]) -> float:
    """Milliseconds from the text of a file to a game that can start."""

    def one(name: str, text: str) -> float:
        begun = time.process_time()
        Game.parse(text, name).start()
        return (time.process_time() - begun) * 1e3

    return median(one(name, text) for name, text, _ in games)


def _reference(games: list[Fields]) -> tuple[float | None, float | None]:
    """Steps a second and milliseconds to load, of the reference engine."""
    if find_spec("alfworld") is None:
        print("the reference engine is not installed; its columns stay empty")
        return None, None
    from tests.reference.textworld_engine import Reference

    engine, rng, steps, walked, loads = Reference(), Random(0), 0, 0.0, []
    for fields in games:
        begun = time.process_time()
        moment = engine.load(fields)
        loads.append((time.process_time() - begun) * 1e3)
        begun = time.process_time()
        for _ in range(WALK):
            moment = engine.step(rng.choice(moment.admissible))
            steps += 1
        walked += time.process_time() - begun
    return steps / walked, median(loads)


def _games() -> list[tuple[str, str, Fields]]:
    """(name, text of the file, its fields)."""
    if alfworld_files.available():
        found = alfworld_files.games("valid_seen")
    elif find_spec("alfworld") is not None:
        found = [_filed(generate(seed, "move")) for seed in range(60)]
    else:
        sys.exit("household: needs ALFWorld's games (set TMBR_DATA) or pip install 'tmbr[reference]'")
    return [(name, json.dumps(fields), fields) for name, fields in found]


def _filed(game: Game) -> tuple[str, Fields]:
    """A generated game as ALFWorld would file it."""
    from tests.reference.textworld_engine import package_logic

    domain, grammar = package_logic(game.version)
    said = grammar.replace("UNKNOWN GOAL.", game.instruction)
    return game.name, {**to_pddl(game), "pddl_domain": domain, "grammar": said}


if __name__ == "__main__":
    main()
