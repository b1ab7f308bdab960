from __future__ import annotations

import asyncio
import contextlib
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import teacher_worlds as worlds
from tmbr.cli.tasks import make_task
from tmbr.core.types import Message, Sample
from tmbr.models.expert import ExpertModel
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.strategies import strategy
from tmbr.teacher.admission import Evaluation
from tmbr.teacher.asker import Content, Question, Unfit, read_json, sentence
from tmbr.teacher.askers import ASKERS, make_asker
from tmbr.teacher.questions import KEPT, Generator, encode
from tmbr.teacher.roles import Ask
from tmbr.teacher.solution import Solved, Solver

NAMES = sorted(ASKERS)
TASKS = {name: make_task(name, "generated", "text") for name in NAMES}


def solver(name: str) -> Solver:
    task: Any = TASKS[name]
    expert = ExpertModel("expert", task.expert)
    return Solver(task, lambda *_: strategy("react"), expert, expert, 0, 1)


def sample(name: str, question: Question) -> Sample:
    return Sample("q", name, "train", question.instruction, question.setup, question.target)


def checked(solve: Solver, name: str, question: Question) -> Solved:
    solve.check_start(sample(name, question))
    return asyncio.run(solve.solve(sample(name, question), 0, 0))


def asked(name: str, seed: int, fault: str = "") -> tuple[Content, dict[str, Any] | None]:
    """A world and what the scripted teacher says of it."""
    asker = make_asker(name, TASKS[name])
    content = asker.content(seed)
    rng = Random(seed)
    category = rng.choice(content.categories)
    if fault:
        return content, worlds.faulty(name, content.text, category, rng, fault)
    return content, worlds.question(name, content.text, category, rng)


@pytest.mark.parametrize("name", NAMES)
def test_a_good_question_is_solved_a_second_time(name: str) -> None:
    asker, solve = make_asker(name, TASKS[name]), solver(name)
    reached = 0
    for seed in range(12):
        content, said = asked(name, seed)
        assert asker.content(seed) == content
        question = asker.read(content, json.loads(json.dumps(said)))
        assert question.category in asker.categories
        made = sample(name, question)
        assert asker.world(made) == question.world
        solve.check_start(made)
        try:
            solved = asyncio.run(solve.solve(made, seed, 0))
        except Unfit:
            continue
        reached += 1
        assert solved.by == "expert"
        assert solved.turns > 0
        assert asker.level(question, solved.turns) in ("easy", "medium", "hard")
    assert reached >= 9  # the shop's expert does not find every product


@pytest.mark.parametrize("fault", ["hallucinated object", "true at the start", "without solution"])
@pytest.mark.parametrize("name", NAMES)
def test_a_bad_question_is_caught_where_it_is_bad(name: str, fault: str) -> None:
    asker, solve = make_asker(name, TASKS[name]), solver(name)
    stages = set()
    for seed in range(12):
        content, said = asked(name, seed, fault)
        if said is None:
            continue
        with pytest.raises(Unfit) as caught:
            checked(solve, name, asker.read(content, said))
        stages.add(caught.value.stage)
    wanted = {"hallucinated object": "grounding", "true at the start": "start"}.get(fault, "solution")
    assert stages == ({"grounding"} if name == "webshop" and wanted == "solution" else {wanted})


@pytest.mark.parametrize("name", NAMES)
def test_a_question_or_a_world_of_evaluation_is_caught(name: str) -> None:
    task = TASKS[name]
    asker, held = make_asker(name, task), Evaluation(0.85)
    samples = task.samples("test")[:20]
    held.add("test", asker, samples)
    assert held.counts == {"test": 20}
    with pytest.raises(Unfit, match="evaluation sample"):
        held.check_text(samples[7].instruction.upper())
    with pytest.raises(Unfit, match=samples[3].id):
        held.check_world(asker.world(samples[3]))
    for seed in range(20):
        content, said = asked(name, seed)
        assert said is not None
        held.check_world(asker.read(content, said).world)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"question": "q", "sql": "SELECT 1; DROP"}, "is refused"),
        ({"question": "q"}, "no text under `sql`"),
        ({"question": 3, "sql": "SELECT 1"}, "no text under `question`"),
        ({"question": "q\x00", "sql": "SELECT 1"}, "not plain text"),
        ({"question": "q", "sql": "SHOW TABLES"}, "answered by SELECT"),
        ({"question": "q", "sql": "SELECT 1, 2"}, "not one column"),
    ],
)
def test_what_cannot_be_executed_is_said(said: dict[str, Any], why: str) -> None:
    asker = make_asker("database", TASKS["database"])
    with pytest.raises(Unfit, match=why):
        asker.read(asker.content(1), said)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("question", "goal", "thing", "place", "sql", "product", "attributes", "options", "limit")


