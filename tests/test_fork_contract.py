"""The fork contract, one test over all worlds.

Equal actions after a fork give equal steps and scores; neither side disturbs the other; forks of forks
work; closing one leaves the other alive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.doors import DoorsTask
from tmbr.core.protocols import Session, Task
from tmbr.core.types import Action, Sample, Score, Step
from tmbr.tasks.database import DatabaseTask
from tmbr.tasks.household import Household
from tmbr.tasks.household.session import HouseholdSession
from tmbr.tasks.knowledge_graph import KnowledgeGraph
from tmbr.tasks.knowledge_graph.session import KnowledgeGraphSession
from tmbr.tasks.webpages import WebPages
from tmbr.tasks.webshop import Webshop
from tmbr.tasks.webshop.session import WebshopSession

#: What can be said in a state: sensible, nonsense, and None for a turn without an action.
Moves = Callable[[Session], Sequence[Action | None]]


@dataclass(frozen=True, slots=True)
class World:
    """A task with the samples on which it is tried. forks: how many a leak test makes, None for all."""

    name: str
    task: Task
    samples: Sequence[Sample]
    moves: Moves
    forks: int | None = None


def _doors(_: Session) -> Sequence[Action | None]:
    opens = [Action("open", {"door": door}) for door in "abc"]
    return [*opens, *opens, Action("leave", {}), None]


def _household(session: Session) -> Sequence[Action | None]:
    assert isinstance(session, HouseholdSession)
    said = [*session.state.admissible, "LOOK", "go to cabnet 1", "put", "fly"]
    return [*(Action("take_action", {"action": command}) for command in said), None]


def _knowledge_graph(session: Session) -> Sequence[Action | None]:
    assert isinstance(session, KnowledgeGraphSession)
    state = session.state
    names = [*state.entities, *(f"#{number}" for number in range(len(state.variables) + 1)), "Zoe"]
    links = [
        "film.film.starring",
        *(r for n in [*state.entities.values()] for r in state.knowledge.relations(n)),
    ]
    made = [Action("get_neighbors", {"variable": n, "relation": r}) for n in names for r in links]
    told = [Action(tool, {"variable": n}) for n in names for tool in ("get_relations", "count")]
    both = [Action("intersection", {"variable1": "#0", "variable2": n}) for n in names]
    most = [Action("argmax", {"variable": n, "attribute": "film.film.release_year"}) for n in names]
    answers = [Action("final_answer", {"variable": f"#{n}"}) for n in (0, 9)]
    return [*made, *told, *both, *most, *answers, None]


def _database(_: Session) -> Sequence[Action | None]:
    said = [
        "SHOW TABLES",
        "CREATE TABLE extra (a INT, b TEXT)",
        "INSERT INTO extra VALUES (1, 'x')",
        "UPDATE extra SET a = a + 1",
        "SELECT * FROM extra",
        "ALTER TABLE extra ADD c TEXT",
        "DROP TABLE extra",
        "SELECT nonsense",
    ]
    commit = Action("commit_final_answer", {"answers": '["1"]'})
    return [*(Action("execute_sql", {"query": sql}) for sql in said), commit, None]


def _webpages(_: Session) -> Sequence[Action | None]:
    said = [(letter, "CLICK", "") for letter in "ABCDEFGHIJKLMNOPQZ"]
    said += [(letter, "TYPE", "rain jacket") for letter in "BGH"]
    said += [(letter, "SELECT", value) for letter in "GHI" for value in ("small", "2", "Friday")]
    keys = ("answer", "action", "value")
    return [*(Action("choose", dict(zip(keys, one, strict=True))) for one in said), None]


def _webshop(session: Session) -> Sequence[Action | None]:
    assert isinstance(session, WebshopSession)
    state = session.state
    said = [*state.view.clickables, *list(state.view.clickables)[::-1], "Buy Now", "nowhere", "[a] b"]
    searches = [Action("search_action", {"keywords": w}) for w in (state.instruction, "oil free", "")]
    return [*(Action("click_action", {"value": value}) for value in said), *searches, None]


def _worlds() -> list[World]:
    database = DatabaseTask()
    house, tool = Household(), Household(form="agentbench")
    graph, calls = KnowledgeGraph(), KnowledgeGraph(form="agentbench")
    steps, live = WebPages("generated-steps", "agentbench"), WebPages()
    shop, market = Webshop(), Webshop(form="agentbench")
    return [
        World("doors", DoorsTask(), DoorsTask().samples("test"), _doors),
        World("household, text", house, house.samples("train")[:6], _household),
        World("database", database, database.samples("train")[:6], _database),
        World("household, agentbench", tool, tool.samples("train")[:6], _household),
        World("knowledge graph, text", graph, graph.samples("train")[:8], _knowledge_graph),
        World("knowledge graph, agentbench", calls, calls.samples("train")[:8], _knowledge_graph),
        World("web pages, recorded", steps, steps.samples("train")[:8], _webpages),
        World("web pages, live", live, live.samples("train")[:8], _webpages),
        World("webshop, text", shop, shop.samples("train")[:6], _webshop),
        World("webshop, agentbench", market, market.samples("train")[:6], _webshop),
    ]


Seen = tuple[list[Step], Score, str, str]
numbers = st.lists(st.integers(0, 10**6), max_size=12)


def walk(world: World, sample: Sample, session: Session, choices: list[int]) -> Seen:
    """All that can be seen of a session while each number picks one of its moves."""
    steps = []
    for number in choices:
        moves = world.moves(session)
        steps.append(session.step(moves[number % len(moves)]))
    return steps, *seen(world, sample, session)


def seen(world: World, sample: Sample, session: Session) -> tuple[Score, str, str]:
    return world.task.score(sample, session, []), session.state_key(), session.observation


@pytest.mark.parametrize("world", _worlds(), ids=lambda world: world.name)
@given(st.integers(0, 10**6), numbers, numbers, numbers)
def test_forks(world: World, which: int, way: list[int], a: list[int], b: list[int]) -> None:
    sample = world.samples[which % len(world.samples)]
    origin = world.task.open(sample)
    walk(world, sample, origin, way)
    before = seen(world, sample, origin)
    left, right = origin.fork(), origin.fork()
    deep = right.fork().fork()
    assert seen(world, sample, left) == seen(world, sample, deep) == before

    gone = walk(world, sample, left, a)
    assert seen(world, sample, origin) == seen(world, sample, right) == before
    other = walk(world, sample, right, b)
    assert seen(world, sample, left) == gone[1:]
    assert walk(world, sample, deep, a) == gone

    left.close()
    late = origin.fork()
    origin.close()
    assert seen(world, sample, right) == other[1:]
    assert walk(world, sample, late, b) == other


@pytest.mark.parametrize("world", _worlds(), ids=lambda world: world.name)
@given(numbers)
def test_equal_openings_are_equal_worlds(world: World, way: list[int]) -> None:
    sample = world.samples[0]
    first, second = world.task.open(sample), world.task.open(sample)
    assert walk(world, sample, first, way) == walk(world, sample, second, way)


@pytest.mark.parametrize("world", _worlds(), ids=lambda world: world.name)
@given(numbers)
def test_what_ends_on_its_own_always_ends(world: World, way: list[int]) -> None:
    session = world.task.open(world.samples[0])
    walk(world, world.samples[0], session, way)
    for action in filter(None, world.moves(session)):
        if session.ends(action):
            assert session.fork().step(action).done
