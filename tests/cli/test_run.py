"""`tmbr run` as a user gives it: one sample before one's eyes, and on from any node of it."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests.cli.test_eval import finished, start
from tmbr.cli import run
from tmbr.core.store import read_traces
from tmbr.core.trace import Trace

NOISY = ("--model", "noisy-expert:0.4:slips", "--strategy", "multibranch")


def kept(out: Path) -> dict[str, Trace]:
    return {trace.id: trace for trace in read_traces(out / "traces.jsonl")}


def only(out: Path) -> Trace:
    (trace,) = kept(out).values()
    return trace


def test_one_sample_is_solved_told_and_kept(tmp_path: Path) -> None:
    said = finished("run", "household", *NOISY, "--explain", "--out", str(tmp_path)).splitlines()
    trace = only(tmp_path)
    assert trace.finish is not None
    assert said[0] == f"household {trace.sample.id}: {trace.sample.instruction}"
    score = said.index("completed; score 1")
    assert not any("score" in text for text in said[:score])
    events = said[: said.index("The committed path:")]
    for index, node in enumerate(trace.nodes):
        if node.kind == "act":
            told = "dropped" if node.error and node.action else "action" if node.action else "malformed"
            assert any(text.startswith(f"#{index} {told}: ") for text in events)
    leaves = [leaf for leaf in trace.leaves() if leaf != trace.finish.leaf]
    start_of = said.index("Why the other branches were left:") + 1
    assert [int(text.split()[0][1:]) for text in said[start_of:-1]] == leaves
    assert said[-1].startswith(f"kept: {tmp_path / 'traces.jsonl'}:{trace.id} ")
    assert f"{trace.spent.steps} world steps and {trace.spent.steps_on_forks} on forks" in "\n".join(
        said
    )


def test_it_is_played_anew_and_the_later_of_equal_runs_counts(tmp_path: Path) -> None:
    command = ("run", "household", "--model", "expert", "--sample", "3", "--out", str(tmp_path))
    assert finished(*command).splitlines()[:-3] == finished(*command).splitlines()[:-3]
    assert (tmp_path / "traces.jsonl").read_bytes().count(b"\n") == 1 + 2
    trace = only(tmp_path)
    assert trace.sample.id == "generated-test-3"
    finished(*command, "--seed", "1")
    assert sorted(trace.run.seed for trace in kept(tmp_path).values()) == [0, 1]


def test_a_run_goes_on_from_a_node_and_a_report_shows_both(tmp_path: Path) -> None:
    finished("run", "household", *NOISY, "--out", str(tmp_path))
    before = only(tmp_path)
    assert before.finish is not None
    aside = next(
        i
        for i, node in enumerate(before.nodes)
        if node.step and node.step.admissible and i not in before.branch(before.finish.leaf)
    )
    place = f"{tmp_path / 'traces.jsonl'}:{before.sample.id}:{aside}"
    said = finished("run", "household", "--model", "expert", "--from", place, "--out", str(tmp_path))
    assert "completed; score 1" in said
    after = next(trace for key, trace in kept(tmp_path).items() if key != before.id)
    assert after.run.strategy == f"react from {aside} of {before.id}"
    given = [node for node in after.nodes if node.kind == "act" and not node.sampled]
    assert said.count(" given: ") == len(given) == said.count(" (given)")
    assert after.spent.steps == sum(node.sampled for node in after.nodes)
    rows = json.loads((tmp_path / "summary.json").read_text())["rows"]
    assert {row["strategy"] for row in rows} == {before.run.strategy, after.run.strategy}
    finished("report", str(tmp_path))
    page = (tmp_path / "report.html").read_text()
    assert page.count("✓ solved") == 2


@pytest.mark.parametrize("task", ["household", "database", "knowledge_graph", "webpages"])
def test_ones_own_instruction_has_no_score(task: str, tmp_path: Path) -> None:
    words = "Tell me what is in here, please."
    options = ("--instruction", words, "--out", str(tmp_path))
    said = finished("run", task, "--model", "expert", *options)
    assert f"-own: {words}" in said.splitlines()[0]
    assert "; no score: the instruction is one's own" in said
    trace = only(tmp_path)
    prompt = sum(node.kind == "root" for node in trace.nodes) - 1
    place = f"{tmp_path / 'traces.jsonl'}:{trace.id}:{prompt}"
    again = finished("run", task, "--model", "expert", "--from", place, "--out", str(tmp_path))
    assert "; no score: " in again
    assert len(kept(tmp_path)) == 2
    assert json.loads((tmp_path / "summary.json").read_text())["rows"] == []
    finished("report", str(tmp_path))
    page = (tmp_path / "report.html").read_text()
    assert "not scored" in page
    assert "✗ failed" not in page


def test_on_a_terminal_the_tree_is_drawn_live(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from tmbr.cli import main; main()", "run", "household"]
    terminal, inside = pty.openpty()
    process = Popen(
        [*command, *NOISY, "--out", str(tmp_path)],
        stdout=inside,
        stderr=PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
    )
    os.close(inside)
    page = b""
    try:
        while chunk := os.read(terminal, 65536):
            page += chunk
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(terminal)
    assert process.wait(60) == 0
    text = page.decode()
    assert "├── " in text
    assert "\x1b[?25l" in text  # the cursor is hidden while the tree is drawn anew
    assert "\x1b[?25h" in text.split("\x1b[?25l")[-1]  # and is there again in the end
    assert "completed; score 1" in text
    assert " answer: " not in text


SLOW = """
import time
from tests.support.doors import DoorsSession, DoorsTask
from tmbr.core.types import Message

