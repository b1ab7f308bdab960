"""`tmbr data make` whole: a teacher's process with faults, over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import teacher_imagined as imagined
from tests.support.teacher import teaching
from tests.support.teacher_audit import audit, lines, told_worlds
from tmbr.cli import run
from tmbr.core.store import read_traces

FILES = ("questions.jsonl", "dropped.jsonl", "traces.jsonl")
#: Once a file has so many lines, the run gets a signal.
STOPS = (
    ("proposals.jsonl", 4, signal.SIGINT),
    ("proposals.jsonl", 30, signal.SIGKILL),
    ("traces.jsonl", 6, signal.SIGKILL),
)
RUN = "import sys; from tmbr.cli import run; sys.exit(run(sys.argv[1:]))"


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    with teaching(tmp_path_factory.mktemp("teacher"), faults=0.2, late=1.3) as found:
        yield found


def command(url: str, out: Path, *more: str) -> list[str]:
    return [
        *("data", "make", "task=database", f"model.model=teacher@{url}", "wanted=22"),
        *("decontaminate=[generated:test]", "endpoint.timeout=1", "endpoint.backoff=0.01"),
        *(f"out={out}", *more),
    ]


def contents(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in FILES]


def prices(folder: Path) -> Path:
    path = folder / "prices.yaml"
    path.write_text("teacher: {in: 5, cached: 1, out: 15}\n")
    return path


@pytest.fixture(scope="module")
def made(
    teacher: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, dict[str, object]]:
    """A set made without interruption, and the teacher's log of it."""
    out = tmp_path_factory.mktemp("made")
    assert run(command(teacher[0], out, f"prices={prices(out)}", "max_usd=5", "terms=our own")) == 0
    return out, teacher[1], audit(out, teacher[1])


def test_what_was_made_can_be_built_into_rows(
    made: tuple[Path, Path, dict[str, object]], tmp_path: Path
) -> None:
    traces = [trace for trace in read_traces(made[0] / "traces.jsonl") if trace.run.data == "made"]
    solved = [trace for trace in traces if trace.finish and trace.finish.score.success]
    assert run(["data", "build", f"traces=[{made[0] / 'traces.jsonl'}]", f"out={tmp_path}"]) == 0
    built = lines(tmp_path / "rows.jsonl")
    assert 0 < len(built) <= len(solved)
    assert {row["messages"][-1]["role"] for row in built} <= {"assistant", "user"}


def test_nothing_is_lost_doubled_or_let_through(made: tuple[Path, Path, dict[str, object]]) -> None:
    out, log, found = made
    assert found["questions"] == found["episodes"] == 22
    wrong = ("lost", "doubled", "lost episodes", "doubled episodes", "through")
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)
    planted = {line["fault"] for line in lines(log)}
    assert {"429", "500", "time-out", "cut", "wrong JSON", "hallucinated object"} <= planted
    assert len({json.dumps(row["sample"]["setup"]) for row in lines(out / "questions.jsonl")}) > 11


def test_the_audit_finds_what_got_through(
    made: tuple[Path, Path, dict[str, object]], tmp_path: Path
) -> None:
    """A question that entered, as if it had been planted: found in its world, and in no other."""
    out, log, _ = made
    questions = lines(out / "questions.jsonl")
    number = int(questions[0]["sample"]["id"].rsplit("-", 1)[1])
    said = next(row["said"] for row in lines(out / "proposals.jsonl")[1:] if row["number"] == number)
    world, *others = told_worlds(questions)
    assert {line["world"] for line in lines(log)} & {world, *others}
    forged = tmp_path / "log.jsonl"
    for told, through in ((world, 1), (f"{world} and more", 0)):
        line = {"role": "ask", "fault": "without solution", "told": said, "world": told}
        forged.write_text(log.read_text() + json.dumps(line) + "\n")
        assert audit(out, forged)["through"] == through


