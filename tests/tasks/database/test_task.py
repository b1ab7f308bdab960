"""The task: samples, episodes, score, the teachers, and DBBench's own files."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import ActionError, ConfigError, DataError, EnvironmentFault
from tmbr.core.protocols import Session
from tmbr.core.types import Action, Completion, Message, Sample, Step
from tmbr.tasks.base import split_seed
from tmbr.tasks.database import DatabaseTask
from tmbr.tasks.database.data import SPLITS, WRITES
from tmbr.tasks.database.forms import COMMIT, RUN, TextForm
from tmbr.tasks.database.generate import generate
from tmbr.tasks.database.session import ROUNDS
from tmbr.tasks.database.task import SIZES
from tmbr.tasks.database.wordings import WORDINGS, read
from tmbr.tasks.samples import data_root

KINDS = {*WORDINGS}


def run(sql: str) -> Action:
    return Action(RUN, {"query": sql})


def play(task: DatabaseTask, sample: Sample, policy: object) -> tuple[Session, list[Step]]:
    session = task.open(sample)
    messages, steps = task.messages(sample, session.observation), []
    while not steps or not steps[-1].done:
        said = policy(messages)  # type: ignore[operator]
        steps.append(session.step(task.parse(Completion(said.content, said.tool_calls))))
        heard = Message("tool" if said.tool_calls else "user", steps[-1].observation)
        messages += [said, heard]
    return session, steps


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_the_expert_solves_the_generated_samples(form: str) -> None:
    task = DatabaseTask(form=form)
    for sample in task.samples("validation")[:100]:
        session, steps = play(task, sample, task.expert)
        assert task.score(sample, session, steps).success, sample
        assert all(step.admissible for step in steps)
        assert len(steps) == 3


def test_the_expert_solves_them_in_spite_of_mistakes() -> None:
    task, rng = DatabaseTask(), Random(0)

    def stumble(messages: list[Message]) -> Message:
        return task.mistake(messages, rng) if rng.random() < 0.4 else task.expert(messages)

    for sample in task.samples("validation")[:60]:
        session, steps = play(task, sample, stumble)
        assert task.score(sample, session, steps).success
        assert all(step.admissible for step in steps)


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_the_walkthrough_solves_what_it_is_for(form: str) -> None:
    task = DatabaseTask(form=form)
    for sample in task.samples("test")[:60]:
        turns = iter(task.walkthrough(sample))
        session, steps = play(task, sample, lambda _, turns=turns: next(turns))
        assert task.score(sample, session, steps).success


def test_who_does_nothing_solves_nothing() -> None:
    task = DatabaseTask()
    for sample in task.samples("test")[:60]:
        session = task.open(sample)
        step = session.step(Action(COMMIT, {"answers": "[]"}))
        assert step.status == "completed"
        assert not task.score(sample, session, [step]).success


def test_all_kinds_are_asked_and_read() -> None:
    problems = [generate(seed) for seed in range(300)]
    assert {problem.kind for problem in problems} == KINDS
    for problem in problems:
        found = read(problem.instruction)
        assert found is not None
        assert found[0] == problem.kind
    assert generate(7) == generate(7)


def test_seeds_of_the_splits_never_meet() -> None:
    seeds = {split: {split_seed(split, index, SIZES) for index in range(2000)} for split in SIZES}
    assert sum(map(len, seeds.values())) == len(set.union(*seeds.values())) == 6000


def test_fifteen_rounds_and_no_more() -> None:
    session = DatabaseTask().open(DatabaseTask().samples("train")[0])
    steps = [session.step(None if i % 2 else run("SELECT 1")) for i in range(ROUNDS)]
    assert [step.done for step in steps] == [False] * (ROUNDS - 1) + [True]
    assert steps[-1].status == "task limit reached"
    assert session.step(run("SELECT 1")).observation == "The episode is over."
    assert DatabaseTask().score(DatabaseTask().samples("train")[0], session, steps).value == 0.0


def test_what_was_refused_is_not_admissible() -> None:
    session = DatabaseTask().open(DatabaseTask().samples("train")[0])
    assert session.step(run("SELECT 1")).admissible is True
    assert session.step(run("SELEKT 1")).admissible is False
    assert session.step(None).admissible is None


def test_only_a_commit_ends_by_itself() -> None:
    session = DatabaseTask().open(DatabaseTask().samples("train")[0])
    assert session.ends(Action(COMMIT, {"answers": "[]"}))
    assert not session.ends(run("SELECT 1"))


def test_actions_of_the_text_form() -> None:
    form = TextForm()
    told = "Thought: x\nAction: execute_sql ```sql\nSELECT a\nFROM t\n```\nObservation: made up"
    assert form.read(Completion(told)).arguments == {"query": "SELECT a\nFROM t"}
    with pytest.raises(ActionError):
        form.read(Completion("Action: drop everything"))


@given(st.text() | st.text().map(lambda text: f"Action: execute_sql {text}"))
def test_any_text_is_an_action_or_an_error(text: str) -> None:
    form = TextForm()
    try:
        action = form.read(Completion(text))
    except ActionError:
        return
    assert action.arguments["query" if action.name == RUN else "answers"]


def test_a_mistyped_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'agentbench'"):
        DatabaseTask(form="agentbensh")
    with pytest.raises(ConfigError, match="did you mean 'dbbench-dev'"):
        DatabaseTask("dbbench-dew")
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        DatabaseTask().samples("validatoin")


def real(name: str) -> DatabaseTask:
    if not (data_root() / "dbbench" / SPLITS[name]).is_file():
        pytest.skip(f"TMBR_DATA has no dbbench/{SPLITS[name]}")
    return DatabaseTask(name, "agentbench")


#: The gold write compares `No` with 16 where a row says `?`: strict mode refuses it.
BAD_GOLD = {"dbbench-standard.even/139"}
#: A column without a name.
NO_TABLE = {"dbbench-dev/5"}


@pytest.mark.parametrize(("name", "writes"), [("dbbench-dev", 40), ("dbbench-standard.even", 100)])
def test_the_gold_writes_have_their_outcome(name: str, writes: int) -> None:
    task = real(name)
    wrong, seen = set(), 0
    for sample in task.samples(name):
        if sample.target["type"] not in WRITES:
            continue
        seen += 1
        turns = iter(task.walkthrough(sample))
        session, steps = play(task, sample, lambda _, turns=turns: next(turns))
        if not task.score(sample, session, steps).success:
            wrong.add(sample.id)
    assert seen == writes
    assert wrong == BAD_GOLD & {sample.id for sample in task.samples(name)}


def test_a_table_that_mysql_refuses_is_a_fault() -> None:
    task = real("dbbench-dev")
    for sample in task.samples("dbbench-dev"):
        if sample.id in NO_TABLE:
            with pytest.raises(EnvironmentFault, match="Incorrect column name"):
                task.open(sample)
        else:
            assert sample.instruction in task.open(sample).observation


def test_broken_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set TMBR_DATA"):
        DatabaseTask("dbbench-dev", root=tmp_path).samples("dbbench-dev")
    (tmp_path / "dbbench").mkdir()
    path = tmp_path / "dbbench" / "dev.jsonl"
    for text, said in (
        ('{"description": "x", "type": ["other"], "tab', "no JSON"),
        ('{"description": "x"}', "has no"),
        ('{"description": "x", "type": ["UPDATE"], "table": {"table_name": "t"}}', "lacks"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=said) as error:
            DatabaseTask("dbbench-dev", root=tmp_path).samples("dbbench-dev")
        assert "\n" not in str(error.value)
        path.unlink()
