"""Two processes under `accelerate launch` (gloo) do what one does, in all trainers, killed or not."""

from __future__ import annotations

import json
import operator
import os
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from tests.support import corridor
from tests.tuning.test_reward import PLACES, pair, valued
from tmbr.cli import run as command
from tmbr.core.lines import write_lines
from tmbr.core.pairs import Valued, pair_line, valued_line
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.types import Message
from tmbr.tuning import ranks

RECIPES = Path(__file__).parents[2] / "recipes" / "accelerate"
SHARED = {"dtype": "fp32", "dropout": 0.0, "learning_rate": 1e-3}
#: What takes a batch in each process.
ROWS = {**SHARED, "epochs": 20, "save_every": 5, "log_every": 1}
#: What shares the batches of an update.
PLAYED = {**SHARED, "rounds": 6, "save_every": 2, "batch_size": 2, "accumulation": 3, "samples": 1}
PLAYED |= {
    "sft_weight": 0.01,
    "rollouts.task": corridor.SPEC,
    "rollouts.max_tokens": 12,
    "rollouts.concurrency": 1,
}
VALIDATED = {"evaluate_every": 5, "validation.samples": 3, "validation.split": "train"}
VALIDATED |= {"validation.sampling.temperature": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "sft": {**ROWS, "eval_fraction": 0, **VALIDATED, "validation.task": corridor.SPEC},
    "dpo": {**ROWS, "eval_fraction": 0.34},
    "reward": {**ROWS, "eval_fraction": 0.17, "evaluate_every": 5, "lm_weight": 0.1},
    "ppo": {**PLAYED, "method": "lora", "layout": "one_base", "episodes": 7, "kl": 0.1, **VALIDATED},
    "grpo": {**PLAYED, "method": "full", "groups": "tree", "trunks": 3, "forks": 1, "group": 2},
}
#: Updates, or rounds.
STEPS = {"sft": 60, "dpo": 40, "reward": 60, "ppo": 6, "grpo": 6}
CASES["ppo"] |= {"critic_rounds": 1, "evaluate_every": 2}


def _data(kind: str, path: Path) -> Path:
    """12 samples; what of them trains is even in updates of four."""
    named = [(place, number) for place in PLACES for number in (1, 2)]
    if kind in ("dpo", "reward"):
        lines = [pair_line(pair(*name)) for name in named]
        if kind == "reward":
            # Two values read at once, and three held-out examples: unequal shares of the processes.
            told = [valued(*name, good=True) for name in named[::4]]
            before = [Valued(one.id, one.messages[:2], 0.6) for one in told]
            lines += map(valued_line, (*told, *before))
        write_lines(path, lines)
    else:
        asked, rows = Turn(Message("user", "Go.")), []
        for place, number in named:
            said = Message("assistant", f"Action: go to {place} {number}")
            # Of every second row a part is left out, so that batches of both kinds come up.
            weights = ((0, 6, 0.0),) if number == 1 else ()
            rows.append(Row(said.content, (asked, Turn(said, 1.0, weights))))
        write_rows(path, rows)
    return path


def _told(kind: str, base: Path, data: Path, out: Path, **settings: Any) -> list[str]:
    given = {**CASES[kind], **settings}
    named = ["--data", str(data)]
    if kind in ("ppo", "grpo"):
        named, given["sft_rows"] = [], data
    where = ["--model", str(base), *named, "--out", str(out)]
    return ["tune", kind, *where, *(f"{key}={value}" for key, value in given.items())]


def _launch(recipe: str, told: list[str]) -> list[str]:
    config = ("--config_file", str(RECIPES / f"{recipe}.yaml"), "--num_processes", "2")
    return [sys.executable, "-m", "accelerate.commands.launch", *config, "-m", "tmbr", *told]


