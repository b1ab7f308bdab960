"""Two processes under `accelerate launch` (gloo) do what one does, also after kill -9."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from tests.support import tiny
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.types import Message
from tmbr.tuning import ranks, sft
from tmbr.tuning.config import SftConfig

RECIPES = Path(__file__).parents[2] / "recipes" / "accelerate"


def _data(path: Path) -> Path:
    """Three updates an epoch for two processes with two rows each, none of them left over."""
    places = ("drawer", "cabinet", "desk", "fridge", "countertop", "garbagecan", "shelf", "bed")
    places += ("sofa", "toilet", "safe", "bathtubbasin")
    told = (
        (Turn(Message("user", f"Go to the {place}.")), f"Action: go to {place}") for place in places
    )
    write_rows(
        path, (Row(said, (asked, Turn(Message("assistant", said), 1.0))) for asked, said in told)
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["ddp", "zero3"])
def test_two_processes_train_as_one_and_go_on_after_kill_9(tmp_path: Path, recipe: str) -> None:
    if recipe == "zero3" and find_spec("deepspeed") is None:
        pytest.skip("DeepSpeed is not installed")
    base, data = tiny.write(tmp_path / "base"), _data(tmp_path / "rows.jsonl")
    shared = {"dtype": "fp32", "epochs": 25, "dropout": 0.0, "eval_fraction": 0, "save_every": 5}
    shared |= {"learning_rate": 1e-3, "log_every": 1}
    config = SftConfig(model=str(base), batch_size=4, **shared)
    one = sft.run(config, data, tmp_path / "one")

    out = tmp_path / "two"
    settings = [f"{key}={value}" for key, value in shared.items()]
    command = [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        *("--config_file", str(RECIPES / f"{recipe}.yaml"), "--num_processes", "2", "-m", "tmbr"),
        *("tune", "sft", "--model", str(base), "--data", str(data), "--out", str(out)),
        *("batch_size=2", *settings),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    killed = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 180
    while not list(out.glob("checkpoints/checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [path.name for path in out.glob("checkpoints/checkpoint-*")] == ["checkpoint-5"]
    launcher = psutil.Process(killed.pid)
    for process in (*launcher.children(recursive=True), launcher):  # a worker is in a group of its own
        with suppress(psutil.NoSuchProcess):
            process.kill()
    killed.wait()
    assert not (out / "result.json").exists()

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("tuned on") == 1  # the first process alone tells
    two = json.loads((out / "result.json").read_text())
    assert (two["updates"], two["rows"]) == (one.updates, one.rows) == (75, 12)
    logs = [
        [json.loads(line) for line in (run / "metrics.jsonl").open()] for run in (tmp_path / "one", out)
    ]
    single, double = ([entry["loss"] for entry in log if "loss" in entry] for log in logs)
    assert double == pytest.approx(single, rel=1e-3, abs=1e-4)
    weights, same = (
        load_file(run / "adapter" / "adapter_model.safetensors") for run in (tmp_path / "one", out)
    )
    for name, weight in weights.items():
        torch.testing.assert_close(same[name], weight, atol=1e-3, rtol=1e-2)


def test_a_run_in_one_process_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks.wait()
    assert ranks.first()
    assert ranks.agreed(True)
    monkeypatch.setenv("RANK", "1")
    assert not ranks.first()
