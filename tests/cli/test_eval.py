"""`tmbr eval` and `tmbr collect` on the household, as processes that are stopped and killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tmbr.core.store import encode_trace, read_traces
from tmbr.reasoning.strategies import STRATEGIES, strategy


def start(*arguments: str) -> subprocess.Popen[str]:
    """A command as from a terminal: what a shell starts in the background is deaf to Ctrl-C."""
    hear = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{hear}; from tmbr.cli import main; main()", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def finished(*arguments: str) -> str:
    process = start(*arguments)
    said, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    return said


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, "no episode was kept in time"
        time.sleep(0.005)


def grid(out: Path) -> list[str]:
    models = ["--model", "noisy-expert:0.3", "--model", "expert"]
    return ["eval", *models, "--strategy", "react", "--samples", "60", "--out", str(out)]


def numbers(out: Path) -> Any:
    summary = json.loads((out / "summary.json").read_text())
    for row in summary["rows"]:
        del row["seconds"]
    return summary


def test_a_killed_evaluation_ends_with_the_same_numbers(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    table = finished(*grid(whole))
    assert "noisy-expert:0.3" in table
    assert f"summary: {whole / 'summary.json'}" in table
    process = start(*grid(killed))
    wait_for_lines(killed / "traces.jsonl", 5)
    process.kill()
    process.wait()
    assert not (killed / "summary.json").exists()
    assert len(read_traces(killed / "traces.jsonl")) < 120
    finished(*grid(killed))
    assert numbers(killed) == numbers(whole)
    assert (killed / "traces.jsonl").read_bytes().count(b"\n") == 1 + 120
    traces = [read_traces(out / "traces.jsonl") for out in (killed, whole)]
    assert list(map(encode_trace, traces[0])) == list(map(encode_trace, traces[1]))


def test_an_evaluation_shows_what_it_must(tmp_path: Path) -> None:
    finished(*grid(tmp_path))
    noisy, expert = numbers(tmp_path)["rows"]
    assert (noisy["model"], noisy["n"], noisy["data"]) == ("noisy-expert:0.3", 60, "generated")
    assert expert["success"] > 0.9
    assert noisy["success"] < expert["success"]
    assert expert["malformed"] == 0 < noisy["malformed"]
    (comparison,) = numbers(tmp_path)["comparisons"]
    assert comparison["a"] == "expert · react"
    assert comparison["ci95"][0] > 0


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    process = start("collect", "--samples", "5000", "--out", str(tmp_path))
    wait_for_lines(tmp_path / "traces.jsonl", 5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on where it stopped" in said.splitlines()[-1]
    kept = len(read_traces(tmp_path / "traces.jsonl"))
    assert 5 <= kept + 1 < 5000
    assert f"{kept} finished episodes" in said


def test_ctrl_c_is_heard_while_a_local_model_answers(tmp_path: Path) -> None:
    process = start("eval", "--model", "nano", "--samples", "60", "--out", str(tmp_path))
    wait_for_lines(tmp_path / "traces.jsonl", 2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)  # the running episodes are not waited for
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on where it stopped" in said.splitlines()[-1]
    assert len(read_traces(tmp_path / "traces.jsonl")) < 60


def test_two_runs_cannot_write_one_folder(tmp_path: Path) -> None:
    first = start("collect", "--samples", "5000", "--out", str(tmp_path))
    wait_for_lines(tmp_path / "traces.jsonl", 2)
    second = start("collect", "--samples", "5000", "--out", str(tmp_path))
    _, said = second.communicate(timeout=60)
    assert second.returncode == 2
    assert said.count("\n") == 1
    assert "another process is writing this file" in said
    first.kill()
    first.wait()


def test_strategies_are_listed_with_their_access() -> None:
    said = finished("strategies")
    names = [line.split(":")[0] for line in said.splitlines() if line and line[0] != " "]
    assert "constrain: format" in said
    assert names == list(STRATEGIES)
    access = [line.split()[1] for line in said.splitlines() if line.startswith("    access")]
    assert access == [f"{strategy(name).access};" for name in STRATEGIES]


def test_an_unknown_strategy_names_the_nearest(tmp_path: Path) -> None:
    process = start("eval", "--strategy", "multibrunch", "--out", str(tmp_path / "out"))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.count("\n") == 1
    assert "'multibranch'" in said
    assert not (tmp_path / "out").exists()


def test_the_walkthrough_is_a_privileged_teacher(tmp_path: Path) -> None:
    finished("collect", "--model", "walkthrough", "--samples", "30", "--out", str(tmp_path))
    traces = read_traces(tmp_path / "traces.jsonl")
    assert len(traces) == 30
    assert all(trace.finish and trace.finish.score.success for trace in traces)
    assert {trace.run.access for trace in traces} == {"privileged"}