def test_the_report_tells_yields_teacher_terms_and_money(
    made: tuple[Path, Path, dict[str, object]],
) -> None:
    report = json.loads((made[0] / "report.json").read_text())
    assert report["terms"] == "our own"
    assert report["teachers"]["questions"].startswith("teacher@http://")
    assert report["decontaminated against"] == {"generated:test": 500}
    assert report["questions"] == 22 == sum(report["categories"].values())
    assert max(report["categories"].values()) == 2  # the quota of eleven categories
    drops = {row["stage"] for row in lines(made[0] / "dropped.jsonl")}
    assert {*report["dropped"]} == drops
    assert all(row["reason"] for row in lines(made[0] / "dropped.jsonl"))
    assert 0 < report["usd"] < 5


@pytest.mark.slow
def test_same_bytes_one_at_a_time(
    teacher: tuple[str, Path], made: tuple[Path, Path, dict[str, object]], tmp_path: Path
) -> None:
    assert run(command(teacher[0], tmp_path, "concurrency=2")) == 0
    assert contents(tmp_path) == contents(made[0])


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_set(
    teacher: tuple[str, Path], made: tuple[Path, Path, dict[str, object]], tmp_path: Path
) -> None:
    """Ctrl-C and a kill while questions are asked, and another kill while episodes are played."""
    for file, enough, how in STOPS:
        arguments = command(teacher[0], tmp_path, "concurrency=4")
        process = subprocess.Popen([sys.executable, "-c", RUN, *arguments], start_new_session=True)
        path = tmp_path / file
        while not path.exists() or path.read_bytes().count(b"\n") <= enough:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.01)
        os.killpg(process.pid, how)
        assert process.wait() == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert run(command(teacher[0], tmp_path, "concurrency=4")) == 0
    assert contents(tmp_path) == contents(made[0])


