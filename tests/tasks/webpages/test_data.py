"""Mind2Web's files as samples; tried on generated files of the same schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tasks.playing import led, play
from tests.tasks.webpages.playing import winnable
from tmbr.core.errors import DataError
from tmbr.environments.webpages import write_scores, write_tasks
from tmbr.environments.webpages.sites import generate, record
from tmbr.tasks.samples import data_root
from tmbr.tasks.webpages import WebPages
from tmbr.tasks.webpages.data import SCORES, SPLITS

TASKS = [record(generate(seed)) for seed in range(6)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder as a user has it, with the twelfth file named after the second."""
    folder = tmp_path / "mind2web" / "test_task"
    folder.mkdir(parents=True)
    write_tasks(folder / "test_task_0.json", TASKS[:2])
    write_tasks(folder / "test_task_2.json", TASKS[2:4])
    write_tasks(folder / "test_task_11.json", TASKS[4:5])
    write_tasks(tmp_path / "mind2web" / "test_website_0.json", TASKS[5:])
    return tmp_path


def scored(root: Path) -> None:
    """A score file that ranks each step's right element third."""
    scores = {}
    for task in TASKS:
        for step in task.steps:
            wrong = [one.id for one in step.negatives]
            order = [*wrong[:2], *(one.id for one in step.positives), *wrong[2:]]
            scores[f"{task.id}_{step.uid}"] = {node: -float(at) for at, node in enumerate(order)}
    write_scores(root / "mind2web" / SCORES, scores)


def test_every_step_of_every_file_is_a_sample_in_order(root: Path) -> None:
    samples = WebPages("mind2web-test_task", root=root).samples("test")
    assert [sample.id for sample in samples] == [
        f"mind2web-test_task/{task.id}/{at}" for task in TASKS[:5] for at in range(len(task.steps))
    ]
    assert {sample.setup["file"] for sample in samples} == {
        f"test_task/test_task_{number}.json" for number in (0, 2, 11)
    }
    lone = WebPages("mind2web-test_website", root=root).samples("test")
    assert {sample.setup["file"] for sample in lone} == {"test_website_0.json"}
    assert len(lone) == len(TASKS[5].steps)


def test_the_row_says_who_ranked_the_candidates(root: Path) -> None:
    task = WebPages("mind2web-test_task", root=root)
    assert {sample.split for sample in task.samples("test")} == {"mind2web-test_task (bm25)"}
    assert led(task, task.samples("test")[0]).score.detail["ranker"] == "bm25"
    scored(root)
    assert {sample.split for sample in task.samples("test")} == {"mind2web-test_task (scores)"}
    assert led(task, task.samples("test")[0]).score.detail["ranker"] == "scores"


def test_with_the_score_file_its_first_ten_are_the_pool(root: Path) -> None:
    scored(root)
    task = WebPages("mind2web-test_task", "agentbench", root)
    for sample in task.samples("test"):
        asked = task.recorded(sample)
        first = [one.id for one in (*asked.step.negatives[:2], *asked.step.positives)]
        rest = [one.id for one in asked.step.negatives[2:]]
        assert set(asked.pool.pool) == {*first, *rest[: 10 - len(first)]}
        assert led(task, sample).score.success == winnable(asked)
        assert play(task, sample, task.expert).score.success == winnable(asked)
        assert asked.reachable


def test_a_score_file_of_other_files_is_told(root: Path) -> None:
    write_scores(root / "mind2web" / SCORES, {"other_step": {"1": 0.5}})
    task = WebPages("mind2web-test_task", root=root)
    with pytest.raises(DataError, match=f"{SCORES}: has no ranks for generated-0_0-0"):
        task.open(task.samples("test")[0])


def test_a_file_that_changed_is_told(root: Path) -> None:
    task = WebPages("mind2web-test_task", root=root)
    sample = task.samples("test")[0]
    path = root / "mind2web" / "test_task" / "test_task_0.json"
    rows = json.loads(path.read_text())
    rows[0]["actions"][0]["operation"]["value"] += " or so"
    rows[0]["actions"][0]["cleaned_html"] += "\n"
    path.write_text(json.dumps(rows))
    with pytest.raises(DataError, match="is another page than before"):
        task.open(sample)
    write_tasks(path, TASKS[3:4])
    with pytest.raises(DataError, match="is another page than before"):
        task.open(sample)
    path.unlink()
    with pytest.raises(DataError, match="no such file"):
        task.open(sample)


@pytest.mark.parametrize("name", SPLITS)
def test_what_is_missing_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    task = WebPages(name, root=tmp_path)
    with pytest.raises(DataError, match=r"mind2web: no such folder; set TMBR_DATA"):
        task.samples("test")
    (tmp_path / "mind2web").mkdir()
    with pytest.raises(DataError, match=f"neither {SPLITS[name]}/ nor {SPLITS[name]}_0.json is there"):
        task.samples("test")


@pytest.mark.parametrize("name", SPLITS)
def test_the_real_files_can_be_asked(name: str) -> None:
    """Every step opens and its gold answers are right wherever the pool has a right element."""
    if not (data_root() / "mind2web").is_dir():
        pytest.skip(f"{data_root() / 'mind2web'} is not there: the authors give the test files out")
    task = WebPages(name, "agentbench")
    for sample in task.samples("test")[::25]:
        assert led(task, sample).score.success == winnable(task.recorded(sample))
