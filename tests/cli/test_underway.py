"""Success on a task while a model is tuned: what is measured is what the saved model does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support import corridor
from tmbr.cli import run as command
from tmbr.cli.play import collect
from tmbr.config import CollectConfig
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.store import read_traces
from tmbr.core.types import Message

PLAYED = [f"validation.task={corridor.SPEC}", "validation.split=train", "validation.samples=1"]
PLAYED += ["validation.sampling.max_tokens=12", "evaluate_every=20", "patience=2"]
FAST = ["dtype=fp32", "batch_size=2", "eval_fraction=0", "save_every=100", "dropout=0"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corridor.opener(tmp_path_factory.mktemp("opener") / "base")


def _walk(base: Path, out: Path, adapter: Path | None = None) -> list[Any]:
    """One greedy episode."""
    told = {"model": str(base), "adapter": adapter and str(adapter)}
    played = {"task": corridor.SPEC, "sampling": {"max_tokens": 12}, "samples": 1}
    assert collect(CollectConfig(model=told, out=out, **played)) == 0
    (trace,) = read_traces(out / "traces.jsonl")
    return [trace.finish.score.success, [n.message for n in trace.nodes if n.kind == "root"]]


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_it_learns_the_way_out_and_says_when(
    base: Path, tmp_path: Path, kind: str, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, opening = _walk(base, tmp_path / "before")
    assert not before
    turns = [
        *(Message("assistant", "open a"), Message("user", "a:"), Message("assistant", "open b")),
    ]
    data, out = tmp_path / "data.jsonl", tmp_path / "run"
    if kind == "sft":
        told = [Turn(m, float(m.role == "assistant")) for m in (*opening, *turns)]
        write_rows(data, [Row(str(n), tuple(told)) for n in range(4)])
    else:
        wrong = {0: "open b", 2: "open a"}
        pairs = [
            Pair(str(at), (*opening, *turns[:at]), turns[at], Message("assistant", said))
            for at, said in wrong.items()
        ]
        write_pairs(data, pairs * 2)
    rate = ["learning_rate=3e-2", "rank=4"] if method == "lora" else ["learning_rate=3e-3"]
    told = [*FAST, *PLAYED, *rate, f"method={method}", "epochs=60"]
    told += ["sft_weight=1"] if kind == "dpo" else []  # else what is preferred grows unlikely, too
    where = ["--model", str(base), "--data", str(data), "--out", str(out)]
    assert command(["tune", kind, *where, *told]) == 0
    result = json.loads((out / "result.json").read_text())
    assert result["validated"] == 1.0
    assert result["stopped"] == "patience"
    assert result["updates"] == result["kept"] + 40 < 120
    assert f"kept: update {result['kept']} of {result['updates']}" in capsys.readouterr().out
    said = json.loads((out / "validation.json").read_text())["success"]
    assert said["0"] == 0.0
    assert not list(out.glob("validation*.jsonl"))
    saved = out / result["folder"]
    after = _walk(base, tmp_path / "after", saved) if method == "lora" else _walk(saved, tmp_path / "a")
    assert after[0]


def test_what_is_wrong_is_said_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "rows.jsonl"
    write_rows(data, [Row("r", (Turn(Message("user", "go")), Turn(Message("assistant", "a"), 1.0)))])
    where = ["--model", "nano", "--data", str(data), "--out", str(tmp_path / "run")]
    for wrong, why in (
        (["patience=1"], "set evaluate_every"),
        (["evaluate_every=1", "validation.task=house"], "house"),
        (["evaluate_every=1", "validation.strategy.strategy=reakt"], "did you mean 'react'?"),
        (["evaluate_every=1", "validation.sample=1"], "did you mean 'samples'?"),
        (["evaluate_every=1", "validation.split=tset"], "tset"),
    ):
        assert command(["tune", "sft", *where, *wrong]) == 2
        assert why in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
