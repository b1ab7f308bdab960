"""The seven tools by AgentBench's rules."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import ConfigError
from tmbr.environments.knowledge_graph import TOOLS, Fact, Knowledge, MemoryGraph, Ontology, State

ONTOLOGY = Ontology(
    frozenset({"film.director.film", "film.film.starring", "film.film.odd", "film.actor.film"}),
    frozenset({"film.film.year", "film.film.length"}),
    {
        "film.director.film": "film.film",
        "film.film.starring": "film.actor",
        "film.actor.film": "film.film",
    },
)
FACTS: list[Fact] = [
    ("m.0a", "film.director.film", "m.0f1"),
    ("m.0a", "film.director.film", "m.0f2"),
    ("m.0b", "film.director.film", "m.0f2"),
    ("m.0b", "film.director.film", "m.0f3"),
    ("m.0a", "film.director.unknown", "m.0f1"),
    ("m.0f1", "film.film.starring", "m.0a"),
    ("m.0f1", "film.film.starring", "m.0c"),
    ("m.0f2", "film.film.odd", "m.0c"),
    ("m.0f1", "film.film.year", 1950),
    ("m.0f2", "film.film.year", 1990),
    ("m.0f3", "film.film.year", 1990),
    ("m.0f2", "film.film.length", 99),
    ("m.0f2", "film.film.unknown", 1),
]
GRAPH = MemoryGraph(FACTS)
ERROR = "Error processing tool call: "


def start() -> State:
    return State(Knowledge(GRAPH, ONTOLOGY), {"Ann": "m.0a", "Bea": "m.0b"})


def say(state: State, *calls: str) -> tuple[State, list[str]]:
    """Calls such as `get_neighbors Ann film.director.film`, and what was told."""
    told = []
    for call in calls:
        name, *arguments = call.split(" ")
        outcome = state.call(name, dict(zip(TOOLS[name][1], arguments, strict=True)))
        assert outcome.done == (not outcome.told.startswith(ERROR))
        assert outcome.done or outcome.state is state
        state = outcome.state
        told.append(outcome.told)
    return state, told


def last(*calls: str) -> str:
    return say(start(), *calls)[1][-1]


def test_relations_are_those_of_the_vocabulary_in_order() -> None:
    assert last("get_relations Ann") == "Observation: [film.director.film]"
    assert last("get_relations m.0f2") == "Observation: [film.film.odd]"
    assert last("get_relations m.0nowhere") == "Observation: []"
    state, told = say(start(), "get_neighbors Ann film.director.film", "get_relations #0")
    assert told[1] == "Observation: [film.film.odd, film.film.starring]"
    assert len(state.variables) == 1


@pytest.mark.parametrize("name", ["Zoe", "g.0a", "0a", "m.", "m.0a b"])
def test_only_entities_and_variables_have_relations(name: str) -> None:
    refused = start().call("get_relations", {"variable": name})
    assert refused.told == f"{ERROR}get_relations: variable must be a variable or an entity"
    refused = start().call("get_neighbors", {"variable": name, "relation": "film.director.film"})
    assert refused.told == f"{ERROR}get_neighbors: variable must be a variable or an entity"


def test_neighbours_make_a_variable_of_the_relations_type() -> None:
    assert last("get_neighbors Ann film.director.film") == (
        "Observation: variable #0, which are instances of film.film"
    )
    state, _ = say(start(), "get_neighbors Ann film.director.film")
    assert state.answer("0") == {"m.0f1", "m.0f2"}


@pytest.mark.parametrize("relation", ["film.director.unknown", "film.film.starring", "#0"])
def test_a_relation_that_is_not_listed_is_refused(relation: str) -> None:
    told = last("get_neighbors Ann film.director.film", f"get_neighbors Ann {relation}")
    assert told == f"{ERROR}get_neighbors: relation must be a relation of the variable"


def test_a_relation_of_which_nobody_knows_where_it_leads_is_refused() -> None:
    assert last("get_neighbors m.0f2 film.film.odd") == f"{ERROR}'film.film.odd'"


def test_entities_of_the_question_are_no_answers() -> None:
    state, _ = say(
        start(), "get_neighbors Ann film.director.film", "get_neighbors #0 film.film.starring"
    )
    assert state.answer("1") == {"m.0c"}


def test_an_intersection_needs_equal_types() -> None:
    both = ("get_neighbors Ann film.director.film", "get_neighbors Bea film.director.film")
    state, told = say(start(), *both, "intersection #0 #1")
    assert told[2] == "Observation: variable #2, which are instances of film.film"
    assert state.answer("2") == {"m.0f2"}
    unequal = last(*both, "get_neighbors #0 film.film.starring", "intersection #0 #2")
    assert unequal == f"{ERROR}intersection: two variables must have the same type"


def test_superlatives_take_listed_attributes_and_all_that_tie() -> None:
    films = "get_neighbors Bea film.director.film"
    listed = last(films, "get_attributes #0")
    assert listed == "Observation: [film.film.length, film.film.year]"
    state, told = say(start(), films, "argmax #0 film.film.year", "argmin #0 film.film.length")
    assert told[1] == "Observation: variable #1, which are instances of film.film"
    assert (state.answer("1"), state.answer("2")) == ({"m.0f2", "m.0f3"}, {"m.0f2"})
    for tool in ("argmax", "argmin"):
        refused = last(films, f"{tool} #0 film.film.unknown")
        assert refused == f"{ERROR}{tool}: attribute must be an attribute of the variable"


def test_a_count_is_a_number_and_nothing_leads_out_of_it() -> None:
    calls = ("get_neighbors Ann film.director.film", "count #0")
    state, told = say(start(), *calls, "get_relations #1", "get_attributes #1")
    assert told[1:] == ["Observation: variable #1, which is a number", *["Observation: []"] * 2]
    assert state.answer("1") == {"2"}
    assert last(*calls, "intersection #0 #1").startswith(f"{ERROR}intersection: two variables")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("get_relations #0", "list index out of range"),
        ("get_relations #x", "invalid literal for int() with base 10: 'x'"),
        ("count Ann", "'str' object has no attribute 'program'"),
        ("get_attributes m.0a", "'str' object has no attribute 'program'"),
        ("argmax Ann film.film.year", "'str' object has no attribute 'program'"),
        ("intersection Ann Bea", "'str' object has no attribute 'type'"),
    ],
)
def test_what_is_no_variable_is_told_in_agentbenchs_words(call: str, why: str) -> None:
    assert last(call) == ERROR + why


def test_what_is_no_call_of_a_tool_is_told_in_agentbenchs_words() -> None:
    told = start().call("union", {"variable1": "#0", "variable2": "#1"}).told
    assert told == "Provide an invalid function name. Function union does not exist"
    told = start().call("argmax", {"variable": "#0"}).told
    assert told.startswith("Arguments do not match the function signature. ")
    assert told.endswith(" arguments for argmax")


def test_numbers_count_from_the_end_too_as_in_agentbench() -> None:
    assert last("get_neighbors Ann film.director.film", "count #-1").endswith("#1, which is a number")


def test_variables_are_not_asked_before_they_have_to_be() -> None:
    class Asked:
        def __init__(self) -> None:
            self.queries: list[str] = []

        def select(self, query: str) -> list[str]:
            self.queries.append(query)
            return GRAPH.select(query)

    graph = Asked()
    state = State(Knowledge(graph, ONTOLOGY), {"Ann": "m.0a"})
    state, _ = say(state, "get_relations Ann", "get_neighbors Ann film.director.film", "count #0")
    assert len(graph.queries) == 1
    state.answer("1")
    state.answer("1")
    assert len(graph.queries) == 2


@pytest.mark.parametrize("name", ["m." + "a" * 10**6, "#" + "9" * 10**6, "#" + "x" * 10**6])
def test_what_is_told_of_an_error_is_short(name: str) -> None:
    outcome = start().call("get_relations", {"variable": name})
    assert not outcome.done
    assert len(outcome.told) <= 400


def test_the_embedded_graph_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyoxigraph", None)
    with pytest.raises(
        ConfigError, match=r"needs pyoxigraph; install it with `pip install tmbr\[kg\]`"
    ):
        MemoryGraph(FACTS)


ARGUMENTS = [
    "Ann",
    "Bea",
    "#0",
    "#1",
    "#9",
    "film.director.film",
    "film.film.year",
    "m.0f1",
    "",
    "\n",
    "é",
]
texts = st.sampled_from(ARGUMENTS) | st.text(max_size=8)


@given(st.lists(st.tuples(st.sampled_from(sorted(TOOLS)), texts, texts), max_size=14))
def test_any_calls_are_answered(calls: list[tuple[str, str, str]]) -> None:
    state = start()
    for name, *arguments in calls:
        outcome = state.call(name, dict(zip(TOOLS[name][1], arguments, strict=False)))
        assert outcome.told.startswith(("Observation: ", ERROR))
        assert outcome.state.variables[: len(state.variables)] == state.variables
        state = outcome.state
