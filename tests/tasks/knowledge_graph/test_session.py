"""One knowledge graph episode under AgentBench's rules."""

from __future__ import annotations

import pytest

from tests.environments.test_knowledge_graph_tools import GRAPH, ONTOLOGY
from tests.tasks.knowledge_graph.playing import call
from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Step
from tmbr.environments.knowledge_graph import Endpoint, Knowledge, State
from tmbr.tasks.knowledge_graph.forms import FORMS
from tmbr.tasks.knowledge_graph.session import ROUNDS, KnowledgeGraphSession

ENTITIES = {"Ann": "m.0a", "Bea": "m.0b"}
FILMS = "get_neighbors(Ann,film.director.film)"
NO_CALL = "No valid function calls found! Need to recheck the function calls."


def opened(form: str = "text") -> KnowledgeGraphSession:
    state = State(Knowledge(GRAPH, ONTOLOGY), ENTITIES)
    return KnowledgeGraphSession("Which films?", state, FORMS[form]())


def say(session: KnowledgeGraphSession, *calls: str | None) -> list[Step]:
    return [session.step(None if text is None else call(text)) for text in calls]


def test_the_first_observation_is_the_question_and_its_entities() -> None:
    assert opened().observation == "Which films?\nEntities: [Ann, Bea]"


@pytest.mark.parametrize("last", [FILMS, "count(#7)", None])
def test_fifteen_rounds_are_the_limit_whatever_they_hold(last: str | None) -> None:
    session = opened()
    assert not any(step.done for step in say(session, *["get_relations(Ann)"] * (ROUNDS - 1)))
    (step,) = say(session, last)
    assert (ROUNDS, step.done, step.status) == (15, True, "task limit reached")
    assert session.answer is None


def test_an_answer_in_the_last_round_counts() -> None:
    session = opened()
    say(session, FILMS, *[None] * (ROUNDS - 2))
    (step,) = say(session, "#0")
    assert (step.done, step.status, step.admissible) == (True, "completed", True)
    assert session.answer == {"m.0f1", "m.0f2"}


@pytest.mark.parametrize("variable", ["#1", "#99", "#" + "9" * 5000])
def test_an_answer_that_is_not_there_fails_validation(variable: str) -> None:
    session = opened()
    step = say(session, FILMS, variable)[1]
    assert (step.done, step.status, step.admissible) == (True, "agent validation failed", False)
    assert session.answer is None
    assert len(step.observation) < 300


def test_an_answer_that_cannot_be_asked_for_fails_validation() -> None:
    """AgentBench's query for a superlative of a superlative is no SPARQL."""
    session = opened()
    twice = [FILMS, "argmax(#0,film.film.year)", "count(#1)", "#2"]
    assert say(session, *twice)[-1].status == "agent validation failed"


def test_after_the_end_the_world_says_that_it_is_over() -> None:
    session = opened()
    say(session, FILMS, "#0")
    before = session.state_key()
    over = Step("The episode is over.", True, "completed")
    assert say(session, "get_relations(Ann)", None, "#7") == [over] * 3
    assert session.state_key() == before


def test_a_turn_without_a_call_costs_a_round_and_nothing_else() -> None:
    for form in FORMS:
        session = opened(form)
        steps = say(session, *[None] * (ROUNDS - 1), FILMS)
        assert steps[0] == Step(NO_CALL, False, None, admissible=None)
        assert [step.done for step in steps] == [False] * (ROUNDS - 1) + [True]
        assert len(session.state.variables) == 1


def test_what_cannot_be_done_is_told_and_inadmissible() -> None:
    session = opened()
    done, refused = say(session, "get_relations(Ann)", "get_relations(Zoe)")
    assert (done.admissible, refused.admissible) == (True, False)
    assert refused.observation.startswith("Error processing tool call: ")


def test_only_a_final_answer_ends_an_episode() -> None:
    session = opened()
    assert session.ends(call("#0"))
    assert not session.ends(call("count(#0)"))


def test_what_is_told_at_the_end_does_not_tell_whether_it_is_right() -> None:
    assert say(opened(), FILMS, "#0")[1].observation == "The answer is #0."


def test_a_fork_shares_the_state_until_it_moves() -> None:
    session = opened()
    say(session, FILMS)
    fork = session.fork()
    assert fork.state is session.state
    say(fork, "count(#0)", "#1")
    assert len(session.state.variables) == 1
    assert (fork.answer, session.answer) == ({"2"}, None)


def test_a_graph_that_does_not_answer_is_a_fault_and_no_observation() -> None:
    state = State(Knowledge(Endpoint("http://127.0.0.1:9/sparql", 1.0), ONTOLOGY), ENTITIES)
    session = KnowledgeGraphSession("Which films?", state, FORMS["text"]())
    with pytest.raises(EnvironmentFault, match=r"SPARQL endpoint http://127.0.0.1:9/sparql: .*; check"):
        say(session, "get_relations(Ann)")