def _kill_in_the_middle(launched: list[str], environment: dict[str, str], out: Path) -> None:
    """By -9, as soon as there is a checkpoint."""
    killed = subprocess.Popen(launched, env=environment)
    deadline = time.monotonic() + 180
    while not list(out.glob("checkpoints/[!.]*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [path.name for path in out.glob("checkpoints/[!.]*")] in (["checkpoint-5"], ["round-00002"])
    launcher = psutil.Process(killed.pid)
    for process in (*launcher.children(recursive=True), launcher):  # a worker is in a group of its own
        with suppress(psutil.NoSuchProcess):
            process.kill()
    killed.wait()
    assert not (out / "result.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "recipe", "killed"),
    [
        *[("sft", "ddp", True), ("sft", "zero3", True), ("ppo", "ddp", True)],
        *[(kind, "ddp", False) for kind in ("dpo", "reward", "grpo")],
    ],
)
def test_two_processes_train_as_one_also_after_kill_9(
    tmp_path: Path, kind: str, recipe: str, killed: bool
) -> None:
    if recipe == "zero3" and find_spec("deepspeed") is None:
        pytest.skip("DeepSpeed is not installed")
    data, policy = _data(kind, tmp_path / "rows.jsonl"), kind in ("ppo", "grpo")
    base = corridor.opener(tmp_path / "base")
    # Weights in shards do not play.
    told: list[dict[str, Any]] = [{} if recipe == "ddp" else {"evaluate_every": "null"}] * 2
    if not policy:
        told = [{**told[0], "batch_size": rows} for rows in (4, 2)]
    one, two = tmp_path / "one", tmp_path / "two"
    assert command(_told(kind, base, data, one, **told[0])) == 0

    launched = _launch(recipe, _told(kind, base, data, two, **told[1]))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    if killed:
        _kill_in_the_middle(launched, environment, two)
    done = subprocess.run(launched, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count(str(two)) == 1  # the first process alone tells
    _assert_same(one, two, STEPS[kind])


def _assert_same(one: Path, two: Path, steps: int) -> None:
    """Results, all that was told on the way, and weights, but for rounding and the time they took.

    Two numbers are the library's: the held-out loss, a mean over batches (here of other sizes), and the
    loss of the whole training, which begins anew with a resumed run.
    """
    apart = ("second", "runtime", "flos", "eval_loss", "train_loss")
    results = [json.loads((run / "result.json").read_text()) for run in (one, two)]
    assert results[0].get("updates", results[0].get("rounds")) == steps
    logs = [[json.loads(line) for line in (run / "metrics.jsonl").open()] for run in (one, two)]
    for single, double in zip(*map(operator.add, logs, [[result] for result in results]), strict=True):
        for key, value in single.items():
            if isinstance(value, float) and not any(word in key for word in apart):
                assert double[key] == pytest.approx(value, rel=1e-3, abs=1e-4), (key, single)
            elif not isinstance(value, float):
                assert double[key] == value, (key, single)
    (weights,) = one.glob("*/*model.safetensors")
    found = load_file(two / weights.relative_to(one))
    for name, weight in load_file(weights).items():
        torch.testing.assert_close(found[name], weight, atol=1e-3, rtol=1e-2)


def test_what_processes_cannot_share_is_said_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _data("sft", tmp_path / "rows.jsonl")
    monkeypatch.setenv("WORLD_SIZE", "4")
    told = _told("ppo", tmp_path / "base", data, tmp_path / "run")
    assert command(told) == 2
    assert "leave some of the 4 processes idle; set it to 4 or more" in capsys.readouterr().err
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    for kind in ("ppo", "reward"):
        assert command(_told(kind, tmp_path / "base", data, tmp_path / "run")) == 2
        assert "needs whole weights in each process; launch with" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_in_one_process_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks.wait()
    ranks.check_whole("a policy")
    assert ranks.first()
    assert ranks.agreed(True)
    assert ranks.spread([1, 2, 3], lambda own: [2 * item for item in own]) == [2, 4, 6]
    monkeypatch.setenv("RANK", "1")
    assert not ranks.first()


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
def test_shares_are_put_together_in_order(monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    shares = []
    for number in range(processes):
        monkeypatch.setenv("RANK", str(number))
        shares.append(list(ranks.share("abcd")))
    monkeypatch.setattr(ranks, "gathered", lambda _: shares)
    assert ranks.spread("abcd", list) == list("abcd")
    last = f"-{processes - 1}" if processes > 1 else ""
    assert ranks.own(Path("a/b.jsonl")) == Path(f"a/b{last}.jsonl")
