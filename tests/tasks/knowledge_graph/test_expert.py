"""The expert acts on what it is told alone, answers right, and finds back after errors."""

from __future__ import annotations

from random import Random

import pytest

from tests.tasks.knowledge_graph.playing import call
from tests.tasks.playing import Played, led, play
from tmbr.core.types import Action, Message
from tmbr.environments.knowledge_graph import KINDS, Call
from tmbr.tasks.knowledge_graph import KnowledgeGraph
from tmbr.tasks.knowledge_graph.expert import decide
from tmbr.tasks.knowledge_graph.session import ROUNDS

NOTE = (
    "An earlier try gave a wrong answer. It did: get_relations(Bo Dal); Final Answer: #0. "
    "Take another way."
)
ASKED = "What are the actors in the films directed by Bo Dal?"
DIRECTED, STARRING = "people.person.films_directed", "film.film.starring"


@pytest.mark.parametrize(("form", "count"), [("text", 160), ("agentbench", 80)])
def test_it_answers_generated_questions_within_the_rounds(form: str, count: int) -> None:
    task = KnowledgeGraph(form=form)
    samples = task.samples("validation")[:count]
    games = [play(task, sample, task.expert) for sample in samples]
    assert {sample.setup["kind"] for sample in samples} == set(KINDS)
    assert [played.refused for played in games if played.refused] == []
    assert all(played.score.success for played in games)
    assert max(len(played.steps) for played in games) <= ROUNDS


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_the_walkthrough_answers_without_a_detour(form: str) -> None:
    task = KnowledgeGraph(form=form)
    for sample in task.samples("test")[:80]:
        played = led(task, sample)
        assert played.refused == []
        assert (played.score.value, played.score.success) == (1.0, True)
        assert len(played.steps) == len(sample.setup["actions"]) + 1
        assert not any(entity in m.content for m in played.messages for entity in _ids(sample.setup))


def _ids(setup: object) -> list[str]:
    assert isinstance(setup, dict)
    return list(setup["entities"].values())


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_a_note_of_an_earlier_try_does_not_confuse_it(form: str) -> None:
    task = KnowledgeGraph(form=form)
    for sample in task.samples("validation")[:16]:
        plain = play(task, sample, task.expert)
        noted = play(task, sample, task.expert, NOTE)
        assert [a.key for a in noted.actions] == [a.key for a in plain.actions]


def test_it_finds_back_after_errors() -> None:
    """One turn in five goes astray; what was found meanwhile keeps its number."""
    task, rng = KnowledgeGraph(), Random(0)

    def err(messages: list[Message]) -> Message:
        return task.mistake(messages, rng) if rng.random() < 0.2 else task.expert(messages)

    games: list[Played] = [play(task, s, err) for s in task.samples("validation")[:80]]  # type: ignore[arg-type]
    ended = [played for played in games if played.steps[-1].status == "completed"]
    assert len(ended) > 70
    assert all(played.score.success for played in ended)


Turns = list[tuple[Action | None, str]]


def after(*turns: tuple[str, str]) -> Call | str:
    told: Turns = [(call(said), heard) for said, heard in turns]
    return decide(ASKED, ["Bo Dal"], told).act


def test_it_looks_before_it_steps_and_uses_the_numbers_that_it_is_told() -> None:
    look, listed = "get_relations(Bo Dal)", f"Observation: [{DIRECTED}, people.person.parents]"
    made = "Observation: variable #4, which are instances of film.film"
    step = f"get_neighbors(Bo Dal,{DIRECTED})"
    assert after() == Call("get_relations", ("Bo Dal",))
    assert after((look, listed)) == Call("get_neighbors", ("Bo Dal", DIRECTED))
    assert after((look, listed), (step, made)) == Call("get_relations", ("#4",))
    known = ((look, listed), (step, made), ("get_relations(#4)", f"Observation: [{STARRING}]"))
    assert after(*known) == Call("get_neighbors", ("#4", STARRING))
    last = "Observation: variable #7, which are instances of people.person"
    assert after(*known, (f"get_neighbors(#4,{STARRING})", last)) == "#7"


def test_what_failed_is_not_said_again_and_again() -> None:
    error = "Error processing tool call: get_neighbors: relation must be a relation of the variable"
    listed = ("get_relations(Bo Dal)", "Observation: [people.person.parents]")
    failed = (f"get_neighbors(Bo Dal,{DIRECTED})", error)
    assert after(listed, failed) == Call("get_neighbors", ("Bo Dal", "people.person.parents"))
    made = "Observation: variable #0, which are instances of people.person"
    assert after(listed, failed, ("get_neighbors(Bo Dal,people.person.parents)", made)) == "#0"


def test_a_call_before_its_variable_was_there_is_made_again() -> None:
    early = ("get_relations(#0)", "Error processing tool call: list index out of range")
    listed = ("get_relations(Bo Dal)", f"Observation: [{DIRECTED}]")
    made = (f"get_neighbors(Bo Dal,{DIRECTED})", "Observation: variable #0, which are instances of x")
    assert after(early, listed, made) == Call("get_relations", ("#0",))


def test_a_question_that_it_cannot_read_ends_in_a_guess() -> None:
    task = KnowledgeGraph()
    prompt = [Message("user", f"{task.form.prompt}who wrote it?\nEntities: [Bo Dal]")]
    assert "get_relations(Bo Dal)" in task.expert(prompt).content
    nowhere = [*prompt, task.expert(prompt), Message("user", "Observation: []")]
    assert "Final Answer: #0" in task.expert(nowhere).content
