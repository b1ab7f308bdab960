"""All strategies on web pages with an expert that errs on purpose."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tmbr.core.store import TraceStore, read_traces
from tmbr.core.trace import Budget, Run
from tmbr.models.expert import NoisyExpert
from tmbr.reasoning.strategies import STRATEGIES, strategy
from tmbr.runner import Job, run
from tmbr.tasks.webpages import WebPages


def jobs(data: str, form: str, count: int, p: float = 0.3) -> list[Job]:
    """The same each time: everything is made anew."""
    task = WebPages(data, form)
    model = NoisyExpert("noisy", task.expert, task.mistake, p)
    made = []
    for name in STRATEGIES:
        plan = strategy(name)
        for sample in task.samples("validation")[:count]:
            said = Run("", task.name, model.name, name, plan.access, 0, None, task.version)
            made.append(Job(sample, task, plan, model, None, Budget(steps=150), said))
    return made


def lines(path: Path, work: list[Job], concurrency: int) -> list[bytes]:
    with TraceStore(path) as store:
        asyncio.run(run(work, store, concurrency))
    return sorted(path.read_bytes().splitlines())


@pytest.mark.parametrize(("data", "form"), [("generated", "text"), ("generated-steps", "agentbench")])
def test_equal_seeds_give_equal_files_at_any_concurrency(tmp_path: Path, data: str, form: str) -> None:
    one = lines(tmp_path / "one.jsonl", jobs(data, form, 3), 1)
    assert one == lines(tmp_path / "many.jsonl", jobs(data, form, 3), 16)
    assert len(set(one)) == 1 + 3 * len(STRATEGIES)


def test_search_finds_what_one_path_misses(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines(path, jobs("generated", "text", 16, p=0.5), 16)
    solved = dict.fromkeys(STRATEGIES, 0)
    for trace in read_traces(path):
        assert trace.finish is not None
        assert trace.finish.error is None
        solved[trace.run.strategy] += trace.finish.score.success
    assert solved["multibranch"] > solved["react"]
