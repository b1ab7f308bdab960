"""Graphs made backwards from gold actions: they give the gold answer, and hide it among others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import DataError
from tmbr.environments.knowledge_graph import (
    Knowledge,
    MemoryGraph,
    Ontology,
    State,
    Vocabulary,
    induce,
    read_calls,
    why_not,
)
from tmbr.environments.knowledge_graph.induce import LISTED

TYPES = ("film.film", "film.actor", "film.director", "people.person", "common.topic")
VOCABULARY = Vocabulary(
    tuple(f"{kind}.link_{number:02}" for kind in TYPES for number in range(40)),
    tuple(f"{kind}.number_{number}" for kind in TYPES for number in range(12)),
    TYPES,
    {},
)
CHAIN = ["get_relations(m.0a)", "get_neighbors(m.0a,film.director.link_01)", "get_relations(#0)"]
BOTH = [
    *CHAIN,
    "get_neighbors(#0,film.film.link_02)",
    "get_relations(m.0b)",
    "get_neighbors(m.0b,people.person.link_03)",
    "intersection(#1,#2)",
]
MOST = [*CHAIN, "get_attributes(#0)", "argmax(#0,film.film.number_3)"]


def made(
    actions: Sequence[str], answer: set[str], seed: int = 0, vocabulary: Vocabulary = VOCABULARY
) -> State:
    facts, ontology = induce(read_calls(actions), frozenset(answer), "film.film", vocabulary, seed)
    return State(Knowledge(MemoryGraph(facts), ontology), {"Ann": "m.0a"})


@pytest.mark.parametrize(
    ("actions", "answer"),
    [
        (CHAIN, {"m.0x"}),
        (BOTH, {"m.0x", "m.0y"}),
        (MOST, {"m.0x", "m.0y", "m.0z"}),
        ([*MOST[:-1], "argmin(#0,film.film.number_3)"], {"m.0x"}),
        ([*BOTH, "count(#3)"], {"17"}),
        ([*BOTH, "get_relations(#3)", "get_neighbors(#3,film.actor.link_09)"], {"m.0x"}),
        ([*BOTH, "intersection(#3,#1)"], {"m.0x"}),
        ([*CHAIN, "get_neighbors(m.0a,film.director.link_01)", "intersection(#0,#1)"], {"m.0x"}),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_the_gold_actions_give_the_gold_answer(actions: list[str], answer: set[str], seed: int) -> None:
    state = made(actions, answer, seed)
    assert why_not(state, read_calls(actions), frozenset(answer)) is None


answers = st.sets(st.integers(0, 99).map(lambda number: f"m.0x{number}"), min_size=1, max_size=30)


@given(answers, st.integers(0, 10**6), st.sampled_from([CHAIN, BOTH, MOST]))
def test_any_answer_can_be_hidden(answer: set[str], seed: int, actions: list[str]) -> None:
    assert why_not(made(actions, answer, seed), read_calls(actions), frozenset(answer)) is None


def test_equal_seeds_give_equal_facts_and_others_give_others() -> None:
    def facts(seed: int) -> list[object]:
        return list(induce(read_calls(BOTH), frozenset({"m.0x"}), None, VOCABULARY, seed)[0])

    assert facts(1) == facts(1)
    assert facts(1) != facts(2)


def test_lists_are_long_and_what_lies_beside_the_way_can_be_walked_too() -> None:
    state = made(BOTH, {"m.0x"})
    relations = state.knowledge.relations("m.0a")
    assert LISTED[0] <= len(relations) <= LISTED[1] + 1
    assert "film.director.link_01" in relations
    aside = next(name for name in relations if name != "film.director.link_01")
    outcome = state.call("get_neighbors", {"variable": "Ann", "relation": aside})
    assert outcome.done
    assert outcome.state.knowledge.relations(outcome.state.variables[0].program)


def test_what_is_intersected_or_the_greatest_is_one_of_several() -> None:
    for actions, variables in ((BOTH, "12"), (MOST, "0")):
        state = made(actions, {"m.0x"})
        for call in read_calls(actions):
            state = state.call(call.name, call.named).state
        for variable in variables:
            assert len(state.answer(variable)) >= 3
            assert "m.0x" in state.answer(variable)


def test_types_are_those_that_the_actions_imply() -> None:
    _, ontology = induce(read_calls(BOTH), frozenset({"m.0x"}), "film.actor", VOCABULARY, 0)
    assert ontology.ranges["film.director.link_01"] == "film.film"
    assert ontology.ranges["film.film.link_02"] == "film.actor"
    assert ontology.ranges["people.person.link_03"] == "film.actor"


def test_types_that_are_known_are_kept_and_the_tools_rules_with_them() -> None:
    known = Vocabulary(
        VOCABULARY.relations,
        VOCABULARY.attributes,
        TYPES,
        {
            "film.director.link_01": "film.film",
            "film.film.link_02": "a.b",
            "people.person.link_03": "a.c",
        },
    )
    why = why_not(made(BOTH, {"m.0x"}, vocabulary=known), read_calls(BOTH), frozenset({"m.0x"}))
    assert why is not None
    assert why.endswith("intersection: two variables must have the same type")


@pytest.mark.parametrize(
    ("actions", "answer", "why"),
    [
        (["get_neighbors(m.0a,no.such.relation)"], "m.0x", "relation must be a relation"),
        (["get_neighbors(g.0a,film.director.link_01)"], "m.0x", "must be a variable or an entity"),
        ([*CHAIN, "argmax(#0,no.such.number)"], "m.0x", "attribute must be an attribute"),
        (CHAIN, "m.0a", "an entity of the question is part of the gold answer"),
        (["count(#0)"], "3", "list index out of range"),
        (["get_relations(m.0a)"], "m.0x", "the actions give 0 answers, 0 of them right"),
    ],
)
def test_what_the_tools_refuse_is_said(actions: list[str], answer: str, why: str) -> None:
    assert why in str(why_not(made(actions, {answer}), read_calls(actions), frozenset({answer})))


def test_wrong_actions_are_told_from_right_ones() -> None:
    state = made(BOTH, {"m.0x"})
    assert why_not(state, read_calls(BOTH[:4]), frozenset({"m.0x"})) is not None


@pytest.mark.parametrize("action", ["fly(m.0a)", "count(#0,#1)", "get_relations", "", "argmax(#0)"])
def test_what_is_no_action_is_one_line(action: str) -> None:
    with pytest.raises(DataError, match=r"the gold action .* is no call of a tool; fetch"):
        read_calls([action])


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        (call,) = read_calls([text])
    except DataError:
        return
    assert read_calls([str(call)]) == (call,)


def test_an_ontology_is_a_plain_value() -> None:
    empty = Ontology(frozenset(), frozenset(), {})
    assert State(Knowledge(MemoryGraph([]), empty), {}).knowledge.relations("m.0a") == []
