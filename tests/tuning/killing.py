"""Runs that are killed in their middle, and whether what was resumed is what a whole run gives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest
import torch
from pydantic import BaseModel
from safetensors.torch import load_file

_RUN = """
import sys, torch
from importlib import import_module
from pathlib import Path
torch.set_num_threads(1)
trainer, module, kind, config, data, out = sys.argv[1:]
config = getattr(import_module(module), kind).model_validate_json(config)
import_module(trainer).run(config, Path(data), Path(out))
"""


def kill_in_the_middle(trainer: ModuleType, config: BaseModel, data: Path, out: Path) -> None:
    """Start `trainer.run` as a process and kill it by -9 after a checkpoint or two."""
    kind = type(config)
    told = [trainer.__name__, kind.__module__, kind.__name__, config.model_dump_json()]
    command = (_RUN, *told, str(data), str(out))
    kill_once(lambda: any(out.glob("checkpoints/checkpoint-2*")), command, out)


def kill_once(reached: Callable[[], bool], command: Sequence[str], out: Path) -> None:
    """Start Python with this code and arguments, and kill it by -9 as soon as it has got so far."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", *command], env=env)
    deadline = time.monotonic() + 120
    while not reached() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (out / "result.json").exists()


def curve(run: Path) -> dict[int, float]:
    """The loss by update; no update may stand there twice."""
    entries = [json.loads(line) for line in (run / "metrics.jsonl").open()]
    logged = [(entry["step"], entry["loss"]) for entry in entries if "loss" in entry]
    assert [step for step, _ in logged] == sorted({step for step, _ in logged})
    return dict(logged)


def assert_same_course(one: Path, other: Path, loss: float = 1e-5) -> None:
    """The same curve, within a relative difference, and the same weights."""
    assert curve(other) == pytest.approx(curve(one), rel=loss)
    (weights,) = one.glob("*/*model.safetensors")
    found = load_file(other / weights.relative_to(one))
    for name, expected in load_file(weights).items():
        torch.testing.assert_close(found[name], expected, atol=1e-5, rtol=1e-4)
