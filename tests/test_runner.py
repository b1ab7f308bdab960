"""Many episodes: the same at any concurrency, and whatever stops them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.doors import Wanderer, doors_jobs
from tmbr.core.store import TraceStore, encode_trace, read_timing, read_traces
from tmbr.core.trace import Trace
from tmbr.runner import Job, Ran, run


def play(path: Path, jobs: list[Job], concurrency: int = 4) -> tuple[Ran, list[bytes]]:
    with TraceStore(path) as store:
        ran = asyncio.run(run(jobs, store, concurrency))
    return ran, [encode_trace(trace) for trace in read_traces(path)]


def child(path: Path, count: int, concurrency: int, delay: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.play_doors"]
    arguments = [str(path), str(count), str(concurrency), str(delay)]
    root = Path(__file__).parents[1]
    return subprocess.Popen(command + arguments, stdout=subprocess.PIPE, text=True, cwd=root)


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, "no episode was kept in time"
        time.sleep(0.01)


def test_equal_seeds_give_equal_traces_at_any_concurrency(tmp_path: Path) -> None:
    one = play(tmp_path / "one.jsonl", doors_jobs(seeds=(0, 1)), concurrency=1)
    many = play(tmp_path / "many.jsonl", doors_jobs(seeds=(0, 1)), concurrency=16)
    assert one == many
    assert len(one[1]) == 16
    assert len(set(one[1])) == 16


def test_finished_episodes_are_not_played_again(tmp_path: Path) -> None:
    model = Wanderer()
    first = play(tmp_path / "t.jsonl", doors_jobs(model, count=3))
    asked = model.asked
    assert first[0] == Ran(played=3, interrupted=False)
    assert play(tmp_path / "t.jsonl", doors_jobs(model, count=3)) == (Ran(0, False), first[1])
    assert model.asked == asked
    assert play(tmp_path / "t.jsonl", doors_jobs(model, count=5))[0] == Ran(2, False)


def test_a_job_given_twice_is_played_once(tmp_path: Path) -> None:
    assert play(tmp_path / "t.jsonl", doors_jobs(count=2) * 2)[0] == Ran(2, False)


def test_a_task_error_is_retried_and_then_recorded_with_its_cause(tmp_path: Path) -> None:
    healed, _ = (
        tmp_path / "healed.jsonl",
        play(tmp_path / "healed.jsonl", doors_jobs(Wanderer(fails=2), 1)),
    )
    (trace,) = read_traces(healed)
    assert trace.finish
    assert trace.finish.status != "task error"

    down = tmp_path / "down.jsonl"
    assert play(down, doors_jobs(Wanderer(fails=3), 1))[0] == Ran(1, False)
    (trace,) = read_traces(down)
    assert trace.finish
    assert trace.finish.status == "task error"
    assert trace.finish.error == "ModelFault: the endpoint is down; start it"
    play(down, doors_jobs(Wanderer(), 1))
    (again,) = read_traces(down)
    assert again.finish == read_traces(healed)[0].finish


def test_a_failed_episode_is_data_and_not_retried(tmp_path: Path) -> None:
    model = Wanderer()
    play(tmp_path / "t.jsonl", doors_jobs(model, count=8))
    traces = read_traces(tmp_path / "t.jsonl")
    assert any(trace.finish and not trace.finish.score.success for trace in traces)
    assert model.asked == sum(trace.spent.calls for trace in traces)


def test_the_budget_ends_an_episode(tmp_path: Path) -> None:
    play(tmp_path / "t.jsonl", doors_jobs(count=4, steps=1))
    for trace in read_traces(tmp_path / "t.jsonl"):
        assert trace.spent.steps == 1
        assert trace.finish
        assert trace.finish.stop == "step budget"


class Broken(Wanderer):
    async def complete(self, *_: object) -> list[object]:  # type: ignore[override]
        raise ZeroDivisionError("a bug")


def test_a_bug_ends_the_run_and_keeps_what_was_played(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    play(path, doors_jobs(count=2))
    jobs = doors_jobs(Broken(delay=1), count=4)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        play(path, jobs)
    assert len(read_traces(path)) == 2


def test_a_job_is_made_when_it_is_its_turn(tmp_path: Path) -> None:
    made: list[str] = []

    def jobs() -> Iterator[Job]:
        for job in doors_jobs(Wanderer(delay=0.01), count=8):
            assert len(made) - len(store.finished) <= 2
            made.append(job.key)
            yield job

    with TraceStore(tmp_path / "t.jsonl") as store:
        asyncio.run(run(jobs(), store, concurrency=2))
    assert len(made) == 8


def test_progress_hears_of_every_episode_after_it_was_kept(tmp_path: Path) -> None:
    kept: list[bool] = []
    with TraceStore(tmp_path / "t.jsonl") as store:

        def hear(trace: Trace) -> None:
            kept.append(trace.id in store.finished)

        asyncio.run(run(doors_jobs(count=5), store, on_trace=hear))
    assert kept == [True] * 5


def test_kill_nine_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    seen = 2
    for _ in range(3):
        process = child(path, 24, 3, 0.01)
        wait_for_lines(path, seen)
        process.kill()
        process.wait()
        seen = path.read_bytes().count(b"\n") + 2
    assert len(read_traces(path)) < 24
    process = child(path, 24, 3, 0.0)
    said, _ = process.communicate(timeout=60)
    assert said.endswith("interrupted False\n")
    _, whole = play(tmp_path / "whole.jsonl", doors_jobs(count=24))
    assert [encode_trace(trace) for trace in read_traces(path)] == whole
    assert path.read_bytes().count(b"\n") == 1 + 24
    assert read_timing(path).keys() == {trace.id for trace in read_traces(path)}


def test_ctrl_c_lets_running_episodes_end_and_starts_no_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    process = child(path, 50, 2, 0.03)
    wait_for_lines(path, 3)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    drained, ended = said.splitlines()
    assert drained == "draining 2"
    kept = len(read_traces(path))
    assert 2 < kept < 50
    assert ended == f"played {kept}, interrupted True"
    _, resumed = play(path, doors_jobs(count=50))
    assert resumed == play(tmp_path / "whole.jsonl", doors_jobs(count=50))[1]


def test_a_second_ctrl_c_drops_what_runs(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    process = child(path, 50, 2, 30.0)
    wait_for_lines(path, 1)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.stdout
    assert process.stdout.readline() == "draining 2\n"
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=10)
    assert said == "played 0, interrupted True\n"
    assert read_traces(path) == []
