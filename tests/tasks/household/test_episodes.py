"""All strategies on the household with an expert that errs on purpose."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from tmbr.core.store import TraceStore, read_traces
from tmbr.core.trace import Budget, Run
from tmbr.models.expert import NoisyExpert
from tmbr.reasoning.strategies import STRATEGIES, strategy
from tmbr.runner import Job, run
from tmbr.tasks.household import Household


def jobs(
    form: str, errors: Literal["anew", "per state"], count: int, seed: int = 0, p: float = 0.3
) -> list[Job]:
    """The same each time: everything is made anew."""
    task = Household(form=form)
    model = NoisyExpert("noisy", task.expert, task.mistake, p, errors)
    made = []
    for name in STRATEGIES:
        plan = strategy(name)
        for sample in task.samples("validation")[:count]:
            said = Run("", task.name, model.name, name, plan.access, seed, None, task.version)
            made.append(Job(sample, task, plan, model, None, Budget(), said))
    return made


def lines(path: Path, work: list[Job], concurrency: int) -> list[bytes]:
    with TraceStore(path) as store:
        asyncio.run(run(work, store, concurrency))
    return sorted(path.read_bytes().splitlines())


@pytest.mark.parametrize(("form", "errors"), [("text", "anew"), ("agentbench", "per state")])
def test_equal_seeds_give_equal_files_at_any_concurrency(
    tmp_path: Path, form: str, errors: Literal["anew", "per state"]
) -> None:
    one = lines(tmp_path / "one.jsonl", jobs(form, errors, 4), 1)
    assert one == lines(tmp_path / "many.jsonl", jobs(form, errors, 4), 16)
    assert len(set(one)) == 1 + 4 * len(STRATEGIES)
    if errors == "anew":
        assert one != lines(tmp_path / "other.jsonl", jobs(form, errors, 4, seed=1), 16)


def test_search_finds_what_one_path_misses(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines(path, jobs("text", "anew", 24, p=0.6), 16)
    solved = dict.fromkeys(STRATEGIES, 0)
    for trace in read_traces(path):
        assert trace.finish is not None
        solved[trace.run.strategy] += trace.finish.score.success
    assert solved["multibranch"] > solved["react"]
    assert solved["react+retry"] > solved["react"]
