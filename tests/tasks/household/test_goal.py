"""Task sentences: every wording of ALFWorld's grammar and of the generator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.environments.household import TASK_TYPES, generate
from tmbr.environments.household.scene import TaskType
from tmbr.tasks.household.goal import Goal, read_goal


@pytest.mark.parametrize(
    ("sentence", "goal"),
    [
        ("put a mug in desk.", Goal("mug", "desk")),
        ("put some pencil on shelf.", Goal("pencil", "shelf")),
        ("put two cd in safe.", Goal("cd", "safe", count=2)),
        ("find two cd and put them in safe.", Goal("cd", "safe", count=2)),
        ("clean some pan and put it in cabinet.", Goal("pan", "cabinet", "clean")),
        ("put a clean pan in cabinet.", Goal("pan", "cabinet", "clean")),
        ("heat some egg and put it in fridge.", Goal("egg", "fridge", "hot")),
        ("put a hot egg in fridge.", Goal("egg", "fridge", "hot")),
        ("cool some apple and put it in microwave.", Goal("apple", "microwave", "cool")),
        ("put a cool apple in microwave.", Goal("apple", "microwave", "cool")),
        ("look at bowl under the desklamp.", Goal("bowl", lamp="desklamp")),
        ("examine the bowl with the desklamp.", Goal("bowl", lamp="desklamp")),
        ("make me a sandwich.", None),
        ("", None),
    ],
)
def test_a_sentence_tells_the_goal(sentence: str, goal: Goal | None) -> None:
    assert read_goal(sentence) == goal


TREATED: dict[TaskType, str] = {
    "pick_clean_then_place_in_recep": "clean",
    "pick_heat_then_place_in_recep": "hot",
    "pick_cool_then_place_in_recep": "cool",
}


def test_every_generated_sentence_tells_its_scenes_goal() -> None:
    seen = set()
    for seed in range(300):
        game = generate(seed)
        wanted, goal = game.scene.goal, read_goal(game.instruction)
        seen.add(game.task_type)
        assert goal is not None
        assert goal.thing == wanted.thing
        assert (goal.lamp or goal.place) == wanted.target
        assert goal.count == (2 if game.task_type == "pick_two_obj_and_place" else 1)
        assert goal.treatment == TREATED.get(game.task_type)
    assert seen == set(TASK_TYPES)


@given(st.text())
def test_any_text_is_read(sentence: str) -> None:
    assert isinstance(read_goal(sentence), Goal | None)
