"""What a player can know from what it was told, and from what was refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tmbr.tasks.household.memory import Memory, kind, names, places

ROOM = (
    "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, "
    "a shelf 1, and a fridge 1.\nYour task is to: put a mug in shelf.\nAn earlier try: go to bed 3."
)
FRIDGE = ("go to fridge 1", "The fridge 1 is closed.")
INSIDE = (
    "open fridge 1",
    "You open the fridge 1. The fridge 1 is open. In it, you see a mug 1, and a egg 2.",
)
TAKEN = ("take mug 1 from fridge 1", "You pick up the mug 1 from the fridge 1.")
NOTHING = "Nothing happens."


def heard(*turns: tuple[str, str]) -> Memory:
    return Memory.of(ROOM, turns)


def test_names_and_places_are_read_in_their_order() -> None:
    assert names("a mug 1, and a egg 12") == ["mug 1", "egg 12"]
    assert kind("mug 1") == "mug"
    assert places(ROOM) == ("cabinet 2", "cabinet 1", "shelf 1", "fridge 1")


def test_what_is_seen_is_remembered_by_place() -> None:
    memory = heard(FRIDGE)
    assert (memory.at, memory.hidden, memory.searched("fridge 1")) == ("fridge 1", {"fridge 1"}, False)
    memory = heard(FRIDGE, INSIDE, ("go to shelf 1", "On the shelf 1, you see nothing."))
    assert memory.hidden == set()
    assert memory.where("egg") == [("egg 2", "fridge 1")]
    assert memory.searched("shelf 1")
    assert not memory.searched("cabinet 1")


def test_the_hand_and_the_treated_are_remembered() -> None:
    memory = heard(FRIDGE, INSIDE, TAKEN)
    assert (memory.holding, memory.where("mug")) == ("mug 1", [])
    memory.hear("cool mug 1 with fridge 1", "You cool the mug 1 using the fridge 1.")
    assert memory.treated == {("mug 1", "cool")}
    memory.hear("go to shelf 1", "On the shelf 1, you see nothing.")
    memory.hear("put mug 1 in/on shelf 1", "You put the mug 1 in/on the shelf 1.")
    assert memory.holding is None
    assert memory.placed == {"mug 1": "shelf 1"}
    assert memory.where("mug") == [("mug 1", "shelf 1")]


def test_a_refused_way_leads_to_where_one_is() -> None:
    at_cabinet = ("go to cabinet 1", "On the cabinet 1, you see nothing.")
    memory = heard(at_cabinet, ("go to cabinet 2", NOTHING))
    assert memory.at_hand("cabinet 2")
    assert not memory.at_hand("shelf 1")
    memory.hear("examine cabinet 2", "On the cabinet 2, you see a mug 3.")
    assert memory.where("mug") == [("mug 3", "cabinet 2")]
    memory.hear("go to shelf 1", "On the shelf 1, you see nothing.")
    assert not memory.at_hand("cabinet 2")
    memory.hear("go to cabinet 2", "On the cabinet 2, you see a mug 3.")
    assert memory.at_hand("cabinet 1")


def test_a_refused_way_to_nowhere_tells_nothing() -> None:
    memory = heard(FRIDGE, ("go to moon 1", NOTHING))
    assert not memory.at_hand("moon 1")
    assert not Memory.of(ROOM, [("go to shelf 1", NOTHING)]).at_hand("shelf 1")


def test_what_cannot_be_taken_is_not_there() -> None:
    memory = heard(FRIDGE, INSIDE, ("take egg 2 from fridge 1", NOTHING))
    assert memory.where("egg") == []
    memory = heard(FRIDGE, INSIDE, ("take mug 1 from shelf 1", NOTHING))
    assert memory.where("mug") == [("mug 1", "fridge 1")]


def test_what_cannot_be_put_does_not_fit() -> None:
    put = ("put mug 1 in/on fridge 1", NOTHING)
    assert heard(FRIDGE, INSIDE, TAKEN, put).unfit == {("mug", "fridge 1")}
    shut = ("close fridge 1", "You close the fridge 1.")
    assert heard(FRIDGE, INSIDE, TAKEN, shut, put).unfit == set()
    assert heard(FRIDGE, INSIDE, put).unfit == set()


def test_failures_are_forgotten_when_something_changes() -> None:
    failed = ("use lamp 1", NOTHING)
    assert heard(FRIDGE, failed).failed == {"use lamp 1"}
    assert heard(FRIDGE, failed, ("look", "You are facing the fridge 1.")).failed == {"use lamp 1"}
    assert heard(FRIDGE, failed, INSIDE).failed == set()


@given(st.lists(st.tuples(st.text() | st.sampled_from(["go to a 1", "open a 1"]), st.text())))
def test_any_conversation_can_be_heard(turns: list[tuple[str, str]]) -> None:
    assert Memory.of(ROOM, turns).places == places(ROOM)
