"""A SPARQL endpoint behind the graph's protocol: against a real server, and servers that misbehave."""

from __future__ import annotations

import socket
import time
import urllib.parse
from collections.abc import Iterator
from threading import Thread

import pytest

from tests.environments.sparql_server import GARBAGE, SECRET, serving
from tests.environments.test_knowledge_graph_tools import FACTS, GRAPH, ONTOLOGY, say
from tmbr.core.errors import ConfigError, EnvironmentFault
from tmbr.environments.knowledge_graph import (
    And,
    Arg,
    Count,
    Endpoint,
    Join,
    Knowledge,
    MemoryGraph,
    Program,
    QueryError,
    State,
)
from tmbr.environments.knowledge_graph.program import relations_query, sparql

FILMS = Join("film.director.film", "m.0a")
PROGRAMS: list[Program] = [
    FILMS,
    Join("film.film.starring", FILMS),
    And(FILMS, Join("film.director.film", "m.0b")),
    Arg("ARGMAX", Join("film.director.film", "m.0b"), "film.film.year"),
    Count(FILMS),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(MemoryGraph(FACTS)) as base:
        yield base


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_both_graphs_answer_alike(url: str, program: Program) -> None:
    endpoint = Endpoint(f"{url}/sparql")
    for query in (sparql(program), relations_query(program), relations_query("m.0f1")):
        assert sorted(endpoint.select(query)) == sorted(GRAPH.select(query))


def test_the_tools_do_not_see_which_graph_they_ask(url: str) -> None:
    calls = (
        "get_relations Ann",
        "get_neighbors Ann film.director.film",
        "get_attributes #0",
        "argmin #0 film.film.year",
        "get_neighbors Bea film.director.film",
        "intersection #0 #2",
        "get_neighbors #9 film.director.film",
        "count #3",
    )
    remote = State(Knowledge(Endpoint(f"{url}/sparql"), ONTOLOGY), {"Ann": "m.0a", "Bea": "m.0b"})
    local = State(Knowledge(GRAPH, ONTOLOGY), remote.entities)
    (far, far_told), (near, near_told) = say(remote, *calls), say(local, *calls)
    assert far_told == near_told
    assert [far.answer(str(k)) for k in range(5)] == [near.answer(str(k)) for k in range(5)]


def test_a_query_that_the_server_rejects_is_the_askers_error(url: str) -> None:
    with pytest.raises(QueryError, match=r"rejects the query \(Virtuoso 37000 Error SP030: .*\)$"):
        Endpoint(f"{url}/sparql").select("SELECT")


def fault(url: str, timeout: float = 5.0) -> str:
    with pytest.raises(EnvironmentFault) as caught:
        Endpoint(url, timeout).select(sparql(FILMS))
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("path", GARBAGE)
def test_garbage_is_told_in_one_line(url: str, path: str) -> None:
    assert fault(url + path).startswith(f"SPARQL endpoint {url}{path}: its answer is no SPARQL result")


def test_a_server_that_fails_or_a_wrong_path_is_told_in_one_line(url: str) -> None:
    assert f"{url}/broken: HTTP 500 Internal Server Error; check" in fault(f"{url}/broken")
    assert f"{url}/sparkle: HTTP 404 Not Found; check the URL" in fault(f"{url}/sparkle")


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_a_late_answer_is_not_waited_for(url: str, path: str) -> None:
    start = time.monotonic()
    assert f"{url}{path}: no answer in 0.2 s; check" in fault(url + path, 0.2)
    assert time.monotonic() - start < 0.9


def test_an_endless_answer_is_not_taken_in(url: str) -> None:
    assert "an answer of more than 67108864 bytes" in fault(f"{url}/endless")


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert "refused" in fault(f"http://127.0.0.1:{port}/sparql")
    assert "no-such-host.invalid/sparql: " in fault("http://no-such-host.invalid/sparql")
    assert "http://a..b/sparql: " in fault("http://a..b/sparql")


def test_a_listener_that_hangs_up_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        fault_url = f"http://127.0.0.1:{server.getsockname()[1]}/sparql"

        def hang_up() -> None:
            server.accept()[0].close()

        thread = Thread(target=hang_up)
        thread.start()
        assert fault_url in fault(fault_url)
        thread.join()


def test_user_and_password_are_sent_and_never_shown(url: str) -> None:
    def with_word(word: str) -> str:
        return url.replace("http://", f"http://reader:{urllib.parse.quote(word)}@") + "/secret"

    endpoint = Endpoint(with_word(SECRET))
    assert sorted(endpoint.select(sparql(FILMS))) == ["m.0f1", "m.0f2"]
    assert endpoint.url == f"{url}/secret"
    message = fault(with_word("wrongword"))
    assert "HTTP 401 Unauthorized; check the URL, its user and password" in message
    assert "wrongword" not in message
    assert "reader" not in message


@pytest.mark.parametrize(
    "url", ["", "localhost:3001/sparql", "ftp://x/y", "http://", "http://u:pw@h:x/"]
)
def test_what_is_no_url_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(
        ConfigError, match=r"is no http\(s\) URL; say http://host:port/sparql"
    ) as caught:
        Endpoint(url)
    assert "pw" not in str(caught.value)
