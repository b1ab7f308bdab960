"""The whole loop as a process that is killed in each of its stages and given again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_eval import finished, start
from tests.support import tiny
from tmbr.core.store import read_traces


def loop(base: Path, out: Path) -> list[str]:
    return [
        "quickstart",
        f"out={out}",
        f"tune.model={base}",
        "tune.method=lora",
        "tune.optimizer=adamw",
        "tune.dtype=fp32",
        "tune.epochs=6",
        "tune.batch_size=4",
        "tune.save_every=2",
        "collect.samples=24",
        "eval.samples=3",
        "eval.strategies=[react, multibranch]",
        "eval.cells=[[base, react], [tuned, react], [tuned, multibranch]]",
        "eval.sampling.max_tokens=12",
        "eval.budget={steps: 12}",
    ]


def numbers(out: Path) -> list[dict[str, Any]]:
    rows = json.loads((out / "summary.json").read_text())["rows"]
    machine = ("seconds", "prefill_computed", "adapter")
    return [{key: value for key, value in row.items() if key not in machine} for row in rows]


def kill_when(ready: Callable[[], bool], command: list[str]) -> None:
    process = start(*command)
    deadline = time.monotonic() + 120
    while not ready() and process.poll() is None:
        assert time.monotonic() < deadline, "the stage was not reached in time"
        time.sleep(0.005)
    process.kill()
    process.wait()


def lines(path: Path, count: int) -> Callable[[], bool]:
    return lambda: path.exists() and path.read_bytes().count(b"\n") > count


@pytest.mark.slow
def test_killed_in_every_stage_it_ends_with_the_same_numbers(tmp_path: Path) -> None:
    base = tiny.write(tmp_path / "base", context=4096)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    said = finished(*loop(base, whole))
    assert (whole / "report.html").exists()
    assert str(whole / "report.html") in said
    command = loop(base, killed)
    kill_when(lines(killed / "teacher" / "traces.jsonl", 4), command)
    assert len(read_traces(killed / "teacher" / "traces.jsonl")) < 24
    kill_when(lambda: any((killed / "tune").glob("checkpoints/checkpoint-*")), command)
    assert not (killed / "tune" / "result.json").exists()
    kill_when(lines(killed / "traces.jsonl", 3), command)
    assert not (killed / "summary.json").exists()
    finished(*command)
    assert numbers(killed) == numbers(whole)
    assert len(read_traces(killed / "traces.jsonl")) == 9
    before = (killed / "traces.jsonl").read_bytes()
    finished(*command)
    assert (killed / "traces.jsonl").read_bytes() == before
