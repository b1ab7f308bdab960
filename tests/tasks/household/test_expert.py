"""The expert acts on what it is told alone, finishes, and does not repeat what failed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from tests.reference import alfworld_files
from tests.tasks.household.playing import command_of, written
from tests.tasks.playing import play
from tmbr.core.types import Message
from tmbr.environments.household import TASK_TYPES
from tmbr.tasks.household import Household
from tmbr.tasks.household.expert import decide, imagine
from tmbr.tasks.household.prior import common_sense
from tmbr.tasks.household.session import ROUNDS

NOTE = (
    "An earlier try did not reach the goal. It did: go to bed 1; put two cd in safe 1. "
    "Take another way."
)


@pytest.mark.parametrize(("form", "count"), [("text", 200), ("agentbench", 60)])
def test_it_solves_generated_games_within_the_rounds(form: str, count: int) -> None:
    task = Household(form=form)
    samples = task.samples("validation")[:count]
    games = [play(task, sample, task.expert) for sample in samples]
    assert {task.game(sample).task_type for sample in samples} == set(TASK_TYPES)
    assert [played.refused for played in games if played.refused] == []
    assert sum(played.steps[-1].status == "completed" for played in games) >= 0.98 * count
    assert max(len(played.steps) for played in games) <= ROUNDS


def test_the_walkthrough_solves_generated_games_without_a_detour() -> None:
    task = Household()
    for sample in task.samples("validation")[:200]:
        said = task.walkthrough(sample)
        played = play(task, sample, lambda messages, said=said: said[len(messages) // 2])  # type: ignore[misc]
        assert played.refused == []
        assert len(played.steps) == len(said)
        assert played.steps[-1].status == "completed"


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_a_note_of_an_earlier_try_does_not_confuse_it(form: str) -> None:
    task = Household(form=form)
    for sample in task.samples("validation")[:12]:
        plain = play(task, sample, task.expert)
        assert play(task, sample, task.expert, NOTE).actions == plain.actions


def test_what_is_imagined_is_refused_and_the_search_goes_on() -> None:
    task, rng, imagined = Household(), Random(0), 0
    for sample in task.samples("validation")[:40]:
        told: list[str] = []

        def dream(messages: list[Message], task: Household = task, told: list[str] = told) -> Message:
            found = imagine(*task._told(messages), rng)
            if found is None or len(messages) % 4 == 1 or len(told) > 3:
                return task.expert(messages)
            told.append(found.command)
            return task.form.write(found.thought, found.command)

        played = play(task, sample, dream)  # type: ignore[arg-type]
        assert written(played.refused) == told
        assert all(command.startswith(("take ", "use ")) for command in told)
        assert played.steps[-1].status == "completed" or len(played.steps) == ROUNDS
        imagined += len(told)
    assert imagined > 40


def test_it_follows_what_it_is_told_and_not_the_state() -> None:
    task = Household()
    for sample in task.samples("validation")[:40]:
        goal = task.game(sample).scene.goal
        prompt = task.messages(sample, task.open(sample).observation)
        going = task.expert(prompt)
        place = command_of(task, going).removeprefix("go to ")

        def after(answer: str, start: tuple[Message, ...] = (*prompt, going)) -> str:
            return command_of(task, task.expert([*start, Message("user", answer)]))

        if not place.startswith(goal.target):
            assert after(f"On the {place}, you see a {goal.thing} 77.") == (
                f"take {goal.thing} 77 from {place}"
            )
        assert after(f"On the {place}, you see nothing.").startswith("go to ")
        assert after(f"The {place} is closed.") == f"open {place}"


ROOM = (
    "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, "
    "a shelf 1, and a microwave 1.\nYour task is to: put a hot mug in cabinet."
)
HELD = [
    ("go to shelf 1", "On the shelf 1, you see a mug 1."),
    ("take mug 1 from shelf 1", "You pick up the mug 1 from the shelf 1."),
    ("go to microwave 1", "The microwave 1 is closed."),
    ("heat mug 1 with microwave 1", "You heat the mug 1 using the microwave 1."),
]


def commands(room: str, turns: Sequence[tuple[str, str]], *answers: str) -> list[str]:
    """What the expert says next, after each of these answers in turn."""
    turns, said = list(turns), []
    for answer in (*answers, ""):
        said.append(decide(room, turns, common_sense()).command)
        turns.append((said[-1], answer))
    return said


def test_what_does_not_fit_goes_to_the_next_place_of_the_kind() -> None:
    open_cabinet = "On the cabinet 2, you see nothing."
    assert commands(ROOM, HELD, open_cabinet, "Nothing happens.") == [
        "go to cabinet 2",
        "put mug 1 in/on cabinet 2",
        "go to cabinet 1",
    ]


def test_a_place_that_is_here_already_is_examined() -> None:
    at_first = [*HELD, ("go to cabinet 1", "On the cabinet 1, you see nothing.")]
    assert commands(ROOM, at_first, "Nothing happens.", "The cabinet 2 is closed.") == [
        "go to cabinet 2",
        "examine cabinet 2",
        "open cabinet 2",
    ]


def test_a_wrong_thing_in_the_hand_is_put_where_it_fits() -> None:
    wrong = [
        ("go to shelf 1", "On the shelf 1, you see a cup 1."),
        ("take cup 1 from shelf 1", "You pick up the cup 1 from the shelf 1."),
        ("go to microwave 1", "The microwave 1 is closed."),
    ]
    opened = "You open the microwave 1. The microwave 1 is open. In it, you see nothing."
    assert commands(ROOM, wrong, opened, "Nothing happens.") == [
        "open microwave 1",
        "put cup 1 in/on microwave 1",
        "go to cabinet 2",
    ]


def test_a_room_that_lacks_what_is_needed_ends_in_looking_around() -> None:
    bare = ROOM.replace(", and a microwave 1", "")
    assert commands(bare, HELD[:2]) == ["look"]
    assert commands(ROOM.replace("put a hot mug", "paint a mug"), HELD) == ["look"]


@alfworld_files.needed
def test_on_real_games_it_does_not_repeat_what_failed() -> None:
    task = Household("alfworld-valid_seen", root=alfworld_files.DATA.parent)
    task.prior = common_sense()
    played = [play(task, sample, task.expert) for sample in task.samples("valid_seen")]
    turns = sum(len(game.steps) for game in played)
    assert len(played) == 140
    for game in played:
        failed = [
            c
            for c, s in zip(written(game.actions), game.steps, strict=True)
            if "Nothing hap" in s.observation
        ]
        assert len(failed) == len(set(failed)), failed
    assert sum(len(game.refused) for game in played) <= 0.03 * turns
    assert sum(game.steps[-1].status == "completed" for game in played) >= 100
