"""Programs as SPARQL: AgentBench's text, the standard's, and the nested form that visits sets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Store

from tmbr.environments.knowledge_graph import (
    And,
    Arg,
    Count,
    Fact,
    Join,
    MemoryGraph,
    Program,
    QueryError,
)
from tmbr.environments.knowledge_graph.dialect import ROW, nested, standard
from tmbr.environments.knowledge_graph.graph import plain
from tmbr.environments.knowledge_graph.program import LARGEST, relations_query, sparql

HEAD = "PREFIX ns: <http://rdf.freebase.com/ns/>\n"
PLAIN = "FILTER (!isLiteral(?x) OR lang(?x) = '' OR langMatches(lang(?x), 'en'))\n"
FILMS = Join("film.director.film", "m.0a")
CAST = Join("film.film.starring", FILMS)
OTHER = Join("film.actor.film", "m.0b")


# What AgentBench's own code gives for these programs; entities in the order of the question.
@pytest.mark.parametrize(
    ("program", "text"),
    [
        (
            CAST,
            "SELECT DISTINCT ?x\nWHERE {\n" + PLAIN + "ns:m.0a ns:film.director.film ?x0 .\n"
            "?x0 ns:film.film.starring ?x .\nFILTER (?x != ns:m.0a)\n}",
        ),
        (
            And(FILMS, OTHER),
            "SELECT DISTINCT ?x\nWHERE {\n" + PLAIN + "ns:m.0a ns:film.director.film ?x .\n"
            "ns:m.0b ns:film.actor.film ?x .\nFILTER (?x != ns:m.0a)\nFILTER (?x != ns:m.0b)\n}",
        ),
        (
            Count(FILMS),
            "SELECT COUNT DISTINCT ?x\nWHERE {\n" + PLAIN + "ns:m.0a ns:film.director.film ?x .\n"
            "FILTER (?x != ns:m.0a)\n}",
        ),
        (
            Arg("ARGMAX", FILMS, "film.film.year"),
            "SELECT DISTINCT ?x\nWHERE {\nns:m.0a ns:film.director.film ?x .\n"
            "?x ns:film.film.year ?sk0 .\n{SELECT ?sk0\nWHERE {\n" + PLAIN + "ns:m.0a "
            "ns:film.director.film ?x .\n?x ns:film.film.year ?sk0 .\nFILTER (?x != ns:m.0a)\n}\n"
            "ORDER BY DESC(?sk0)\nLIMIT 1\n}\n}",
        ),
    ],
)
def test_a_program_is_asked_as_agentbench_asks_it(program: Program, text: str) -> None:
    assert sparql(program) == HEAD + text


def test_the_relations_of_a_program_are_those_of_its_members() -> None:
    inner = sparql(FILMS).removeprefix(HEAD)
    outer = HEAD + "SELECT DISTINCT ?rel\nWHERE {\n?x ?rel ?obj .\n{\n"
    assert relations_query(FILMS) == f"{outer}{inner}\n}}\n}}"


def test_what_virtuoso_allows_is_made_standard_and_the_rest_is_left() -> None:
    query = (
        HEAD + "SELECT COUNT DISTINCT ?x WHERE { ?x ns:a.b.c ns:m.0_x . ?x a <http://OR/ns:x> "
        "FILTER (regex(?x, \"ns:a OR b\") OR ?x = 'OR') FILTER regex(str(?x), 'y') }"
    )
    assert standard(query) == (
        HEAD + "SELECT (COUNT(DISTINCT ?x) AS ?count) WHERE { ?x <http://rdf.freebase.com/ns/a.b.c> "
        "<http://rdf.freebase.com/ns/m.0_x> . ?x a <http://OR/ns:x> "
        "FILTER (regex(str(?x), \"ns:a OR b\") || ?x = 'OR') FILTER regex(str(?x), 'y') }"
    )


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    """Text that is no query is the asker's error, and never another one."""
    nested(standard(text))
    try:
        MemoryGraph([]).select(text)
    except QueryError:
        return


