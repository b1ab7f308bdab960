"""The household on small rooms of our own: verbs, texts, goals and forks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.scenes import GOALS, quirky, small
from tmbr.environments.household import (
    TASK_TYPES,
    VERSIONS,
    Game,
    Goal,
    Receptacle,
    State,
    TaskType,
    Thing,
    Version,
)

PLACE: TaskType = "pick_and_place_simple"


def play(state: State, *commands: str) -> tuple[State, str]:
    """The state after commands that all do something, and the last answer."""
    text = ""
    for command in commands:
        assert command in state.admissible, f"{command!r} is not in {state.admissible}"
        state, text = state.step(command)
    return state, text


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_a_walkthrough_wins_with_its_last_command(task_type: TaskType, version: Version) -> None:
    game = small(task_type, version)
    state = game.start()
    assert game.task_type == task_type
    for command in game.walkthrough:
        assert not state.won
        state, _ = play(state, command)
    assert state.won


def test_a_win_can_be_undone() -> None:
    game = small(PLACE)
    state, _ = play(game.start(), *game.walkthrough)
    assert state.won
    state, _ = play(state, "take apple 1 from sidetable 1")
    assert not state.won


@pytest.mark.parametrize("verb", ["clean", "heat", "cool"])
def test_a_thing_must_be_treated_before_it_is_placed(verb: str) -> None:
    [task_type] = [t for t in TASK_TYPES if f"pick_{verb}_" in t]
    game = small(task_type)
    untreated = [c for c in game.walkthrough if not c.startswith(verb)]
    assert not play(game.start(), *untreated)[0].won


def test_two_things_must_be_in_one_receptacle() -> None:
    game = quirky()
    state, _ = play(game.start(), "take apple 1 from diningtable 1", "put apple 1 in/on cabinet 1")
    assert not state.won
    state, _ = play(state, "take apple 1 from cabinet 1", "put apple 1 in/on sidetable 1")
    assert state.won


def test_the_intro_names_every_place_and_the_task() -> None:
    assert small(PLACE).intro == (
        "-= Welcome to TextWorld, ALFRED! =-\n\n"
        "You are in the middle of a room. Looking quickly around you, you see a cabinet 1, "
        "a diningtable 1, a fridge 1, a microwave 1, a sidetable 1, and a sinkbasin 1.\n\n"
        "Your task is to: pick and place simple."
    )
    assert "\n\nYou are facing the cabinet 1, diningtable 1, and sidetable 1. " in quirky().intro


KITCHEN = [
    (["look"], "You are in the middle of a room. Looking quickly around you, you see nothing."),
    (["inventory"], "You are not carrying anything."),
    (["go to cabinet 1"], "You arrive at loc 1. The cabinet 1 is closed."),
    (["open cabinet 1"], "You open the cabinet 1. The cabinet 1 is open. In it, you see a apple 1."),
    (["take apple 1 from cabinet 1"], "You pick up the apple 1 from the cabinet 1."),
    (["examine cabinet 1"], "The cabinet 1 is open. In it, you see nothing."),
    (["close cabinet 1"], "You close the cabinet 1."),
    (["examine cabinet 1"], "The cabinet 1 is closed."),
    (["look"], "You are facing the cabinet 1. Next to it, you see nothing."),
    (["inventory"], "You are carrying: a apple 1."),
    (["examine apple 1"], "There's nothing special about apple 1."),
    (["go to sinkbasin 1"], "You arrive at loc 6. On the sinkbasin 1, you see nothing."),
    (["clean apple 1 with sinkbasin 1"], "You clean the apple 1 using the sinkbasin 1."),
    (["examine apple 1"], "This is a clean apple 1."),
    (
        ["go to microwave 1", "heat apple 1 with microwave 1"],
        "You heat the apple 1 using the microwave 1.",
    ),
    (["examine apple 1"], "This is a hot and clean apple 1."),
    (["go to fridge 1", "cool apple 1 with fridge 1"], "You cool the apple 1 using the fridge 1."),
    (["examine apple 1"], "This is a cool and clean apple 1."),
    (
        ["go to diningtable 1"],
        "You arrive at loc 2. On the diningtable 1, you see a apple 2, and a knife 1.",
    ),
    (["put apple 1 in/on diningtable 1"], "You put the apple 1 in/on the diningtable 1."),
    (["examine diningtable 1"], "On the diningtable 1, you see a apple 2, a apple 1, and a knife 1."),
    (
        ["take knife 1 from diningtable 1", "slice apple 1 with knife 1"],
        "You sliced the apple 1 with the knife 1.",
    ),
    (
        ["put knife 1 in/on diningtable 1", "take apple 1 from diningtable 1", "examine apple 1"],
        "This is a cool and clean sliced apple 1.",
    ),
    (["go to sidetable 1", "use desklamp 1"], "You turn on the desklamp 1."),
    (["use desklamp 1"], "You turn on the desklamp 1."),
]


def test_every_verb_says_what_the_reference_says() -> None:
    state = small(PLACE).start()
    for commands, answer in KITCHEN:
        state, text = play(state, *commands)
        assert text == answer


def test_the_newer_version_moves_names_the_place_and_has_help() -> None:
    state, text = play(small(PLACE, "move").start(), "go to diningtable 1")
    assert text.startswith("You arrive at diningtable 1. On the diningtable 1, ")
    state, _ = play(state, "take apple 2 from diningtable 1")
    _, text = play(state, "move apple 2 to diningtable 1")
    assert text == "You move the apple 2 to the diningtable 1."
    assert state.step("put apple 2 in/on diningtable 1")[1] == "Nothing happens."
    assert play(state, "help")[1].startswith("Available commands:\n  look: ")
    assert "help" not in small(PLACE, "put").start().admissible


@pytest.mark.parametrize(
    ("touched", "words"),
    [
        ({"hot"}, "This is a hot bread 1."),
        ({"cool"}, "This is a cold bread 1."),
        ({"clean"}, "This is a clean bread 1."),
        ({"sliced"}, "This is a sliced bread 1."),
        ({"hot", "sliced"}, "This is a hot sliced bread 1."),
        ({"cool", "sliced"}, "This is a cool sliced bread 1."),
        ({"clean", "sliced"}, "This is a clean sliced bread 1."),
        ({"hot", "clean", "sliced"}, "This is a hot and clean sliced bread 1."),
        ({"toggled"}, "This bread 1 is on."),
        ({"toggled", "hot"}, "This is a hot bread 1."),
    ],
)
def test_what_was_done_to_a_thing_shows_when_it_is_examined(touched: set[str], words: str) -> None:
    done: dict[str, Any] = dict.fromkeys(touched, True)
    bread = Thing("bread", ("shelf 1",), toggleable=True, sliceable=True, **done)
    game = Game.build(
        [Receptacle("shelf")], [bread], Goal(PLACE, "bread", "shelf"), [], instruction="wait."
    )
    take = "take bread 1 from shelf 1"
    assert play(game.start(), "go to shelf 1", take, "examine bread 1")[1] == words


def test_a_closed_receptacle_hides_and_refuses() -> None:
    state, _ = play(small(PLACE).start(), "go to diningtable 1", "take apple 2 from diningtable 1")
    shut, _ = play(state, "go to cabinet 1")
    assert "put apple 2 in/on cabinet 1" not in shut.admissible
    assert "close cabinet 1" not in shut.admissible
    opened, _ = play(shut, "open cabinet 1")
    assert "open cabinet 1" not in opened.admissible
    full, _ = play(opened, "put apple 2 in/on cabinet 1", "close cabinet 1")
    assert not [command for command in full.admissible if command.startswith("take")]


def test_a_lamp_can_be_used_inside_a_closed_cabinet() -> None:
    assert (
        play(quirky().start(), "go to cabinet 2", "use desklamp 1")[1] == "You turn on the desklamp 1."
    )


def test_only_what_fits_can_be_put() -> None:
    game = Game.build(
        [Receptacle("shelf"), Receptacle("safe")],
        [Thing("bread", ("shelf 1",))],
        Goal(PLACE, "bread", "shelf"),
        [("shelf", "bread")],
        instruction="wait.",
    )
    state, _ = play(game.start(), "go to shelf 1", "take bread 1 from shelf 1")
    assert "put bread 1 in/on shelf 1" in state.admissible
    assert "put bread 1 in/on safe 1" not in play(state, "go to safe 1")[0].admissible


def test_commands_are_sorted_and_never_lead_where_one_is() -> None:
    state = quirky().start()
    assert state.admissible == (
        *("close cabinet 1", "examine cabinet 1", "examine diningtable 1", "examine sidetable 1"),
        *("go to cabinet 2", "go to fridge 1", "go to microwave 1", "go to sinkbasin 1"),
        *("inventory", "look", "take apple 1 from diningtable 1", "take apple 2 from sidetable 1"),
        *("take knife 1 from diningtable 1", "take mug 1 from cabinet 1"),
        *("take plate 1 from diningtable 1", "take plate 1 from sidetable 1"),
    )


def test_the_floor_shows_what_was_moved_to_a_neighbour() -> None:
    state, _ = play(
        quirky().start(), "take apple 1 from diningtable 1", "put apple 1 in/on sidetable 1"
    )
    floor = (
        "You are facing the cabinet 1, diningtable 1, and sidetable 1. Next to it, you see a apple 1."
    )
    assert play(state, "look")[1] == floor


def test_a_thing_in_two_receptacles_stays_in_the_other() -> None:
    state, _ = play(quirky().start(), "take plate 1 from diningtable 1")
    assert "plate 1" in play(state, "examine sidetable 1")[1]
    assert play(state, "examine plate 1")[1] == (
        "This is a normal plate 1. In it, you see a apple 2, and a knife 1."
    )


def test_what_lies_elsewhere_cannot_be_sliced_here() -> None:
    state, _ = play(quirky().start(), "take knife 1 from diningtable 1")
    assert "slice apple 1 with knife 1" in state.admissible
    assert "slice bread 1 with knife 1" not in state.admissible
    assert "slice bread 1 with knife 1" in play(state, "go to fridge 1")[0].admissible


@pytest.mark.parametrize(
    "command", ["", "fly", "LOOK", "go to", "go to cabinet 1", "take apple 1", "help"]
)
def test_what_is_not_admissible_changes_nothing(command: str) -> None:
    state, _ = play(small(PLACE).start(), "go to cabinet 1")
    after, text = state.step(command)
    assert (after is state, text) == (True, "Nothing happens.")


def test_outer_white_space_does_not_count() -> None:
    state = small(PLACE).start()
    assert state.step("  inventory \n") == state.step("inventory")


def test_numbers_go_down_as_ids_go_up() -> None:
    places = [Receptacle("shelf", id=f"shelf_bar_{letter}") for letter in "bca"]
    places.append(Receptacle("sinkbasin", id="sink_bar_z_bar_sinkbasin"))
    game = Game.build(places, [], Goal(PLACE, "bread", "shelf"), [], instruction="wait.")
    names = dict(zip([r.id[-1] for r in game.scene.receptacles], game.layout.receptacles, strict=True))
    assert names == {"a": "shelf 3", "b": "shelf 2", "c": "shelf 1", "n": "sinkbasin 1"}


# Forks.

choices = st.lists(st.integers(0, 10**6), max_size=25)
rooms = st.sampled_from([quirky("put"), quirky("move"), *(small(task_type) for task_type in GOALS)])


def steer(state: State, numbers: list[int]) -> tuple[State, list[str]]:
    """A walk in which each number picks an admissible command."""
    said = []
    for number in numbers:
        state, text = state.step(state.admissible[number % len(state.admissible)])
        said.append(text)
    return state, said


@given(rooms, choices, choices, choices)
def test_forks_do_not_disturb_one_another(
    game: Game, way: list[int], a: list[int], b: list[int]
) -> None:
    state, _ = steer(game.start(), way)
    before = (state.key, state.admissible, state.won)
    left, right = state.fork(), state.fork()
    gone_left, said = steer(left.fork(), a)
    gone_right, _ = steer(right, b)
    assert (state.key, state.admissible, state.won) == before
    assert steer(right.fork(), a) == (gone_left, said)
    assert steer(left, b)[0] == gone_right


@given(rooms, choices, choices)
def test_states_are_equal_when_their_content_is(game: Game, a: list[int], b: list[int]) -> None:
    one, other = steer(game.start(), a)[0], steer(game.start(), b)[0]
    assert (one == other) == (one.key == other.key)
    if one == other:
        assert hash(one) == hash(other)
        assert one.admissible == other.admissible


@given(rooms, choices)
def test_whatever_is_admissible_does_something(game: Game, way: list[int]) -> None:
    state, said = steer(game.start(), way)
    assert "Nothing happens." not in said
    assert list(state.admissible) == sorted(set(state.admissible))


def test_a_key_is_the_same_in_every_process() -> None:
    code = "from tests.reference.scenes import quirky; print(quirky().start().key)"
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert keys == {f"{quirky().start().key}\n"}
