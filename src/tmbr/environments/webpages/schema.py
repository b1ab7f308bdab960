"""Mind2Web's published JSON, read and written: a list of tasks, each with its steps on saved pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tmbr.core.errors import DataError, no_file

OPERATIONS = ("CLICK", "TYPE", "SELECT")
#: How many of the last actions an agent is told.
TOLD_ACTIONS = 5
_MEND = "get Mind2Web's test files again, see `tmbr data check`"
_TASK = {
    "annotation_id": str,
    "website": str,
    "domain": str,
    "subdomain": str,
    "confirmed_task": str,
    "action_reprs": list,
    "actions": list,
}
_ACTION = {
    "action_uid": str,
    "cleaned_html": str,
    "operation": dict,
    "pos_candidates": list,
    "neg_candidates": list,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An element that may be meant. original, top_level: what a positive is said to be.

    attributes: as JSON; written, and not read, as a page has them all.
    """

    tag: str
    id: str
    original: bool = False
    top_level: bool = False
    attributes: str = field(default="{}", compare=False)


@dataclass(frozen=True, slots=True)
class WebStep:
    """One action on one page. html: the cleaned page. raw: the page itself; written, and not read,
    as it is large and nothing asks for it."""

    uid: str
    html: str
    operation: str
    value: str
    positives: tuple[Candidate, ...]
    negatives: tuple[Candidate, ...]
    original_op: str = ""
    raw: str = field(default="", compare=False)

    @property
    def target(self) -> str:
        """What operation F1 compares with: the operation, and its value where it has one."""
        told = "" if self.operation == "CLICK" else " ".join(self.value.split("\n")[:1]).strip()
        return f"{self.operation} {told}".strip()


@dataclass(frozen=True, slots=True)
class WebTask:
    """What was asked on a website, and how a person did it. told: each step in words."""

    id: str
    website: str
    domain: str
    subdomain: str
    instruction: str
    told: tuple[str, ...]
    steps: tuple[WebStep, ...]

    def history(self, step: int) -> tuple[str, ...]:
        """The last actions before a step, in words."""
        return self.told[max(0, step - TOLD_ACTIONS) : step]


def read_tasks(path: Path) -> list[WebTask]:
    """The tasks of one file. Raises DataError when it is missing, truncated or of another schema."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{no_file(path)}; {_MEND}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {_MEND}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: truncated or no JSON ({error}); {_MEND}") from error
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{path}: is no list of tasks; {_MEND}")
    try:
        return [_task(row, f"task {number}") for number, row in enumerate(rows)]
    except _Schema as error:
        raise DataError(f"{path}: {error}; {_MEND}") from error


class _Schema(Exception):
    """What is wrong where in a file."""


def _task(row: Any, where: str) -> WebTask:
    _check(row, _TASK, where)
    if len(row["action_reprs"]) < len(row["actions"]):
        raise _Schema(f"{where}: fewer action_reprs than actions")
    return WebTask(
        row["annotation_id"],
        row["website"],
        row["domain"],
        row["subdomain"],
        row["confirmed_task"],
        tuple(str(told) for told in row["action_reprs"]),
        tuple(_step(action, f"{where}, action {n}") for n, action in enumerate(row["actions"])),
    )


def _step(row: Any, where: str) -> WebStep:
    _check(row, _ACTION, where)
    _check(row["operation"], {"op": str, "value": str}, f"{where}, operation")
    if row["operation"]["op"] not in OPERATIONS:
        raise _Schema(f"{where}: its op is none of {', '.join(OPERATIONS)}")
    return WebStep(
        row["action_uid"],
        row["cleaned_html"],
        row["operation"]["op"],
        row["operation"]["value"],
        tuple(_candidate(one, f"{where}, pos_candidates") for one in row["pos_candidates"]),
        tuple(_candidate(one, f"{where}, neg_candidates") for one in row["neg_candidates"]),
        str(row["operation"].get("original_op", "")),
    )


def _candidate(row: Any, where: str) -> Candidate:
    _check(row, {"tag": str, "backend_node_id": str}, where)
    return Candidate(
        sys.intern(row["tag"]),
        row["backend_node_id"],
        bool(row.get("is_original_target")),
        bool(row.get("is_top_level_target")),
    )


def _check(row: Any, fields: Mapping[str, type], where: str) -> None:
    if not isinstance(row, dict):
        raise _Schema(f"{where} is no object")
    for name, kind in fields.items():
        if not isinstance(row.get(name), kind):
            raise _Schema(f"{where} has no {name} of type {kind.__name__}")


def write_tasks(path: Path, tasks: Sequence[WebTask]) -> None:
    """The same file, from tasks."""
    path.write_text(json.dumps([_row(task) for task in tasks], ensure_ascii=False), encoding="utf-8")


def _row(task: WebTask) -> dict[str, Any]:
    return {
        "annotation_id": task.id,
        "website": task.website,
        "domain": task.domain,
        "subdomain": task.subdomain,
        "confirmed_task": task.instruction,
        "action_reprs": list(task.told),
        "actions": [_action_row(step) for step in task.steps],
    }


def _action_row(step: WebStep) -> dict[str, Any]:
    original = step.original_op or step.operation
    return {
        "action_uid": step.uid,
        "raw_html": step.raw,
        "cleaned_html": step.html,
        "operation": {"op": step.operation, "original_op": original, "value": step.value},
        "pos_candidates": [_candidate_row(one, positive=True) for one in step.positives],
        "neg_candidates": [_candidate_row(one, positive=False) for one in step.negatives],
    }


def _candidate_row(one: Candidate, positive: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "tag": one.tag,
        "attributes": one.attributes,
        "backend_node_id": one.id,
    }
    if positive:
        row |= {"is_original_target": one.original, "is_top_level_target": one.top_level}
    return row
