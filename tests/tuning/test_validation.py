from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.support import tiny
from tmbr.core.errors import DataError
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message
from tmbr.tuning import sft
from tmbr.tuning.base import load_base
from tmbr.tuning.callbacks import Validated
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import ChatTemplate, encode
from tmbr.tuning.validation import Validation


def test_the_first_of_the_best_is_kept_and_patience_ends(tmp_path: Path) -> None:
    validation = Validation(tmp_path / "validation.json", every=2, patience=2)
    assert [validation.due(step) for step in range(4)] == [True, False, True, False]
    assert [validation.note(2 * at, value) for at, value in enumerate([0.1, 0.5, 0.5])] == [
        *(True, True, False)
    ]
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


def test_any_trainer_stops_by_success_and_ends_with_its_best(tmp_path: Path) -> None:
    config = SftConfig(
        model=str(tiny.write(tmp_path / "base")), dtype="fp32", eval_fraction=0, epochs=9, batch_size=1
    )
    model, tokenizer = load_base(config.model, torch.float32)
    template = ChatTemplate(tokenizer)
    rows = [Row("r", (Turn(Message("user", "go")), Turn(Message("assistant", "open a"), 1.0)))]
    trainer, clock = sft.make_trainer(config, model, template, encode(rows, template, 512), tmp_path)
    seen: list[torch.Tensor] = []

    def evaluate(model: torch.nn.Module) -> float:
        assert not model.training
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        seen.append(torch.cat([weight.detach().flatten().clone() for weight in weights]))
        return [0.2, 0.6, 0.5, 0.4, 0.9][len(seen) - 1]

    validation = Validation(tmp_path / "validation.json", every=1, patience=2)
    trainer.add_callback(Validated(validation, evaluate, tmp_path / "best"))
    try:
        trainer.train()
    finally:
        clock.stop()
    assert len(seen) == 4
    assert validation.best == 2
    ends = torch.cat([w.detach().flatten() for w in trainer.model.parameters() if w.requires_grad])
    torch.testing.assert_close(ends, seen[1], atol=0, rtol=0)
