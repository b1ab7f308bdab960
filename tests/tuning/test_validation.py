from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from tests.support import tiny
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.types import Message
from tmbr.tuning import adapter, dpo, sft
from tmbr.tuning.config import SftConfig
from tmbr.tuning.dpo import DpoResult
from tmbr.tuning.preference_config import DpoConfig, RewardConfig
from tmbr.tuning.sft import SftResult
from tmbr.tuning.validation import Validation


def test_the_first_of_the_best_is_kept_and_patience_ends(tmp_path: Path) -> None:
    validation = Validation(tmp_path / "validation.json", every=2, patience=2)
    assert [validation.due(step) for step in range(4)] == [True, False, True, False]
    led = []
    for step, value in ((0, 0.1), (2, 0.5), (4, 0.5)):
        led.append(validation.leads(value))
        validation.note(step, value)
    assert led == [True, True, False]
    assert not validation.stop
    validation.note(6, 0.4)
    assert validation.stop
    assert json.loads((tmp_path / "validation.json").read_text()) == {
        "best": 2,
        "success": {"0": 0.1, "2": 0.5, "4": 0.5, "6": 0.4},
    }


def test_after_a_resume_later_measurements_are_made_again(tmp_path: Path) -> None:
    first = Validation(tmp_path / "validation.json", every=1)
    for step in range(4):
        first.note(step, step / 10)
    again = Validation(tmp_path / "validation.json", every=1)
    again.resume(1)
    assert again.measured == {0: 0.0, 1: 0.1}
    assert not again.due(1)
    assert again.due(2)
    assert not again.stop
    (tmp_path / "validation.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        again.resume(1)


class Said:
    """An evaluator that says what it is told to, and remembers the weights that it was asked about."""

    def __init__(self, *values: float) -> None:
        self.values, self.seen, self.closed = list(values), list[torch.Tensor](), False

    def open(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        assert tokenizer.chat_template

    def evaluate(self) -> float:
        assert not self.model.training
        self.seen.append(_trained(self.model))
        return self.values[len(self.seen) - 1]

    def close(self) -> None:
        self.closed = True


def _trained(model: Any) -> torch.Tensor:
    return torch.cat([w.detach().flatten().clone() for w in model.parameters() if w.requires_grad])


@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_training_stops_by_success_and_ends_with_its_best(tmp_path: Path, kind: str) -> None:
    told = {
        **{"model": str(tiny.write(tmp_path / "base")), "dtype": "fp32", "eval_fraction": 0},
        **{"epochs": 9, "batch_size": 1, "evaluate_every": 2, "patience": 2, "learning_rate": 1e-3},
    }
    asked, good, bad = Message("user", "go"), Message("assistant", "a"), Message("assistant", "b")
    evaluator = Said(0.2, 0.6, 0.5, 0.4, 0.9)
    data, out = tmp_path / "data.jsonl", tmp_path / "run"
    result: SftResult | DpoResult
    if kind == "sft":
        write_rows(data, [Row("r", (Turn(asked), Turn(good, 1.0)))])
        result = sft.run(SftConfig(**told), data, out, evaluator)
    else:
        write_pairs(data, [Pair("r", (asked,), good, bad)])
        result = dpo.run(DpoConfig(**told), data, out, evaluator)
    assert (result.kept, result.validated, result.updates) == (2, 0.6, 6)
    assert result.stopped == "patience"
    assert evaluator.closed
    kept, _ = adapter.load(str(tmp_path / "base"), out / "adapter", torch.float32, trainable=True)
    torch.testing.assert_close(_trained(kept), evaluator.seen[1], atol=0, rtol=0)
    logged = [json.loads(line) for line in (out / "metrics.jsonl").open()]
    assert [(e["step"], e["validation"]) for e in logged if "validation" in e] == [
        *((0, 0.2), (2, 0.6), (4, 0.5), (6, 0.4))
    ]


def test_the_end_is_measured_also_of_a_run_shorter_than_the_first_evaluation(tmp_path: Path) -> None:
    base, data, out = tiny.write(tmp_path / "base"), tmp_path / "rows.jsonl", tmp_path / "run"
    write_rows(data, [Row("r", (Turn(Message("user", "go")), Turn(Message("assistant", "a"), 1.0)))])
    told = {"dtype": "fp32", "eval_fraction": 0, "epochs": 3, "evaluate_every": 40}
    evaluator = Said(0.2, 0.6)
    result = sft.run(SftConfig(model=str(base), **told), data, out, evaluator)
    assert (result.kept, result.validated, result.updates) == (3, 0.6, 3)
    kept, _ = adapter.load(str(base), out / "adapter", torch.float32, trainable=True)
    torch.testing.assert_close(_trained(kept), evaluator.seen[1], atol=0, rtol=0)
    assert not torch.equal(*evaluator.seen)


def test_a_run_that_is_gone_on_with_keeps_what_was_measured(tmp_path: Path) -> None:
    base, data, out = tiny.write(tmp_path / "base"), tmp_path / "rows.jsonl", tmp_path / "run"
    write_rows(data, [Row("r", (Turn(Message("user", "go")), Turn(Message("assistant", "a"), 1.0)))])
    config = SftConfig(
        model=str(base),
        **{"dtype": "fp32", "eval_fraction": 0, "epochs": 6, "evaluate_every": 2, "save_every": 2},
    )
    first = Said(0.2, 0.6)
    with pytest.raises(IndexError):  # at update 4, whose checkpoint is not written yet
        sft.run(config, data, out, first)
    assert first.closed
    again = Said(0.3, 0.4)
    result = sft.run(config, data, out, again)
    assert (result.kept, result.validated, result.stopped) == (2, 0.6, "epochs")
    assert len(again.seen) == 2
    kept, _ = adapter.load(str(base), out / "adapter", torch.float32, trainable=True)
    torch.testing.assert_close(_trained(kept), first.seen[1], atol=0, rtol=0)


def test_a_best_after_the_last_checkpoint_is_measured_again(tmp_path: Path) -> None:
    """Killed after a new best that no checkpoint holds: of the resumed run's the older one leads."""
    base, data, out = tiny.write(tmp_path / "base"), tmp_path / "rows.jsonl", tmp_path / "run"
    write_rows(data, [Row("r", (Turn(Message("user", "go")), Turn(Message("assistant", "a"), 1.0)))])
    config = SftConfig(
        model=str(base),
        **{"dtype": "fp32", "eval_fraction": 0, "epochs": 6, "evaluate_every": 2, "save_every": 3},
    )
    first = Said(0.2, 0.5, 0.9)
    with pytest.raises(IndexError):  # at update 6; the last checkpoint is of update 3
        sft.run(config, data, out, first)
    again = Said(0.4, 0.3)
    result = sft.run(config, data, out, again)
    assert (result.kept, result.validated) == (2, 0.5)
    kept, _ = adapter.load(str(base), out / "adapter", torch.float32, trainable=True)
    torch.testing.assert_close(_trained(kept), first.seen[1], atol=0, rtol=0)
    assert [path.name for path in (out / "best").iterdir()] == ["step-00000002"]


def test_what_was_measured_before_the_first_checkpoint_is_told_after_a_stop(tmp_path: Path) -> None:
    base, data, out = tiny.write(tmp_path / "base"), tmp_path / "rows.jsonl", tmp_path / "run"
    write_rows(data, [Row("r", (Turn(Message("user", "go")), Turn(Message("assistant", "a"), 1.0)))])
    told = {"dtype": "fp32", "eval_fraction": 0, "epochs": 2, "evaluate_every": 1, "save_every": 2}
    config = SftConfig(model=str(base), **told)
    with pytest.raises(IndexError):  # at update 1
        sft.run(config, data, out, Said(0.2))
    sft.run(config, data, out, Said(0.3, 0.4))
    logged = [json.loads(line) for line in (out / "metrics.jsonl").open()]
    assert [(e["step"], e["validation"]) for e in logged if "validation" in e] == [
        *((0, 0.2), (1, 0.3), (2, 0.4))
    ]


def test_what_cannot_be_measured_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="set evaluate_every"):
        SftConfig(model="m", patience=1)
    with pytest.raises(ValidationError, match="set eval_fraction"):
        RewardConfig(model="m", evaluate_every=1, eval_fraction=0)
    data = tmp_path / "rows.jsonl"
    write_rows(data, [Row("r", (Turn(Message("user", "go")), Turn(Message("assistant", "a"), 1.0)))])
    config = SftConfig(model=str(tiny.write(tmp_path / "base")), evaluate_every=1, eval_fraction=0)
    with pytest.raises(ConfigError, match="evaluate_every: nothing to measure with"):
        sft.run(config, data, tmp_path / "run")