class Session(DoorsSession):
    def step(self, action):
        time.sleep(0.3)
        self.steps = 0  # the doors end no episode: the budget does, after half a minute
        return DoorsSession.step(self, action)

class Slow(DoorsTask):
    def open(self, sample):
        return Session("b" * 40)
    def expert(self, messages):
        return Message("assistant", "open a")
    def walkthrough(self, sample):
        return [Message("assistant", "open a")]
"""


def test_ctrl_c_drops_the_episode_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    out = tmp_path / "out"
    finished("run", "household", "--model", "expert", "--out", str(out))
    before = (out / "traces.jsonl").read_bytes()
    slow = ("run", f"{tmp_path / 'slow.py'}:Slow", "--model", "expert", "--strategy", "react")
    process = start(*slow, "--out", str(out))
    assert process.stdout is not None
    while " answer: " not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == f"tmbr: interrupted; this episode is dropped, {out / 'traces.jsonl'} is as it was\n"
    assert (out / "traces.jsonl").read_bytes() == before


def test_a_fault_of_the_model_is_said_and_kept(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    out = ("--out", str(tmp_path))
    process = start("run", f"{tmp_path / 'slow.py'}:Slow", "--model", "walkthrough", *out)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "\ntask error; score 0\nerror: ModelFault: 0: its walkthrough has only 1 turns\n" in said
    assert only(tmp_path).finish is not None


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stored")
    for seed in ("0", "1"):
        assert run(["run", "household", "--model", "expert", "--seed", seed, "--out", str(out)]) == 0
    assert run(["run", "household", "--sample", "1", "--model", "expert", "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["household", "--from", "STORED:generated-test-9:1"], "did you mean 'generated-test-"),
        (["household", "--from", "STORED:generated-test-0:1"], "name one by its id, as "),
        (["household", "--from", "STORED:generated-test-1:99"], "no node 99; its last is"),
        (["household", "--from", "STORED:generated-test-1:LAST"], "the episode ends there"),
        (["webshop", "--from", "STORED:generated-test-1:1"], "an episode of household, not of webshop"),
        (["household", "form=agentbench", "--from", "STORED:generated-test-1:1"], "give the same form"),
        (["household", "--from", "STORED:1"], "TRACES.jsonl:EPISODE:NODE"),
        (["household", "--from", "OUT/none.jsonl:x:1"], "no such file"),
        (["household", "--from", "STORED:x:1", "--sample", "2"], "leave it out with --from"),
        (["household", "--from", "STORED:x:1", "--instruction", "hi"], "brings its own instruction"),
        (["household", "--sample", "500"], "no sample 500; there are 500, from 0"),
        (["household", "--split", "tests"], "did you mean 'test'?"),
        (["houshold"], "'household'"),
        (["household", "--instruction", ""], "instruction"),
        (["household", "--instruction", "x", "--model", "walkthrough"], "name another --model"),
        (["household", "--strategy", "multibrunch"], "'multibranch'"),
        (["household", "--judge", "rule"], "'rules'"),
        (["household", "budget.step=3"], "'steps'"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], mend: str, stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = stored / "traces.jsonl"
    last = {trace.sample.id: len(trace.nodes) - 1 for trace in read_traces(file)}["generated-test-1"]
    told = [
        text.replace("STORED", str(file)).replace("OUT", str(tmp_path)).replace("LAST", str(last))
        for text in arguments
    ]
    model = [] if "--model" in told else ["--model", "expert"]
    capsys.readouterr()
    assert run(["run", *told, *model, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("tmbr: ")
    assert mend in said


def test_a_stored_world_that_has_changed_is_one_line(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "traces.jsonl"
    text = (stored / "traces.jsonl").read_text().replace('"observation":"', '"observation":"Once, ')
    file.write_text(text)
    place = f"{file}:generated-test-1:2"
    out = str(tmp_path / "out")
    assert run(["run", "household", "--model", "expert", "--from", place, "--out", out]) == 2
    said = capsys.readouterr().err
    assert "the world answers node 1 otherwise than in episode" in said
    assert said.count("\n") == 1


def test_the_folder_of_an_evaluation_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path)
    assert run(["eval", "--model", "expert", "--samples", "2", "--out", out]) == 0
    before = (tmp_path / "summary.json").read_bytes()
    assert run(["run", "household", "--model", "expert", "--out", out]) == 2
    assert "holds an evaluation" in capsys.readouterr().err
    assert (tmp_path / "summary.json").read_bytes() == before