@pytest.mark.parametrize("name", NAMES)
@given(said=st.dictionaries(st.sampled_from(KEYS), json_values))
def test_an_asker_takes_any_json(name: str, said: dict[str, Any]) -> None:
    asker = make_asker(name, TASKS[name])
    with pytest.raises(Unfit):
        asker.read(asker.content(1), said)


@given(st.text())
def test_reading_an_answer_is_total(text: str) -> None:
    with contextlib.suppress(Unfit):
        assert sentence(read_json(text)).isprintable()


@pytest.mark.parametrize("limit", [10**400, float("inf"), float("nan"), 1e7])
def test_a_limit_that_no_shop_has_is_no_limit(limit: float) -> None:
    asker = make_asker("webshop", TASKS["webshop"])
    content, said = asked("webshop", 1)
    assert said is not None
    with pytest.raises(Unfit, match="`limit` is above"):
        asker.read(content, said | {"limit": limit})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ('{"question": "q", "sql": "SELECT \'\\ud800\'"}', "half a surrogate pair"),
        ('{"question": "q", "sql": "\ud800"}', "half a surrogate pair"),
        ('{"a": ' * 100_000, "no JSON object"),
    ],
)
def test_what_is_no_text_ends_one_proposal_and_not_the_run(answer: str, why: str) -> None:
    """It is kept in the journal as any other: half a surrogate pair becomes `?`."""
    task: Any = TASKS["database"]
    asker, solve = make_asker("database", task), solver("database")
    model = ScriptedModel(lambda *_: [answer])
    made = Generator("database", asker, model, solve, Evaluation(0.85), 0, 2)
    found = asyncio.run(made.proposal(0, asker.content(0), Ask("other", "easy")))
    assert found.stage == "format"
    assert why in (found.reason or "")
    assert json.loads(encode(found))["said"] == answer[:KEPT].replace("\ud800", "?")


@given(st.dictionaries(st.text(), json_values), st.text(alphabet="ab \n`#"))
def test_json_is_found_in_whatever_stands_around_it(told: dict[str, Any], around: str) -> None:
    assert read_json(f"{around}{json.dumps(told)}{around}") == told


def test_a_world_of_one_s_own_can_be_asked_about() -> None:
    task: Any = make_task("docs/counter.py:Counter", "generated", "text")
    asker = make_asker("docs/counter_asker.py:CounterAsker", task)
    expert = ExpertModel("expert", task.expert)
    content = asker.content(3)
    start = int(content.text.removeprefix("The number is ").removesuffix("."))
    said = {"question": f"Make {2 * start} of {start}.", "goal": 2 * start}
    question = asker.read(content, said)
    solved = checked(
        Solver(task, lambda *_: strategy("react"), expert, expert, 0, 1), "counter", question
    )
    assert (solved.turns, asker.level(question, solved.turns)) == (1, "easy")
    with pytest.raises(Unfit, match="there already"):
        asker.read(content, {"question": f"Make {start} of {start}.", "goal": start})


def test_samples_agree_where_the_expert_does_not_understand() -> None:
    """Free words, which the expert cannot read, are verified by a model that can."""
    task: Any = TASKS["household"]
    asker = make_asker("household", task)
    content = asker.content(2)
    said = worlds.question("household", content.text, "place", Random(0))
    free = f"Could the {said['thing']} go to its {said['place']}?"
    question = asker.read(content, said | {"question": free})

    def knows(messages: Any) -> Any:
        first = messages[0].content.replace(free, said["question"])
        return task.expert([Message("user", first), *messages[1:]])

    expert, able = ExpertModel("expert", task.expert), ExpertModel("able", knows)
    both = Solver(task, lambda *_: strategy("react"), expert, able, 3, 2)
    assert checked(both, "household", question).by == "3 of 3 samples"
    with pytest.raises(Unfit, match="tried: the expert, 0 of 2 samples"):
        checked(Solver(task, lambda *_: strategy("react"), expert, expert, 2, 1), "household", question)
