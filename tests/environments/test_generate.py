"""Generated houses: the same for the same seed, solvable, varied, and disjoint between splits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tmbr.core.types import digest
from tmbr.environments.household import GENERATOR, TASK_TYPES, VERSIONS, Game, generate, to_pddl
from tmbr.environments.household.furniture import KINDS, LAMPS, OPENABLE, ROOMS, homes
from tmbr.tasks.base import split_seed
from tmbr.tasks.household.task import SIZES


def content(game: Game) -> str:
    """The game as bytes: scene, sentence and walkthrough."""
    return json.dumps([to_pddl(game), game.instruction], sort_keys=True)


CODE = """
from tests.environments.test_generate import content
from tmbr.core.types import digest
from tmbr.environments.household import generate
print(digest([content(generate(seed)) for seed in range(60)]))
"""


def test_equal_seeds_give_equal_bytes_in_every_process() -> None:
    here = digest([content(generate(seed)) for seed in range(60)])
    for salt in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", CODE],
            env={**os.environ, "PYTHONHASHSEED": salt},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert said.strip() == here


def test_the_generator_is_the_one_that_was_named() -> None:
    games = [content(generate(seed)) for seed in range(60)]
    assert {GENERATOR: digest(games)} == {"1": "5d816b4517a2c9e9"}, (
        "raise GENERATOR when its houses change"
    )


def test_both_text_versions_are_the_same_house() -> None:
    for seed in range(30):
        put, move = (generate(seed, version) for version in VERSIONS)
        assert put.scene == move.scene
        assert [c.split()[1:3] for c in put.walkthrough] == [c.split()[1:3] for c in move.walkthrough]


def test_splits_are_disjoint_by_scene_and_hold_every_task_type() -> None:
    scenes: dict[str, set[str]] = {}
    for split in SIZES:
        games = [generate(split_seed(split, index, SIZES)) for index in range(500)]
        rooms = (str(to_pddl(game)["pddl_problem"]) for game in games)
        scenes[split] = {room.split("(:goal")[0] for room in rooms}
        types = Counter(game.task_type for game in games)
        assert set(types) == set(TASK_TYPES)
        assert min(types.values()) > 500 / len(TASK_TYPES) / 2
        assert not any(game.start().won for game in games)
    assert sum(map(len, scenes.values())) == len(set.union(*scenes.values())) == 1500


@pytest.mark.parametrize("version", VERSIONS)
def test_the_walkthrough_wins_with_its_last_command(version: str) -> None:
    for seed in range(200):
        game = generate(seed, version)  # type: ignore[arg-type]
        state = game.start()
        for command in game.walkthrough:
            assert not state.won
            assert command in state.admissible
            state, _ = state.step(command)
        assert state.won


def test_a_house_is_furnished_with_what_its_room_has() -> None:
    rooms = [{kind for kind, _, _ in room.places} for room in ROOMS]
    for seed in range(200):
        scene = generate(seed).scene
        places = [receptacle.type for receptacle in scene.receptacles]
        assert 6 <= len(places) <= 10
        assert any(set(places) <= room for room in rooms)
        assert all(r.openable == (r.type in OPENABLE) for r in scene.receptacles)
        kinds = {r.id: r.type for r in scene.receptacles}
        for thing in scene.things:
            assert kinds[thing.inside[0]] in homes(thing.type)


def test_what_things_are_kept_in_exists_in_some_room() -> None:
    known = {kind for room in ROOMS for kind, _, _ in room.places}
    for kind in (*KINDS, *LAMPS):
        assert homes(kind).keys() <= known
        assert min(homes(kind).values()) > 0
        assert kind not in KINDS or set(KINDS[kind].can) <= set("hcws")
