"""A build: golden yields, the same bytes after a kill, and every row where it belongs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.playing import played
from tmbr.cli import run
from tmbr.cli.build_data import lines
from tmbr.cli.tasks import make_task
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import read_pairs, read_valued
from tmbr.core.rows import Row, Turn, read_rows, write_rows
from tmbr.core.store import TraceStore
from tmbr.core.trace import Trace
from tmbr.core.types import Message
from tmbr.teacher import parts
from tmbr.teacher.build import build, told
from tmbr.teacher.build_config import DataConfig
from tmbr.teacher.tools import Tools

QUIET = Tools(len, lambda trace: make_task(trace.run.task, trace.run.data, "text"), lambda *_: None)


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    """Twelve samples by search and by a single path, some of them failures."""
    return [
        played("household", name, at, model="noisy-expert:0.3:slips")[0]
        for at in range(12)
        for name in ("react", "multibranch")
    ]


def _store(path: Path, traces: Sequence[Trace]) -> Path:
    with TraceStore(path) as store:
        for trace in traces:
            store.append(trace, 0.0)
    return path


def _general(path: Path, count: int) -> Path:
    said = (
        (Turn(Message("user", f"{n}?")), Turn(Message("assistant", f"{n}."), 1.0)) for n in range(count)
    )
    write_rows(path, (Row(str(n), turns) for n, turns in enumerate(said)))
    return path


def _config(out: Path, *files: Path, **more: Any) -> DataConfig:
    return DataConfig.model_validate({"traces": files, "out": out, **more})


def _bytes(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in ("rows.jsonl", "pairs.jsonl", "values.jsonl")}


def test_yields_golden(traces: list[Trace], tmp_path: Path) -> None:
    double = replace(traces[0], id="double")
    unsolved = replace(traces[2], id="unsolved")
    assert unsolved.finish is not None
    unsolved.finish = replace(unsolved.finish, score=replace(unsolved.finish.score, success=False))
    file = _store(tmp_path / "t.jsonl", [*traces, double, unsolved])
    solved = sum(t.finish.score.success for t in traces if t.finish)
    config = _config(
        tmp_path / "out",
        file,
        filters={"most_per_group": 4, "duplicates": "near", "most_repeats": None},
    )
    built = build(config, QUIET)
    seen = {one.filter: (one.seen, one.dropped) for one in built.yields}
    assert seen["outcome"] == (26, 26 - solved - 1)
    assert built.yields[0].examples[-1][1] == "not solved"
    assert list(seen) == [
        "outcome", "format", "inadmissible", "length", "duplicates", "near duplicates", "balance"
    ]  # fmt: skip
    assert seen["duplicates"][1] >= 1
    assert all(count <= 4 for count in built.groups.values())
    assert built.rows == sum(built.groups.values()) == len(read_rows(tmp_path / "out" / "rows.jsonl"))
    assert built.pairs == len(read_pairs(tmp_path / "out" / "pairs.jsonl"))
    table = list(lines(built))
    assert table[-1] == "agent share: 100.0% of the rows, 100.0% of what trains"
    assert json.loads(json.dumps(told(built)))["yields"][0]["dropped"] == seen["outcome"][1]


def test_the_order_of_the_file_does_not_matter_nor_does_a_second_call(
    traces: list[Trace], tmp_path: Path
) -> None:
    one = _config(tmp_path / "a", _store(tmp_path / "one.jsonl", traces))
    other = _config(tmp_path / "b", _store(tmp_path / "other.jsonl", traces[::-1]))
    built = build(one, QUIET)
    build(other, QUIET)
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert build(one, QUIET) == built


@pytest.mark.parametrize("stops_after", [1, 3, 7])
def test_a_build_that_was_stopped_goes_on(
    traces: list[Trace], tmp_path: Path, stops_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _store(tmp_path / "t.jsonl", traces)
    build(_config(tmp_path / "whole", file), QUIET)
    monkeypatch.setattr(parts, "BATCH", 2)
    monkeypatch.setattr("tmbr.teacher.build.BATCH", 2)
    heard = 0

    def stop(*_: object) -> None:
        nonlocal heard
        heard += 1
        if heard == stops_after:
            raise KeyboardInterrupt

    config = _config(tmp_path / "torn", file)
    with pytest.raises(KeyboardInterrupt):
        build(config, replace(QUIET, progress=stop))
    assert not (tmp_path / "torn" / "rows.jsonl").exists()
    build(config, QUIET)
    assert _bytes(tmp_path / "torn") == _bytes(tmp_path / "whole")


def test_another_config_or_file_starts_afresh(traces: list[Trace], tmp_path: Path) -> None:
    file = _store(tmp_path / "t.jsonl", traces[:8])
    build(_config(tmp_path / "out", file), QUIET)
    _store(file, traces[8:])
    built = build(_config(tmp_path / "out", file), QUIET)
    assert built.episodes == len(traces)
    tight = build(_config(tmp_path / "out", file, filters={"turns": [1, 7]}), QUIET)
    assert tight.rows < built.rows


def test_the_agents_share_of_the_rows(traces: list[Trace], tmp_path: Path) -> None:
    file, general = _store(tmp_path / "t.jsonl", traces), _general(tmp_path / "g.jsonl", 200)
    config = _config(tmp_path / "out", file, general=[general], agent_share=0.2)
    built = build(config, QUIET)
    rows = read_rows(tmp_path / "out" / "rows.jsonl")
    agent = [row for row in rows if not row.id.startswith(str(general))]
    assert len(agent) == built.sources[0].rows
    assert abs(len(agent) - 0.2 * len(rows)) <= 1
    assert len({row.id for row in rows if row not in agent}) == len(rows) - len(agent)


def test_general_data_comes_in_any_format_and_a_bad_row_ends_nothing(
    traces: list[Trace], tmp_path: Path
) -> None:
    file, general = _store(tmp_path / "t.jsonl", traces), tmp_path / "alpaca.jsonl"
    asked = [{"instruction": f"{n}?", "output": f"{n}."} for n in range(50)]
    lines = [json.dumps(one) for one in (*asked, {"instruction": "silent?", "output": ""})]
    general.write_text("\n".join(lines) + "\n")
    built = build(_config(tmp_path / "out", file, general=[general]), QUIET)
    (mixed,) = (source for source in built.sources if not source.agent)
    assert (mixed.rows, mixed.available, mixed.bad) == (50, 50, 1)
    said = [row.turns for row in read_rows(tmp_path / "out" / "rows.jsonl")]
    assert (Turn(Message("user", "7?")), Turn(Message("assistant", "7."), 1.0)) in said
    bad = json.loads((tmp_path / "out" / "alpaca.bad.jsonl").read_text())
    assert (bad["file"], bad["line"]) == (str(general), 51)


def test_the_agents_share_of_the_loss(traces: list[Trace], tmp_path: Path) -> None:
    file, general = _store(tmp_path / "t.jsonl", traces), _general(tmp_path / "g.jsonl", 200)
    config = _config(
        tmp_path / "out", file, general=[general], agent_share=0.2, mix_by="weights", tokenizer="nano"
    )
    built = build(config, QUIET)
    assert built.agent_share == pytest.approx(0.2)
    rows = read_rows(tmp_path / "out" / "rows.jsonl")
    assert len(rows) == built.sources[0].available + 200
    sums = {True: 0.0, False: 0.0}
    for row in rows:
        weight = sum(t.loss * (len(t.message.content) + 1) for t in row.turns)
        sums[row.id.startswith(str(general))] += weight
    assert sums[False] / sum(sums.values()) == pytest.approx(0.2)
    alone = build(
        _config(tmp_path / "g", file, general=[general], agent_share=0.0, mix_by="weights"), QUIET
    )
    assert [source.rows for source in alone.sources] == [0, 200]


def test_what_is_missing_or_broken_is_said(traces: list[Trace], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.jsonl: no such file"):
        build(_config(tmp_path / "out", tmp_path / "gone.jsonl"), QUIET)
    file = _store(tmp_path / "t.jsonl", traces[:2])
    with pytest.raises(ConfigError, match="no row is left"):
        build(_config(tmp_path / "out", file, filters={"turns": [90, 100]}), QUIET)
    with pytest.raises(ConfigError, match="given twice"):
        build(_config(tmp_path / "twice", file, file), QUIET)
    lines = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([lines[0], lines[1][:50], lines[2], b""]))
    with pytest.raises(DataError, match=r"t\.jsonl:2: broken record"):
        build(_config(tmp_path / "out", file), QUIET)


def test_build_and_values_from_the_command_line(
    traces: list[Trace], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _store(tmp_path / "t.jsonl", traces[:6])
    out = tmp_path / "values"
    asked = [
        "data",
        "values",
        str(file),
        "--model",
        "noisy-expert:0.3",
        "--rollouts",
        "2",
        "--out",
        str(out),
    ]
    assert run([*asked, "most=4"]) == 0
    first = _values(out)
    assert run([*asked, "most=4"]) == 0
    assert ", 0 by faults only" in capsys.readouterr().out
    assert _values(out) == first
    assert run([*asked, "most=4", "seed=1"]) == 2
    assert "other settings" in capsys.readouterr().err
    steps = f'step_values=["{out / "step_values.jsonl"}"]'
    assert run(["data", "build", f'traces=["{file}"]', steps, f"out={tmp_path / 'data'}"]) == 0
    assert len(read_valued(tmp_path / "data" / "values.jsonl")) == len(
        read_valued(out / "values.jsonl")
    )
    assert run(["data", "build", "traces=[]"]) == 2


def _values(out: Path) -> list[bytes]:
    return [(out / n).read_bytes() for n in ("step_values.jsonl", "values.jsonl", "pairs.jsonl")]