@pytest.mark.slow
def test_the_limit_ends_a_run_and_a_higher_one_goes_on(
    teacher: tuple[str, Path],
    made: tuple[Path, Path, dict[str, object]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = [f"prices={prices(tmp_path)}", "concurrency=8"]
    assert run([*command(teacher[0], tmp_path, *told), "--max-usd", "0.1"]) == 2
    assert "raise --max-usd" in capsys.readouterr().err
    first = json.loads((tmp_path / "report.json").read_text())["usd"]
    assert 0 < first <= 0.1
    assert run([*command(teacher[0], tmp_path, *told), "--max-usd", "5"]) == 0
    assert contents(tmp_path) == contents(made[0])


@pytest.mark.slow
def test_a_world_that_a_model_plays_is_marked_and_checked_turn_by_turn(
    teacher: tuple[str, Path], tmp_path: Path
) -> None:
    assert run(command(teacher[0], tmp_path, "world=model")) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["environment"] == "model"
    assert (
        report["kept"] + report["dropped"]["environment"] + report["dropped"].get("unsolved", 0) == 22
    )
    for trace in read_traces(tmp_path / "traces.jsonl"):
        assert trace.run.strategy == "simulated"
        assert "played by teacher" in trace.run.version
        turns = [node for node in trace.nodes if node.kind == "act"]
        assert [told.node for told in trace.judgements] == [
            index for index, node in enumerate(trace.nodes) if node.kind == "act"
        ]
        assert all(told.value == 1.0 for told in trace.judgements[:-1])
        assert trace.finish is not None
        if trace.finish.score.success:
            assert turns[-1].step is not None


@pytest.mark.slow
def test_a_world_that_only_a_model_can_play(
    teacher: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can be executed in it: questions enter when several playings agree."""
    world = tmp_path / "lamps.yaml"
    world.write_text(imagined.WORLD)

    def make(out: Path, *more: str) -> int:
        told = [f"task={world}", "world=model", "verify.samples=3", "verify.agree=3", "wanted=10"]
        return run(command(teacher[0], out, *told, *more))

    whole, again = tmp_path / "whole", tmp_path / "again"
    assert make(whole) == 0
    assert make(again, "concurrency=2") == 0
    assert contents(whole) == contents(again)
    report = json.loads((whole / "report.json").read_text())
    assert report["environment"] == "model"
    assert {*report["solvers"]} == {"3 of 3 samples"}
    dropped = report["dropped"]
    lost = dropped.get("environment", 0) + dropped.get("unsolved", 0)
    assert report["kept"] == report["questions"] - lost > 5
    assert {"format", "grounding", "solution"} <= {*report["dropped"]}
    for row in lines(whole / "questions.jsonl"):
        sample = row["sample"]
        held = sample["setup"]["world"].rpartition("lamps: ")[2]
        assert all(name in held for name in imagined.LAMPS if name in sample["instruction"])
    entered = {row["sample"]["instruction"] for row in lines(whole / "questions.jsonl")}
    stages = {row["stage"] for row in lines(whole / "dropped.jsonl") if "fly" in row.get("said", "")}
    assert not any("fly" in told for told in entered)
    assert "solution" in stages
    for trace in read_traces(whole / "traces.jsonl"):
        assert trace.run.version.endswith("played by teacher")
        assert not trace.judgements  # nobody knows better
        assert trace.finish is not None
        last = trace.nodes[trace.finish.leaf].step
        assert last is not None
        assert trace.finish.score.success == (last.status == "completed")
    built = [
        f"traces=[{whole / 'traces.jsonl'}]",
        "filters.duplicates=keep",
        f"out={tmp_path / 'data'}",
    ]
    assert run(["data", "build", *built]) == 2
    assert "idle=keep needs no world" in capsys.readouterr().err
    assert run(["data", "build", *built, "idle=keep"]) == 0
    rows = lines(tmp_path / "data" / "rows.jsonl")
    assert len(rows) == report["kept"]
    assert all(row["messages"][0]["content"].startswith("A dark room") for row in rows)


def test_examples_are_imitated_and_not_kept(teacher: tuple[str, Path], tmp_path: Path) -> None:
    told = ["examples=2", "wanted=3", "form=agentbench", "task=webshop"]
    assert run(command(teacher[0], tmp_path, *told)) == 0
    traces = read_traces(tmp_path / "traces.jsonl")
    assert len(traces) == 3
    for trace in traces:
        assert "told " in trace.run.weights
        assert not any("Example 1" in node.message.content for node in trace.nodes)


def test_a_folder_holds_one_set(
    made: tuple[Path, Path, dict[str, object]],
    teacher: tuple[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(command(teacher[0], made[0], "seed=1")) == 2
    assert "holds a set made with another 'seed' (0)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (["max_usd=1"], "no limit can be kept without `prices`"),
        (["task=webpages"], "no asker for 'webpages'"),
        (["verify.expert=false"], "neither the expert nor samples verify"),
        (["verify.samples=2", "verify.agree=3"], "3 of 2 samples can never agree"),
        (["decontaminate=[test]"], "is no DATA:SPLIT"),
        (["prices=none.yaml"], "no such file"),
        (["near=2"], "near"),
        (["task=WORLD"], "no program plays this world; set world=model"),
        (["task=WORLD", "world=model"], "nothing can be executed in this world; set verify.samples=3"),
        (["task=none.yaml"], "none.yaml: no such file"),
        (["task=BROKEN"], "unknown key 'rules'"),
        (["task=FEW"], "holds.lamps: 3 cannot be drawn of 1"),
        (["examples=1", "instruct=false"], "examples are told, or nothing is"),
        (["model.model=nobody@http://127.0.0.1:9/v1", "endpoint.attempts=1"], "connection failed"),
    ],
)
def test_bad_input_is_said_in_one_line(
    told: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "WORLD": imagined.WORLD,
        "BROKEN": f"{imagined.WORLD}rules: none\n",
        "FEW": imagined.WORLD.replace(", ".join(imagined.LAMPS), imagined.LAMPS[0]),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
        told = [word.replace(f"task={name}", f"task={tmp_path / name}.yaml") for word in told]
    arguments = command("http://127.0.0.1:9/v1", tmp_path, *told)
    assert run(arguments) == 2
    said = capsys.readouterr().err.strip().split("\n")
    assert why in said[-1]
