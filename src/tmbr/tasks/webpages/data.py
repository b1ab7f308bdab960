"""Mind2Web's test files as samples, one a step, found under `TMBR_DATA/mind2web`.

The files are as the data's authors give them out, unpacked: `test_task/test_task_0.json` and so on (or
the same without the folder), and beside them the candidate scores `scores_all_data.pkl`. They ask that
the test files are not put online again, so each user gets them from the authors.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from tmbr.core.errors import DataError, EnvironmentFault
from tmbr.core.types import Sample, derive_seed
from tmbr.environments.webpages import (
    POOL,
    Page,
    Ranks,
    Rounds,
    WebTask,
    parse,
    rank_step,
    read_ranks,
    read_tasks,
)
from tmbr.tasks.samples import data_root
from tmbr.tasks.webpages.session import Recorded

#: Name of the data set -> its files.
SPLITS = {f"mind2web-{name}": name for name in ("test_task", "test_website", "test_domain")}
SCORES = "scores_all_data.pkl"


def samples(name: str, root: Path | None) -> Sequence[Sample]:
    """The steps of one of `SPLITS`, in the files' order; their split says who ranks the candidates.

    Raises DataError when its files are missing or broken.
    """
    split = f"{name} ({ranker(root)})"
    return [
        _sample(name, split, path, at, number, task)
        for path in _paths(name, root)
        for at, task in enumerate(_tasks(path, path.stat().st_mtime_ns))
        for number in range(len(task.steps))
    ]


def ranker(root: Path | None) -> str:
    """`scores` where the score file is there, else `bm25`."""
    return "scores" if (_folder(root) / SCORES).is_file() else "bm25"


def recorded(sample: Sample, root: Path | None) -> Recorded:
    """The step behind a sample. Raises DataError when its file is not the one it was made from."""
    setup = sample.setup
    path = _folder(root) / setup["file"]
    if not path.is_file():
        raise DataError(f"{path}: no such file; the sample {sample.id} was made from it")
    tasks = _tasks(path, path.stat().st_mtime_ns)
    if setup["at"] >= len(tasks) or setup["step"] >= len(tasks[setup["at"]].steps):
        raise DataError(f"{path}: has no {sample.id} any more; it is another file than before")
    task, number = tasks[setup["at"]], setup["step"]
    if _mark(task, number) != setup["sha256"]:
        raise DataError(f"{path}: {sample.id} is another page than before")
    scores = _folder(root) / SCORES
    ranks = _ranks(scores, scores.stat().st_mtime_ns) if scores.is_file() else None
    return asked(task, number, ranks)


def asked(task: WebTask, number: int, ranks: Ranks | None) -> Recorded:
    """A step with its pool, drawn up by a score file's ranks or else by BM25.

    Raises DataError when the score file lacks the step, EnvironmentFault when its page cannot be read.
    """
    step = task.steps[number]
    try:
        page = parse(step.html)
    except ValueError as error:
        raise EnvironmentFault(f"{task.id}, action {step.uid}: {error}") from error
    ordered = rank_step(task, number, page) if ranks is None else _ranked(task, number, ranks, page)
    return Recorded(
        task,
        number,
        page,
        Rounds.start(ordered, derive_seed("pool", task.id, step.uid)),
        "bm25" if ranks is None else "scores",
    )


def _ranked(task: WebTask, number: int, ranks: Ranks, page: Page) -> list[str]:
    """The first candidates by the score file's ranks, of those that the page shows."""
    step = task.steps[number]
    found = ranks.get(f"{task.id}_{step.uid}")
    if found is None:
        raise DataError(f"{SCORES}: has no ranks for {task.id}_{step.uid}; it belongs to other files")
    every = [one.id for one in (*step.positives, *step.negatives)]
    first = [node for node in every if found.get(node, POOL) < POOL and node in page.nodes]
    return sorted(first, key=lambda node: found[node])


def _sample(name: str, split: str, path: Path, at: int, number: int, task: WebTask) -> Sample:
    folder = path.parent.parent if path.parent.name == SPLITS[name] else path.parent
    setup = {
        "file": path.relative_to(folder).as_posix(),
        "at": at,
        "step": number,
        "sha256": _mark(task, number),
    }
    told = f"{name}/{task.id}/{number}"
    return Sample(told, "webpages", split, task.instruction, setup)


def _mark(task: WebTask, number: int) -> str:
    step = task.steps[number]
    held = repr((task.id, step.uid, step.html, step.target, step.positives))
    return hashlib.sha256(held.encode("utf-8", "replace")).hexdigest()[:16]


def _paths(name: str, root: Path | None) -> list[Path]:
    base, split = _folder(root), SPLITS[name]
    found = [*base.glob(f"{split}/*.json"), *base.glob(f"{split}*.json")]
    if not found:
        raise DataError(f"{base}: neither {split}/ nor {split}_0.json is there, see `tmbr data check`")
    return sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path.stem)])


def _folder(root: Path | None) -> Path:
    folder = data_root(root) / "mind2web"
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; set TMBR_DATA to the folder that holds mind2web/, see "
            "`tmbr data check`"
        )
    return folder


@lru_cache(maxsize=2)
def _tasks(path: Path, _changed: int) -> list[WebTask]:
    return read_tasks(path)


@lru_cache(maxsize=1)
def _ranks(path: Path, _changed: int) -> Ranks:
    return read_ranks(path)
