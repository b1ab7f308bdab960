"""A finished run's result comes back; a damaged one, or a run started by several, is one line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.types import Message
from tmbr.tuning import dpo, reward, run_folder
from tmbr.tuning.preference_config import DpoConfig, RewardConfig


@dataclass(frozen=True)
class Outcome:
    loss: float
    dropped: tuple[str, ...]
    kept: int | None = None


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    assert run_folder.result(Outcome, tmp_path) is None
    made = Outcome(0.1, ("a", "b"))
    run_folder.finish(made, tmp_path)
    assert run_folder.result(Outcome, tmp_path) == made


@pytest.mark.parametrize("text", ["{", "[]", '{"loss": 1}', '{"loss": "x", "dropped": []}'])
def test_a_damaged_result_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(DataError, match=r"result\.json: damaged .*; remove") as caught:
        run_folder.result(Outcome, tmp_path)
    assert "\n" not in str(caught.value)


def test_several_processes_are_refused_where_one_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    data = tmp_path / "pairs.jsonl"
    write_pairs(
        data, [Pair("a", (Message("user", "b"),), Message("assistant", "c"), Message("assistant", "d"))]
    )
    with pytest.raises(ConfigError, match="DPO is trained by one process"):
        dpo.run(DpoConfig(model="m"), data, tmp_path / "dpo")
    with pytest.raises(ConfigError, match="a reward model is trained by one process"):
        reward.run(RewardConfig(model="m"), data, tmp_path / "reward")


def test_attention_that_a_reward_model_does_not_use_is_refused() -> None:
    with pytest.raises(ValidationError, match="a reward model has sdpa alone"):
        RewardConfig(model="m", attention="flash_attention_2")
