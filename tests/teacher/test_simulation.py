from __future__ import annotations

from tmbr.core.types import Action, Step
from tmbr.teacher.simulation import (
    ALLOWED,
    CONTRADICTS,
    INVENTED,
    MISSED,
    OTHER,
    REFUSED,
    TOO_EARLY,
    UNREADABLE,
    Comparison,
    read_answer,
)

SEEN = "On the shelf 1, you see a mug 1."
NOTHING = "Nothing happens."


def difference(real: Step, told: str, readable: bool = True) -> str | None:
    step = Step(told, real.done)
    return Comparison("shelf 1: mug 1").difference(Action("go", {}), real, step, readable)


def test_each_way_of_being_wrong_has_its_name() -> None:
    seen, refused = Step(SEEN, admissible=True), Step(NOTHING, admissible=False)
    assert difference(seen, SEEN.upper()) is None
    assert difference(seen, "You see a mug 1 on the shelf 1.") is None  # the same things in other words
    assert difference(seen, "On the shelf 1, you see a lamp 4.") == INVENTED
    assert difference(seen, "On the shelf 1, you see nothing.") == OTHER
    assert difference(seen, NOTHING) == REFUSED
    assert difference(refused, SEEN) == ALLOWED
    assert difference(refused, "Nothing happens here") is None
    assert difference(seen, SEEN, readable=False) == UNREADABLE


def test_the_end_is_compared_too() -> None:
    compared = Comparison("")
    assert compared.difference(None, Step("a"), Step("a", True), True) == TOO_EARLY
    assert compared.difference(None, Step("a", True), Step("a"), True) == MISSED
    assert compared.difference(None, Step("a", True), Step("b", True), True) is None


def test_two_answers_where_the_real_world_gives_one_contradict() -> None:
    compared, look = Comparison("shelf 1: mug 1"), Action("look", {})
    real = Step(SEEN, admissible=True)
    assert compared.difference(look, real, Step(SEEN), True) is None
    assert (
        compared.difference(look, real, Step("On the shelf 1, you see nothing."), True) == CONTRADICTS
    )


def test_an_answer_that_cannot_be_read_is_as_if_nothing_happened() -> None:
    for text in ("", "{", '{"observation": 3, "solved": false}', '{"observation": "x"}', "[1]"):
        assert read_answer(text) == (Step(NOTHING), False)
    step, readable = read_answer('Sure: {"observation": "You win.", "solved": true}')
    assert (step.done, step.status, readable) == (True, "completed", True)
