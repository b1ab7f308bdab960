"""Mind2Web's files: what is written in their schema is read back; what is broken is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tmbr.core.errors import DataError
from tmbr.environments.webpages import parse, read_tasks, write_tasks
from tmbr.environments.webpages.sites import generate, record

TASKS = [record(generate(seed)) for seed in range(6)]


def test_generated_tasks_are_read_back_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "test_task_0.json"
    write_tasks(path, TASKS)
    assert read_tasks(path) == TASKS


def test_the_file_has_the_published_fields(tmp_path: Path) -> None:
    path = tmp_path / "test_task_0.json"
    write_tasks(path, TASKS[:1])
    (task,) = json.loads(path.read_text())
    assert set(task) == {
        "annotation_id",
        "website",
        "domain",
        "subdomain",
        "confirmed_task",
        "action_reprs",
        "actions",
    }
    action = task["actions"][0]
    assert set(action) == {
        "action_uid",
        "raw_html",
        "cleaned_html",
        "operation",
        "pos_candidates",
        "neg_candidates",
    }
    assert set(action["operation"]) == {"op", "original_op", "value"}
    (positive,) = action["pos_candidates"]
    page = parse(action["cleaned_html"])
    assert page.nodes[positive["backend_node_id"]].tag == positive["tag"]
    assert json.loads(positive["attributes"])["backend_node_id"] == positive["backend_node_id"]
    assert positive["is_original_target"]
    assert positive["is_top_level_target"]
    assert action["raw_html"].startswith("<!DOCTYPE html>")


def test_a_step_knows_what_was_done_before() -> None:
    task = TASKS[0]
    assert task.history(0) == ()
    assert task.history(2) == task.told[:2]
    assert task.history(8) == task.told[3:8]


def _cut(path: Path) -> None:
    path.write_text(path.read_text()[:-100])


def _change(*where: str | int, to: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        rows = json.loads(path.read_text())
        at: Any = rows
        for key in where[:-1]:
            at = at[key]
        at[where[-1]] = to
        path.write_text(json.dumps(rows))

    return change


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (_cut, "truncated or no JSON"),
        (lambda path: path.write_text("[]"), "is no list of tasks"),
        (lambda path: path.write_text("[" * 100_000), "truncated or no JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "truncated or no JSON"),
        (lambda path: path.unlink(), "no such file"),
        (_change(0, "confirmed_task", to=3), "task 0 has no confirmed_task of type str"),
        (_change(1, "action_reprs", to=[]), "task 1: fewer action_reprs than actions"),
        (_change(0, "actions", 2, to="x"), "task 0, action 2 is no object"),
        (
            _change(0, "actions", 0, "operation", "op", to="HOVER"),
            "its op is none of CLICK, TYPE, SELECT",
        ),
        (_change(0, "actions", 0, "pos_candidates", 0, to={"tag": "a"}), "has no backend_node_id"),
    ],
)
def test_a_broken_file_is_told_in_one_line(
    tmp_path: Path, breaks: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "test_task_0.json"
    write_tasks(path, TASKS[:2])
    breaks(path)
    with pytest.raises(DataError, match=says) as told:
        read_tasks(path)
    assert str(told.value).startswith(str(path))
    assert "\n" not in str(told.value)
