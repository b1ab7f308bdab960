"""One household episode under AgentBench's rules."""

from __future__ import annotations

import pytest

from tests.reference.scenes import small
from tests.tasks.household.playing import take
from tmbr.core.types import Action, Step
from tmbr.environments.household import Game
from tmbr.tasks.household.forms import FORMS, TextForm, ToolForm
from tmbr.tasks.household.session import REPEATS, ROUNDS, HouseholdSession

GAME = small("pick_and_place_simple")
WALK = ["look", "inventory"]  # never the same three times


def opened(form: str = "text", game: Game = GAME) -> HouseholdSession:
    return HouseholdSession(game, FORMS[form]())


def say(session: HouseholdSession, *commands: str | None) -> list[Step]:
    return [session.step(None if command is None else take(command)) for command in commands]


def walked(rounds: int, form: str = "text") -> HouseholdSession:
    session = opened(form)
    assert not any(step.done for step in say(session, *(WALK * rounds)[:rounds]))
    return session


@pytest.mark.parametrize("last", ["look", "fly to the moon", None])
def test_twenty_rounds_are_the_limit_whatever_they_hold(last: str | None) -> None:
    (step,) = say(walked(ROUNDS - 1), last)
    assert (step.done, step.status) == (True, "task limit reached")


def test_after_the_end_the_world_says_that_it_is_over() -> None:
    session = walked(ROUNDS - 1)
    say(session, "look")
    before = session.state_key()
    assert (
        say(session, "go to cabinet 1", None)
        == [Step("The episode is over.", True, "task limit reached")] * 2
    )
    assert session.state_key() == before


def test_winning_completes_even_in_the_last_round() -> None:
    ways = ROUNDS - len(GAME.walkthrough)
    session = walked(ways)
    steps = say(session, *GAME.walkthrough)
    assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[-1].status == "completed"
    assert session.won


@pytest.mark.parametrize(
    "written", ["LOOK", "  look  ", "Look\nand then go on", "look\n", "\tlOOk \n\ninventory"]
)
def test_the_action_is_its_first_line_in_lower_case(written: str) -> None:
    (step,) = say(opened(), written)
    assert step == say(opened(), "look")[0]
    assert step.admissible is True


def test_the_admissible_flag_is_of_the_action_as_written() -> None:
    near = "go to the cabinet 1"
    (repaired,) = say(opened("agentbench"), near)
    (exact,) = say(opened("agentbench"), "go to cabinet 1")
    assert repaired.observation == exact.observation
    assert (repaired.admissible, exact.admissible) == (False, True)
    (refused,) = say(opened("text"), near)
    assert refused == Step("Nothing happens.", False, None, admissible=False)


def test_what_is_close_to_nothing_does_nothing() -> None:
    (step,) = say(opened("agentbench"), "xyzzy")
    assert step.observation.startswith("Nothing happens.\nAvailable actions:\n")
    assert step.admissible is False


@pytest.mark.parametrize("form", FORMS)
def test_three_identical_outputs_fail_from_the_fourth_action_on(form: str) -> None:
    session = opened(form)
    steps = say(session, "look", "look", "look", "look")
    assert [step.status for step in steps] == [None, None, None, "agent invalid action"]
    steps = say(opened(form), "inventory", "look", "look", "look")
    assert [step.status for step in steps] == [None, None, None, "agent invalid action"]
    steps = say(opened(form), "look", "look", "inventory", "look", "look")
    assert not any(step.done for step in steps)


def test_identical_means_as_written() -> None:
    steps = say(opened(), "look", "look", "look", "LOOK", "look", "Look")
    assert not any(step.done for step in steps)


def test_three_turns_without_an_action_in_a_row_fail() -> None:
    steps = say(opened(), None, None, "look", None, None, None)
    assert [step.status for step in steps] == [None] * 5 + ["agent validation failed"]
    assert REPEATS == 3


def test_a_turn_without_an_action_is_told_so_and_leaves_the_house_alone() -> None:
    for form in (TextForm(), ToolForm()):
        session = HouseholdSession(GAME, form)
        (step,) = say(session, None)
        assert step.observation.startswith(form.no_action)
        assert step.admissible is None
        assert session.state == GAME.start()


def test_the_first_observation_is_the_room_and_the_task() -> None:
    room = "Looking quickly around you, you see a cabinet 1, "
    assert opened().observation.startswith("You are in the middle of a room. " + room)
    assert opened().observation.endswith("\nYour task is to: pick and place simple.")
    assert "\n\n" not in opened().observation
    listed = opened("agentbench").observation.split("\nAvailable actions:\n")[1].split("\n")
    assert tuple(listed) == GAME.start().admissible


def test_the_location_that_the_older_grammar_names_is_left_out() -> None:
    (step,) = say(opened(), "go to diningtable 1")
    assert step.observation == "On the diningtable 1, you see a apple 2, and a knife 1."


def test_no_action_ends_the_episode_by_itself() -> None:
    session = opened()
    say(session, *GAME.walkthrough[:-1])
    assert not session.ends(take(GAME.walkthrough[-1]))
    assert not session.ends(Action("take_action", {"action": "look"}))
