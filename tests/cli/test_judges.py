"""`tmbr judges` as a user meets it: on episodes just played, and on files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tmbr.cli import run
from tmbr.core.store import read_traces


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation of eight samples by two strategies."""
    out = tmp_path_factory.mktemp("eval")
    ways = ["--strategy", "react", "--strategy", "multibranch"]
    told = ["split=validation", "--model", "noisy-expert:0.4", "--samples", "8", "--out", str(out)]
    assert run(["eval", *told, *ways]) == 0
    return out


def test_rows_and_figure_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "traces.jsonl").read_bytes()
    assert run(["judges", str(folder / "traces.jsonl")]) == 0
    said = capsys.readouterr().out
    assert "household · generated · validation" in said
    rows = json.loads((folder / "judges.json").read_text())["rows"]
    cells = [(row["strategy"], row["judge"]) for row in rows]
    assert sorted(cells) == [
        (way, judge) for way in ("multibranch", "react") for judge in ("confidence", "default", "rules")
    ]
    assert {row["split"] for row in rows} == {"validation"}
    ElementTree.fromstring((folder / "judges.svg").read_text())
    assert (folder / "traces.jsonl").read_bytes() == before


def test_the_first_samples_only_and_a_judge_that_is_a_model(folder: Path, tmp_path: Path) -> None:
    traces = str(folder / "traces.jsonl")
    told = ["--judge", "rules", "--judge", "rules:0.5+self:0.5", "--model", "nano", "--samples", "1"]
    assert run(["judges", traces, *told, "--out", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "judges.json").read_text())["rows"]
    assert [row["judge"] for row in rows] == ["rules", "rules:0.5+self:0.5"] * 2
    assert {row["n"] for row in rows} == {1}
    rules, mixed = rows[:2]
    assert (rules["tokens"], rules["calls"]) == (0, 0)
    assert mixed["tokens"] > 50
    assert 0 < mixed["calls"] <= 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["TRACES", "--judge", "ruls"], "'rules'"),
        (["TRACES", "--judge", "self"], "name it by --model"),
        (["TRACES", "--adapter", "x"], "--model"),
        (["DIR/trace.jsonl"], "did you mean"),
        (["DIR/empty.jsonl"], "no finished episode in it"),
        (["DIR/header.jsonl"], "no finished episode in it"),
        (["DIR/other.jsonl"], "not a file of tmbr.traces"),
        (["DIR/broken.jsonl"], "broken.jsonl:2: broken record"),
        (["TRACES", "--task", "DIR/none.py:Counter"], "none.py"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    folder: Path,
    arguments: list[str],
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = (folder / "traces.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "traces.jsonl").write_bytes(b"".join(lines))
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "header.jsonl").write_bytes(lines[0])
    (tmp_path / "other.jsonl").write_text('{"messages": []}\n')
    (tmp_path / "broken.jsonl").write_bytes(lines[0] + lines[1][:99] + b"\n" + lines[2])
    told = [a.replace("DIR", str(tmp_path)) for a in arguments]
    told = [a.replace("TRACES", str(tmp_path / "traces.jsonl")) for a in told]
    assert run(["judges", *told]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert says in said.err
    assert len(read_traces(tmp_path / "traces.jsonl")) == 16
