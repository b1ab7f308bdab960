"""A device without room: one line that names the settings, whichever trainer it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support import corridor, tiny
from tests.tuning.policy.playing import grpo, ppo
from tmbr.cli.policy import tune_policy
from tmbr.core.errors import ConfigError
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.types import Message
from tmbr.tuning import dpo, reward, sft
from tmbr.tuning.config import SftConfig
from tmbr.tuning.dpo_trainer import SiblingTrainer
from tmbr.tuning.memory import CPU_FULL, fits, out_of_memory
from tmbr.tuning.policy.actor_critic import ActorCritic
from tmbr.tuning.policy.learner import Learner
from tmbr.tuning.preference_config import DpoConfig, RewardConfig
from tmbr.tuning.reward_trainer import PreferenceTrainer
from tmbr.tuning.trainer import WeightedTrainer

ASKED, GOOD, BAD = Message("user", "go"), Message("assistant", "a"), Message("assistant", "b")
TOLD: dict[str, Any] = {"dtype": "fp32", "batch_size": 4, "eval_fraction": 0, "max_length": 512}


def _full(*_: Any, **__: Any) -> Any:
    """What a GPU says."""
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmany lines")


@pytest.mark.parametrize("kind", ["sft", "dpo", "reward"])
def test_a_trainer_without_room_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    base, data, out = str(tiny.write(tmp_path / "base")), tmp_path / "data.jsonl", tmp_path / "run"
    for trainer in (WeightedTrainer, SiblingTrainer, PreferenceTrainer):
        monkeypatch.setattr(trainer, "compute_loss", _full)
    if kind == "sft":
        write_rows(data, [Row("r", (Turn(ASKED), Turn(GOOD, 1.0)))])
    else:
        write_pairs(data, [Pair("r", (ASKED,), GOOD, BAD)])
    runs: dict[str, Callable[[], Any]] = {
        "sft": lambda: sft.run(SftConfig(model=base, **TOLD), data, out),
        "dpo": lambda: dpo.run(DpoConfig(model=base, **TOLD), data, out),
        "reward": lambda: reward.run(RewardConfig(model=base, **TOLD), data, out),
    }
    with pytest.raises(ConfigError) as caught:
        runs[kind]()
    four_bit = "" if kind == "reward" else ", or four_bit=true"
    assert str(caught.value) == (
        "out of memory: batches of 4 of up to 512 tokens do not fit this device; set batch_size=2"
        f" accumulation=2, or gradient_checkpointing=true{four_bit}, or max_length=256"
    )
    assert not (out / "result.json").exists()


@pytest.mark.parametrize(("learner", "make"), [(ActorCritic, ppo), (Learner, grpo)])
def test_so_does_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learner: Any, make: Any
) -> None:
    base = corridor.opener(tmp_path / "base", steps=1)
    monkeypatch.setattr(learner, "backward", _full)
    with pytest.raises(ConfigError, match=r"out of memory: .* set batch_size=8 accumulation=2, or"):
        tune_policy(make(base, batch_size=16), tmp_path / "run")


def test_only_what_helps_is_named() -> None:
    config = SftConfig(model="m", batch_size=1, gradient_checkpointing=True, four_bit=True)
    assert out_of_memory(config, four_bit=True).endswith("; set max_length=1024")
    full = SftConfig(model="m", method="full", batch_size=1)
    assert "four_bit" not in out_of_memory(full, four_bit=True)
    with pytest.raises(ConfigError, match="out of memory"), fits(full):
        raise RuntimeError(f"[enforce fail at alloc_cpu.cpp:127] . {CPU_FULL}: you tried …")
    with pytest.raises(RuntimeError, match="shapes"), fits(full):
        raise RuntimeError("shapes do not fit")