relations = st.sampled_from(["a.b.r", "a.b.s", "a.b.t"])
nodes = st.integers(0, 6).map(lambda number: f"m.0{number}")
links = st.lists(st.tuples(nodes, relations, nodes), max_size=40)
numbers = st.lists(st.tuples(nodes, st.just("a.b.n"), st.integers(0, 3)), max_size=10)


def larger(parts: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
    return (
        st.builds(Join, relations, parts | nodes)
        | st.builds(And, parts, parts)
        | st.builds(Arg, st.sampled_from(["ARGMAX", "ARGMIN"]), parts, st.just("a.b.n"))
        | st.builds(Count, parts)
    )


programs = st.recursive(st.builds(Join, relations, nodes), larger, max_leaves=5)


def flat(store: Store, query: str) -> list[str] | None:
    """The answer without nesting; None when the query is not well formed."""
    try:
        return sorted(plain(str(found[0].value)) for found in store.query(standard(query)))  # type: ignore[union-attr]
    except SyntaxError:
        return None


@given(links, numbers, programs)
def test_nesting_changes_no_answer(links: list[Fact], numbers: list[Fact], program: Program) -> None:
    """Superlatives of superlatives, counts within, shared entities: whatever the flat query means."""
    graph = MemoryGraph([*links, *numbers])
    for query in (sparql(program), relations_query(program)):
        wanted = flat(graph._store, query)
        if wanted is None:
            with pytest.raises(QueryError, match="not well formed"):
                graph.select(query)
        else:
            assert sorted(graph.select(query)) == wanted


@given(links, programs)
def test_a_program_without_numbers_means_its_sets(links: list[Fact], program: Program) -> None:
    if re.search("ARG|COUNT", str(program)):
        return
    asked = set(re.findall(r"m\.\d+", str(program)))
    assert set(MemoryGraph(links).select(sparql(program))) == members(links, program) - asked


def members(links: list[Fact], program: Program) -> set[str]:
    match program:
        case Join(relation, base):
            bases = members(links, base)
            return {str(o) for s, r, o in links if s in bases and r == relation}
        case And(left, right):
            return members(links, left) & members(links, right)
        case _:
            return {str(program)}


def test_a_variable_that_doubles_each_round_is_refused() -> None:
    program: Program = FILMS
    for _ in range(40):
        program = And(program, program) if str(program).count("(") < LARGEST else program
    with pytest.raises(QueryError, match="more than 100 parts"):
        sparql(program)


def test_a_long_chain_in_a_dense_graph_visits_sets_and_not_ways() -> None:
    names = [f"m.0{number:02}" for number in range(40)]
    graph = MemoryGraph((one, "a.b.r", other) for one in names for other in names)
    program: Program = names[0]
    for _ in range(14):  # 40 ** 14 ways
        program = Join("a.b.r", program)
    assert len(graph.select(sparql(program))) == 39


def test_a_query_that_passes_through_too_much_is_told_so() -> None:
    names = [f"m.0{number:02}" for number in range(40)]
    graph = MemoryGraph([(one, "a.b.r", other) for one in names for other in names], rows=1000)
    assert len(graph.select(sparql(Join("a.b.r", names[0])))) == 39
    with pytest.raises(QueryError, match="more than 1000 rows"):
        graph.select(sparql(Join("a.b.r", Join("a.b.r", names[0]))))


@pytest.mark.parametrize(
    "query", ["ASK { ?x ?y ?z }", "SELECT ?x ?y WHERE { ?x ?y ?z }", "CONSTRUCT WHERE { ?x ?y ?z }"]
)
def test_only_one_variable_is_selected(query: str) -> None:
    with pytest.raises(QueryError, match="does not select one variable"):
        MemoryGraph([("m.01", "a.b.r", "m.02")]).select(query)


def test_values_are_given_as_agentbench_reads_them() -> None:
    graph = MemoryGraph([("m.01", "a.b.r", "m.02"), ("m.01", "a.b.r", 7), ("m.01", "a.b.r", 0.5)])
    assert sorted(graph.select(sparql(Join("a.b.r", "m.01")))) == ["0.5", "7", "m.02"]
    assert plain("2015-08-10-08:00") == "2015-08-10"
    assert ROW.startswith("urn:")
