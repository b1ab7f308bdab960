"""A finished run's result comes back; a damaged one is one line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from tmbr.core.errors import ConfigError, DataError
from tmbr.tuning import run_folder
from tmbr.tuning.preference_config import RewardConfig


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


def test_data_that_is_gone_is_one_line(tmp_path: Path) -> None:
    config, data = RewardConfig(model="m"), tmp_path / "rows.jsonl"
    data.write_text("{}")
    run_folder.claim(config, data, tmp_path / "run")
    run_folder.check(config, data, tmp_path / "run")
    data.unlink()
    with pytest.raises(DataError, match=r"rows\.jsonl: the run's data cannot be read: No such file"):
        run_folder.check(config, data, tmp_path / "run")


def test_what_no_run_has_made_is_not_replaced(tmp_path: Path) -> None:
    config, new, path = RewardConfig(model="m"), tmp_path / "new.jsonl", tmp_path / "run" / "rows.jsonl"
    (tmp_path / "run").mkdir()
    new.write_text("{}")
    run_folder.check(config, new, tmp_path / "run")
    run_folder.check_data(new, path)
    path.write_text("another")
    with pytest.raises(ConfigError, match=r"rows\.jsonl is there already, and another one"):
        run_folder.check_data(new, path)
    path.write_text("{}")
    run_folder.check_data(new, path)
    (tmp_path / "run" / "model").mkdir()
    for check in (
        lambda: run_folder.check(config, new, tmp_path / "run"),
        lambda: run_folder.check_data(new, path),
    ):
        with pytest.raises(ConfigError, match="model is there already, and no run has made it"):
            check()
    with pytest.raises(ConfigError, match=r"new\.jsonl is a file; give a folder"):
        run_folder.check(config, new, new)


def test_one_run_at_a_time_writes_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with run_folder.alone(out):
        assert out.is_dir()
        with pytest.raises(ConfigError, match="another process is writing"), run_folder.alone(out):
            pass
    assert not out.exists()  # nothing came of it
    with run_folder.alone(out):
        (out / "rows.jsonl").touch()
    assert (out / "rows.jsonl").exists()
    with pytest.raises(ConfigError, match="is a file"), run_folder.alone(out / "rows.jsonl"):
        pass


def test_a_result_whose_model_is_gone_is_one_line(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Made:
        folder: str

    run_folder.finish(Made("adapter"), tmp_path)
    with pytest.raises(DataError, match=r"adapter is gone; remove .*result\.json"):
        run_folder.result(Made, tmp_path)


def test_attention_that_a_reward_model_does_not_use_is_refused() -> None:
    with pytest.raises(ValidationError, match="a reward model has sdpa alone"):
        RewardConfig(model="m", attention="flash_attention_2")
