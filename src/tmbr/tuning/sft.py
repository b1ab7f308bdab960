"""Supervised fine-tuning: rows in, an adapter (or a tuned model) out.

A run folder holds config.yaml, versions.json, metrics.jsonl, checkpoints/, then adapter/ or model/, and
at the very end result.json. The same call again goes on from the last checkpoint; once finished, it
returns what is there.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.errors import DataError
from tmbr.core.rows import read_rows
from tmbr.tuning import run_folder
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import IGNORED, ChatTemplate, Encoded, Example, encode, weight_scale
from tmbr.tuning.memory import fits
from tmbr.tuning.running import Stopped, evaluated, last_loss, save, train
from tmbr.tuning.setup import arguments, base_model, held_out, lora
from tmbr.tuning.validation import Evaluator

if TYPE_CHECKING:
    from tmbr.tuning.callbacks import Clock
    from tmbr.tuning.trainer import WeightedTrainer


@dataclass(frozen=True, slots=True)
class SftResult:
    """What came out of a run. `folder`: the adapter or model, inside the run folder; `rows`: examples
    trained on; `cut`, `split`, `dropped`: ids of rows that were too long, and `lost`: how many of their
    turns do not train (see `tmbr.tuning.masks.Encoded`); kept, validated: see
    `tmbr.tuning.running.Trained`; seconds: of the last call."""

    folder: str
    updates: int
    loss: float
    eval_loss: float | None
    rows: int
    tokens: int
    trained_tokens: int
    cut: tuple[str, ...]
    split: tuple[str, ...]
    dropped: tuple[str, ...]
    lost: int
    kept: int
    validated: float | None
    stopped: Stopped
    seconds: float


def run(config: SftConfig, rows: Path, out: Path, evaluator: Evaluator | None = None) -> SftResult:
    """Tune `config.model` on the rows of a JSONL file, in the run folder `out`. evaluator: asked every
    `evaluate_every` updates.

    Raises ConfigError, DataError, or Diverged when the loss is no longer a number; whatever happens,
    the last whole checkpoint stays, and the same call goes on from it.
    """
    began = time.monotonic()
    content = read_rows(rows)
    run_folder.check(config, rows, out)
    if there := run_folder.result(SftResult, out):
        return there
    from tmbr.tuning.base import fingerprint

    model, tokenizer = base_model(config)
    base = fingerprint(config.model, model, tokenizer)
    template = ChatTemplate(tokenizer, config.chat_template)
    encoded = encode(content, template, config.max_length, config.over_length)
    if not encoded.examples:
        if not any(turn.loss > 0 for row in content for turn in row.turns):
            raise DataError(f"{rows}: no row has a turn that is trained; `loss` is 0 in all of them")
        raise DataError(
            f"{rows}: no row has a trained turn within max_length {config.max_length}; raise it"
        )
    with (
        warnings.catch_warnings(category=FutureWarning, action="ignore"),  # of TRL and PEFT, not ours
        fits(config, four_bit=True),
    ):
        trainer, clock = make_trainer(config, model, template, encoded, out)
        run_folder.claim(config, rows, out)
        trained = train(config, trainer, clock, out, evaluator)
        measured = evaluated(config, trainer)
    folder = save(config, trainer, base, out)
    result = SftResult(
        folder=folder.name,
        updates=trainer.state.global_step,
        loss=last_loss(trainer),
        eval_loss=measured.get("eval_loss"),
        rows=len(encoded.examples),
        tokens=sum(len(example.input_ids) for example in encoded.examples),
        trained_tokens=sum(label >= 0 for example in encoded.examples for label in example.labels),
        cut=tuple(encoded.cut),
        split=tuple(encoded.split),
        dropped=tuple(encoded.dropped),
        lost=encoded.lost,
        kept=trained.kept,
        validated=trained.validated,
        stopped=trained.stopped,
        seconds=round(time.monotonic() - began, 1),
    )
    run_folder.finish(result, out)
    return result


def make_trainer(
    config: SftConfig, model: Any, template: ChatTemplate, encoded: Encoded, out: Path
) -> tuple[WeightedTrainer, Clock]:
    """The trainer of a run, about to start, and the clock that may stop it."""
    from transformers import PrinterCallback

    from tmbr.tuning.callbacks import Clock, Journal, SamplerEpoch
    from tmbr.tuning.optim import MuonAdamW
    from tmbr.tuning.trainer import WeightedTrainer, collate, collate_flat

    held = held_out(encoded.ids, config.eval_fraction, config.seed)
    pairs = list(zip(encoded.ids, encoded.examples, strict=True))
    trained = [example for id, example in pairs if id not in held]
    evaluation = [example for id, example in pairs if id in held]
    clock = Clock(config.max_minutes)
    muon = config.optimizer == "muon"
    flat = config.packing and config.attention == "flash_attention_2"
    pack_to = config.max_length if config.packing else None
    trainer = WeightedTrainer(
        model=model,
        args=_arguments(config, out, evaluate=bool(evaluation)),
        data_collator=collate_flat if flat else collate,
        train_dataset=_dataset(trained, pack_to),
        eval_dataset=_dataset(evaluation, pack_to) if evaluation else None,
        processing_class=template.tokenizer,
        peft_config=lora(config, model) if config.method == "lora" else None,
        optimizers=(
            MuonAdamW(model, config.learning_rate, weight_decay=config.weight_decay) if muon else None,
            None,
        ),
        callbacks=[Journal(out / "metrics.jsonl"), SamplerEpoch(), clock],
    )
    trainer.focal = config.focal
    different = {
        weight
        for example in trained
        for weight, label in zip(example.weights, example.labels, strict=True)
        if label != IGNORED
    }
    trainer.weighted = config.focal > 0 or len(different) > 1
    trainer.remove_callback(PrinterCallback)
    return trainer, clock


def _arguments(config: SftConfig, out: Path, evaluate: bool) -> Any:
    from trl import SFTConfig

    return SFTConfig(
        **arguments(config, out, evaluate),
        activation_checkpointing=config.gradient_checkpointing,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )


def _dataset(examples: Sequence[Example], pack_to: int | None) -> Any:
    """Columns for the trainer.

    pack_to: tokens of a sequence into which examples are laid, best fit first; None leaves them apart.
    """
    from datasets import Dataset
    from trl import pack_dataset

    scale = weight_scale(examples)
    made = Dataset.from_dict(
        {
            "input_ids": [example.input_ids for example in examples],
            "labels": [example.labels for example in examples],
            "loss_weight": [[weight * scale for weight in example.weights] for example in examples],
        }
    )
    return made if pack_to is None else pack_dataset(made, pack_to, "bfd")
