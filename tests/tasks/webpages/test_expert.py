"""The expert acts from what is said: on whole ways, after errors, and on what it cannot read."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tasks.playing import play
from tests.tasks.webpages.playing import winnable
from tmbr.core.types import Message
from tmbr.tasks.webpages import WebPages
from tmbr.tasks.webpages.expert import decide
from tmbr.tasks.webpages.forms import FORMS, Choice
from tmbr.tasks.webpages.question import Question, read_question


@pytest.mark.parametrize("form", FORMS)
def test_it_reaches_every_goal_of_a_live_site_on_the_shortest_way(form: str) -> None:
    task = WebPages("generated", form)
    for sample in task.samples("test")[:60]:
        played = play(task, sample, task.expert)
        assert played.score.success, sample.instruction
        assert not played.refused
        assert len(played.steps) == task.visit(sample).length


@pytest.mark.parametrize("form", FORMS)
def test_it_is_right_in_every_step_that_can_be(form: str) -> None:
    task = WebPages("generated-steps", form)
    samples = task.samples("test")[:300]
    for sample in samples:
        played = play(task, sample, task.expert)
        assert played.score.success == winnable(task.recorded(sample)), sample.id
        assert not played.refused


def test_it_mends_what_went_wrong_before() -> None:
    """Six wrong turns at first, or anywhere in the first half: all goals are still reached."""
    task = WebPages("generated")
    for seed, sample in enumerate(task.samples("validation")[:60]):
        rng = Random(seed)
        wrong = set(range(6)) if seed % 2 else set(rng.sample(range(12), 6))

        def policy(messages: list[Message], wrong: set[int] = wrong, rng: Random = rng) -> Message:
            turn = sum(message.role == "assistant" for message in messages)
            return task.mistake(messages, rng) if turn in wrong else task.expert(messages)

        played = play(task, sample, policy)  # type: ignore[arg-type]
        assert played.score.success, sample.id


def test_it_knows_nothing_but_the_conversation() -> None:
    task = WebPages("generated")
    one = task.samples("test")[0]
    said = task.messages(one, task.open(one).observation)
    other = WebPages("generated", "text")
    other.samples("test")
    assert other.expert(said) == task.expert(said)


def test_a_dead_end_leaves_it_without_a_way() -> None:
    page = (
        "<html> <body> <main> <h1> Sign in </h1> <button id=0 button> Sign in </button> </main> </html>"
    )
    lost = Question(
        page, "Buy the Mum rain jacket. Size: small.", (), ("<button id=0 button> Sign in",)
    )
    assert decide([lost], live=True).choice == Choice()


def test_a_task_of_others_is_guessed_by_its_words() -> None:
    asked = Question("<html/>", "Find the weather in Oslo", (), ("<a id=0> News", "<a id=1> Weather"))
    assert decide([asked], live=False).choice == Choice("C", "CLICK")
    nothing = Question("<html/>", "Find the weather in Oslo", (), ("<a id=0> News",))
    assert decide([nothing], live=False).choice == Choice()


@given(st.text(), st.text(), st.lists(st.text(), max_size=3), st.booleans())
def test_any_question_has_a_move(page: str, told: str, history: list[str], live: bool) -> None:
    for task in (told, "Buy the Mum rain jacket. Size: small.", "Send in a parking form (renewal)."):
        asked = Question(page, task, tuple(history), ("<a id=0> x",))
        assert decide([asked], live).choice.answer in "AB"
    assert decide([], live).choice == Choice()


def test_the_worked_examples_are_not_taken_for_the_question() -> None:
    task = WebPages("generated", "agentbench")
    sample = task.samples("test")[0]
    messages = task.messages(sample, task.open(sample).observation)
    questions = [read_question(m.content) for m in messages if m.role == "user"]
    assert len(questions) == 4
    assert questions[-1] is not None
    assert questions[-1].task == sample.instruction
