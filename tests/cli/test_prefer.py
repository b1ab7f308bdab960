"""`tmbr tune reward`, `tmbr tune dpo` and the judge that comes of it, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import tiny
from tmbr.cli import run
from tmbr.core.pairs import read_either, read_pairs
from tmbr.core.store import read_traces
from tmbr.teacher.preferences import States, state_values

FAST = ["dtype=fp32", "rank=4", "epochs=1", "batch_size=16", "max_length=1200"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two samples by two strategies, and a tiny base with room for their conversations."""
    out = tmp_path_factory.mktemp("eval")
    tiny.write(out / "base", hidden=32, layers=1, context=4096)
    ways = ["--strategy", "react", "--strategy", "multibranch"]
    told = ["split=train", "--model", "noisy-expert:0.4", "--samples", "2", "--out", str(out)]
    assert run(["eval", *told, *ways]) == 0
    return out


@pytest.fixture(scope="module")
def rewarded(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "reward"
    told = ["--model", str(folder / "base"), "--data", str(folder / "traces.jsonl"), "--out", str(out)]
    assert run(["tune", "reward", *told, *FAST]) == 0
    return out


def test_a_reward_model_is_made_of_traces_and_judges_them(
    folder: Path, rewarded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = json.loads((rewarded / "result.json").read_text())
    made = read_either(rewarded / "preferences.jsonl")
    traces = read_traces(folder / "traces.jsonl")
    assert made[0] == [pair for trace in traces for pair in States([trace]).pairs()]
    assert made[1] == [valued for trace in traces for valued in States([trace], state_values).valued()]
    kept = result["pairs"] + result["valued"]
    assert kept > 10
    assert kept + len(result["dropped"]) + len(result["alike"]) == len(made[0]) + len(made[1])
    told = ["--judge", "rules", "--judge", f"reward={rewarded}"]
    assert run(["judges", str(folder / "traces.jsonl"), *told, "--out", str(tmp_path)]) == 0
    assert "reward=" in capsys.readouterr().out
    rows = json.loads((tmp_path / "judges.json").read_text())["rows"]
    _, judged = rows[:2]
    assert judged["judge"] == f"reward={rewarded}"
    assert judged["tokens"] > 100
    assert judged["calls"] == 1


def test_it_steers_a_search_and_its_tokens_count(
    folder: Path, rewarded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mix = f"rules:0.5+reward={rewarded}:0.5"
    told = ["run", "household", "--model", "noisy-expert:0.3", "--strategy", "multibranch"]
    assert run([*told, "--judge", mix, "budget.steps=12", "--out", str(tmp_path / "run")]) == 0
    (trace,) = read_traces(tmp_path / "run" / "traces.jsonl")
    asked = sum(judgement.usage.total for judgement in trace.judgements)
    assert asked > 0
    assert trace.spent.usage.total >= asked
    base = str(folder / "base")
    assert run(["run", "household", "--model", base, "--judge", f"reward={folder}"]) == 2
    assert "no reward model here" in capsys.readouterr().err


def test_dpo_takes_traces_with_branches_only(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, traces = ["--model", str(folder / "base")], folder / "traces.jsonl"
    assert run(["tune", "dpo", *base, "--data", str(traces), "--out", str(tmp_path / "a"), *FAST]) == 0
    assert "tuned on" in capsys.readouterr().out
    found = read_pairs(tmp_path / "a" / "pairs.jsonl")
    result = json.loads((tmp_path / "a" / "result.json").read_text())
    assert result["pairs"] + len(result["dropped"]) + len(result["alike"]) == len(found)
    assert (tmp_path / "a" / "adapter" / "base.json").is_file()
    lines = [
        line
        for line in traces.read_text().splitlines(keepends=True)
        if '"multibranch"' not in line[:2000]
    ]
    (tmp_path / "plain.jsonl").write_text("".join(lines))
    told = ["--data", str(tmp_path / "plain.jsonl"), *FAST]
    for out in ("a", "b"):  # a finished run keeps what it was made of
        assert run(["tune", "dpo", *base, *told, "--out", str(tmp_path / out)]) == 2
        assert "no success in it left a sibling behind" in capsys.readouterr().err
    assert read_pairs(tmp_path / "a" / "pairs.jsonl") == found


def test_what_a_run_was_made_of_stays_when_it_is_told_other_traces(
    folder: Path, rewarded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = (rewarded / "preferences.jsonl").read_bytes()
    lines = (folder / "traces.jsonl").read_text().splitlines(keepends=True)
    fewer = [line for line in lines if '"multibranch"' not in line[:2000]]
    (tmp_path / "fewer.jsonl").write_text("".join(fewer))
    told = ["--model", str(folder / "base"), "--data", str(tmp_path / "fewer.jsonl"), *FAST]
    assert run(["tune", "reward", *told, "--out", str(rewarded)]) == 2
    assert "holds a run with another data; give another folder" in capsys.readouterr().err
    assert (rewarded / "preferences.jsonl").read_bytes() == kept
    assert not list(rewarded.glob(".*"))


@pytest.mark.parametrize(
    ("command", "told", "says"),
    [
        ("reward", [], "--data is missing"),
        ("dpo", [], "--data is missing"),
        ("reward", ["--data", "none.jsonl"], "none.jsonl"),
        ("reward", ["--data", "FILE"], "FILE:1: "),
        ("dpo", ["--data", "FILE"], "FILE:1: "),
        ("dpo", ["--data", "FILE", "lose=ipo"], "unknown key 'lose'; did you mean 'loss'?"),
        ("reward", ["--data", "FILE", "margn=1"], "did you mean 'margin'?"),
    ],
)
def test_bad_input_is_one_line(
    command: str, told: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"messages": 1}\n')
    given = [part.replace("FILE", str(file)) for part in told]
    out = str(tmp_path / "run")
    assert run(["tune", command, "--model", "nano", "--out", out, *given]) == 2
    said = capsys.readouterr()
    assert says.replace("FILE", str(file)) in said.err
    assert not Path(out).exists()
