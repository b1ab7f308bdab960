"""Household games as files: written, read back, and refused in one line where they are no games."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.reference import alfworld_files
from tests.reference.scenes import GOALS, quirky, small
from tmbr.core.errors import DataError
from tmbr.environments.household import (
    VERSIONS,
    Game,
    Goal,
    Receptacle,
    Scene,
    TaskType,
    Thing,
    to_pddl,
)

PLACE: TaskType = "pick_and_place_simple"


def grammar(template: str) -> str:
    """As much of a grammar as tells the version and the task."""
    return f'action PutObject {{\n template :: "{template}"; }} "Your task is to: place it."'


def file(game: Game, **changes: Any) -> str:
    """The game as a file, with some fields changed."""
    template = "put {o} in/on {r}" if game.version == "put" else "move {o} to {r}"
    return json.dumps({**to_pddl(game), "grammar": grammar(template), **changes})


def spoilt(old: str, new: str) -> str:
    """A small game's file whose problem text has `new` for `old`."""
    text = str(to_pddl(small(PLACE))["pddl_problem"])
    assert old in text
    return file(small(PLACE), pddl_problem=text.replace(old, new, 1))


GAMES = [quirky("put"), quirky("move"), *(small(task_type) for task_type in GOALS)]


@pytest.mark.parametrize("game", GAMES, ids=lambda game: f"{game.name}-{game.version}")
def test_a_game_survives_being_written_and_read(game: Game, tmp_path: Path) -> None:
    path = tmp_path / "game.tw-pddl"
    path.write_text(file(game))
    read = Game.load(path)
    assert (read.scene, read.walkthrough, read.version) == (game.scene, game.walkthrough, game.version)
    assert read.instruction == "place it."
    assert read.start() == game.start()


def test_a_file_can_be_read_in_the_other_version() -> None:
    data = file(small(PLACE, "move"))
    assert Game.parse(data, "a file").version == "move"
    assert Game.parse(data, "a file", "put") == Game.parse(file(small(PLACE, "put")), "a file")


BAD = {
    "no JSON": "-",
    "truncated JSON": file(small(PLACE))[:-40],
    "not an object": "[]",
    "no problem": json.dumps({"grammar": "", "walkthrough": []}),
    "walkthrough of numbers": file(small(PLACE), walkthrough=[1]),
    "unknown grammar": file(small(PLACE), grammar=grammar("drop {o}")),
    "no task": file(small(PLACE), grammar=grammar("move {o} to {r}").replace("task", "aim")),
    "truncated problem": file(
        small(PLACE), pddl_problem=str(to_pddl(small(PLACE))["pddl_problem"])[:-60]
    ),
    "unknown predicate": spoilt("(openable", "(locked"),
    "wrong arguments": spoilt("(openable cabinet", "(openable apple"),
    "odd fact": spoilt("(openable ", "(openable  (not) "),
    "odd object": spoilt("agent1 - agent", "agent1 agent2 - agent"),
    "unknown goal": spoilt("(exists (?o - object)", "(forall (?o - object)"),
    "no start": spoilt("(atlocation agent1 loc_bar_000)", ""),
    "no location": spoilt("(receptacleatlocation cabinet_bar_001 loc_bar_006)", ""),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_told_in_one_line(data: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.tw-pddl"
    path.write_text(data)
    with pytest.raises(DataError) as caught:
        Game.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.tw-pddl: cannot be read \(No such file or directory\)"):
        Game.load(tmp_path / "none.tw-pddl")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match=r"bytes: is not UTF-8 text"):
        Game.load(tmp_path / "bytes")


def test_an_unknown_version_is_told() -> None:
    with pytest.raises(DataError, match="unknown text version 'drop': known: move, put"):
        Game.parse(file(small(PLACE)), "a file", "drop")  # type: ignore[arg-type]


def test_parts_that_do_not_fit_are_told() -> None:
    goal = Goal(PLACE, "bread", "shelf")
    with pytest.raises(DataError, match="refers to 'shelf 2', did you mean 'shelf 1'"):
        Scene.build([Receptacle("shelf")], [Thing("bread", ("shelf 2",))], goal, [])
    breads = [Thing("bread"), Thing("bread", ("bread 1",))]
    with pytest.raises(DataError, match="bread_bar_001 refers to 'bread_bar_002'"):
        Game.build([Receptacle("shelf")], breads, goal, [], instruction="wait.")
    with pytest.raises(DataError, match="'shelf_bar_a' is given twice"):
        Scene.build([Receptacle("shelf", id="shelf_bar_a")] * 2, [], goal, [])
    with pytest.raises(DataError, match="not of the form"):
        Scene.build([Receptacle("shelf", id="a")], [], goal, [])
    with pytest.raises(DataError, match="unknown goal 'pick_and_drop'"):
        Scene.build([Receptacle("shelf")], [], Goal("pick_and_drop", "a", "b"), [])  # type: ignore[arg-type]


@pytest.mark.slow
@alfworld_files.needed
@pytest.mark.parametrize("split", ["valid_seen", "train"])
def test_every_walkthrough_of_alfworld_wins_with_its_last_command(split: str) -> None:
    for name, content in alfworld_files.games(split):
        data = json.dumps(content)
        for version in VERSIONS:
            game = Game.parse(data, name, version)
            assert name.split("/")[-2].startswith(game.task_type)
            state = game.start()
            for command in game.walkthrough:
                assert command in state.admissible, f"{name}: {command}"
                assert not state.won, name
                state, _ = state.step(command)
            assert state.won, name
