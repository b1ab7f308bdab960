"""Generated graphs and the questions about them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.environments.knowledge_graph import (
    FAMILIES,
    KINDS,
    ONTOLOGY,
    And,
    Arg,
    Count,
    Join,
    Knowledge,
    Program,
    Question,
    State,
    World,
    ask,
    generate,
    why_not,
)
from tmbr.environments.knowledge_graph.questions import LARGEST_ANSWER, read, target
from tmbr.environments.knowledge_graph.schema import ATTRIBUTES, RELATIONS


@cache
def world(triples: int = 10_000, seed: int = 0) -> World:
    return generate(triples, seed)


def questions(count: int, seed: int = 0) -> list[Question]:
    rng, kinds = Random(seed), list(KINDS)
    return [ask(world(), kinds[number % len(kinds)], rng) for number in range(count)]


@pytest.mark.parametrize("triples", [5_000, 10_000, 100_000])
def test_a_graph_has_as_many_facts_as_are_wanted(triples: int) -> None:
    facts = generate(triples, 1).facts
    assert 0 <= triples - len(facts) < 7
    assert len(set(facts)) == len(facts)


def test_equal_seeds_give_equal_graphs_and_others_give_others() -> None:
    assert generate(5_000, 4).facts == generate(5_000, 4).facts
    assert generate(5_000, 4).facts != generate(5_000, 5).facts


def test_names_of_the_families_never_meet() -> None:
    shared = [set(world(seed=seed).names.values()) for seed in range(2 * FAMILIES)]
    common = {n for n in shared[0] if n.islower()}  # genres and professions, which no question names
    for one in range(FAMILIES):
        for other in range(one + 1, FAMILIES):
            assert shared[one] & shared[other] == common
            assert shared[one] & shared[other + FAMILIES] == common


def test_every_link_can_be_walked_both_ways() -> None:
    facts = set(world().facts)
    for subject, name, value in facts:
        if name in RELATIONS:
            assert (value, RELATIONS[name].inverse, subject) in facts
        else:
            attribute = ATTRIBUTES[name]
            assert attribute.least <= float(value) <= attribute.most
    assert {name for _, name, _ in facts} == set(RELATIONS) | set(ATTRIBUTES)


def test_all_kinds_of_questions_are_asked() -> None:
    shapes = Counter(type(q.program).__name__ for q in questions(160))
    assert set(shapes) == {"Join", "And", "Arg", "Count"}
    hops = {str(q.program).count("JOIN") for q in questions(160) if "hop" in q.kind}
    assert hops == {1, 2, 3, 4}


def test_the_gold_actions_give_the_answer_of_the_plain_facts() -> None:
    """The facts are walked in Python on one side, asked in SPARQL through the tools on the other."""
    for question in questions(160):
        state = State(Knowledge(world().graph, ONTOLOGY), question.entities)
        assert why_not(state, question.calls, question.answer) is None, question.text
        assert len(question.calls) <= 13
        assert 0 < len(question.answer) <= LARGEST_ANSWER
        assert all(name in question.text for name in question.entities)


def test_a_question_is_read_back() -> None:
    for question in questions(160):
        told = str(question.program)
        for name, entity in question.entities.items():
            told = told.replace(entity, name)
        assert str(read(question.text)) == told


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (
            "What are the actors in the films directed by Bo Dal?",
            Join("film.film.starring", Join("people.person.films_directed", "Bo Dal")),
        ),
        ("How many are the natives of Dal?", Count(Join("location.city.people_born_here", "Dal"))),
        (
            "Of the natives of Dal, which has the least year of birth?",
            Arg("ARGMIN", Join("location.city.people_born_here", "Dal"), "people.person.year_of_birth"),
        ),
        (
            "Name those among both the films starring A B and the films scored by C D.",
            And(Join("people.person.films_acted_in", "A B"), Join("people.person.films_scored", "C D")),
        ),
    ],
)
def test_questions_mean_what_they_say(text: str, program: Program) -> None:
    assert read(text) == program


@pytest.mark.parametrize(
    "text",
    ["", "Of , which has the least ?", "What are Bo Dal?", "What are the actors in ?", "who is it?",
     "Of the natives of Dal, which has the least mass?", "Name those among both A and the B."],
)  # fmt: skip
def test_other_texts_are_no_questions(text: str) -> None:
    assert read(text) is None


phrases = st.sampled_from(
    [p for r in RELATIONS.values() for p in r.phrases] + ["those among both ", " and the ", "A"]
)


@given(st.text() | st.lists(phrases).map(lambda parts: f"What are {''.join(parts)}?"))
def test_any_text_can_be_read(text: str) -> None:
    program = read(text)
    assert program is None or isinstance(program, Join | And | Arg | Count)


def test_phrases_tell_relations_apart() -> None:
    said = [phrase for relation in RELATIONS.values() for phrase in relation.phrases]
    assert len(set(said)) == len(said) == 2 * len(RELATIONS)
    for relation in RELATIONS.values():
        for phrase in relation.phrases:
            assert read(f"Name {phrase}Bo Dal.") == Join(relation.name, "Bo Dal")
        assert RELATIONS[relation.inverse].inverse == relation.name
        assert target(Join(relation.name, "x")) == relation.target


@pytest.mark.slow
def test_a_million_facts() -> None:
    large = world(1_000_000, 2)
    assert 0 <= 1_000_000 - len(large.facts) < 7
    rng, kinds = Random(0), list(KINDS)
    for number in range(24):
        question = ask(large, kinds[number % len(kinds)], rng)
        state = State(Knowledge(large.graph, ONTOLOGY), question.entities)
        assert why_not(state, question.calls, question.answer) is None, question.text
