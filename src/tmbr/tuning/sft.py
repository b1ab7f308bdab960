"""Supervised fine-tuning: rows in, an adapter (or a tuned model) out.

A run folder holds config.yaml, versions.json, metrics.jsonl, checkpoints/, then adapter/ or model/, and
at the very end result.json. The same call again goes on from the last checkpoint; once finished, it
returns what is there.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tmbr.core.errors import ConfigError, DataError, nearest
from tmbr.core.rows import read_rows
from tmbr.core.types import derive_seed
from tmbr.tuning import run_folder
from tmbr.tuning.masks import ChatTemplate, Encoded, Example, encode
from tmbr.tuning.sft_config import SftConfig

if TYPE_CHECKING:
    from tmbr.core.fingerprint import Fingerprint
    from tmbr.tuning.trainer import Clock, WeightedTrainer

RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class SftResult:
    """What came out of a run. `folder`: the adapter or model, inside the run folder; `cut` and
    `dropped`: ids of rows that were too long (see `tmbr.tuning.masks.Encoded`); seconds: of the last
    call."""

    folder: str
    updates: int
    loss: float
    eval_loss: float | None
    rows: int
    tokens: int
    trained_tokens: int
    cut: tuple[str, ...]
    dropped: tuple[str, ...]
    stopped: Literal["epochs", "time"]
    seconds: float


def run(config: SftConfig, rows: Path, out: Path) -> SftResult:
    """Tune `config.model` on the rows of a JSONL file, in the run folder `out`.

    Raises ConfigError, DataError, or Diverged when the loss is no longer a number; whatever happens,
    the last whole checkpoint stays, and the same call goes on from it.
    """
    began = time.monotonic()
    content = read_rows(rows)
    run_folder.check(config, rows, out)
    if (out / RESULT).exists():
        return _result(out)
    _check_machine(config)
    from tmbr.tuning.base import fingerprint, load_base

    model, tokenizer = load_base(config.model, _stored(config))
    base = fingerprint(config.model, model, tokenizer)
    template = ChatTemplate(tokenizer, config.chat_template)
    encoded = encode(content, template, config.max_length)
    if not encoded.examples:
        raise DataError(
            f"{rows}: no row has a trained turn within max_length {config.max_length}; raise it"
        )
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # of TRL and PEFT, not ours
        trainer, clock = make_trainer(config, model, template, encoded, out)
        run_folder.claim(config, rows, out)
        _train(trainer, clock, out)
    evaluated = _eval_loss(trainer)
    folder = _save(config, trainer, base, out)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    result = SftResult(
        folder=folder.name,
        updates=trainer.state.global_step,
        loss=losses[-1],
        eval_loss=evaluated,
        rows=len(encoded.examples),
        tokens=sum(len(example.input_ids) for example in encoded.examples),
        trained_tokens=sum(label >= 0 for example in encoded.examples for label in example.labels),
        cut=tuple(encoded.cut),
        dropped=tuple(encoded.dropped),
        stopped="time" if clock.stopped else "epochs",
        seconds=round(time.monotonic() - began, 1),
    )
    run_folder.write(out / RESULT, json.dumps(asdict(result), indent=2) + "\n")
    return result


def _result(out: Path) -> SftResult:
    stored = json.loads((out / RESULT).read_text(encoding="utf-8"))
    return SftResult(**{**stored, "cut": tuple(stored["cut"]), "dropped": tuple(stored["dropped"])})


def _check_machine(config: SftConfig) -> None:
    import torch

    if config.dtype == "fp16" and not torch.accelerator.is_available():
        raise ConfigError("dtype: fp16 needs a GPU; set dtype: bf16 (or fp32)")
    if config.report_to != "none" and find_spec(config.report_to) is None:
        raise ConfigError(
            f"report_to: {config.report_to} is not installed; pip install {config.report_to}"
        )


def _stored(config: SftConfig) -> Any:
    """Weights that are trained are kept in fp32; a frozen base in the arithmetic's own type."""
    import torch

    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    return kinds[config.dtype] if config.method == "lora" else torch.float32


def make_trainer(
    config: SftConfig, model: Any, template: ChatTemplate, encoded: Encoded, out: Path
) -> tuple[WeightedTrainer, Clock]:
    """The trainer of a run, about to start, and the clock that may stop it."""
    from transformers import PrinterCallback

    from tmbr.tuning.optim import MuonAdamW
    from tmbr.tuning.trainer import Clock, Journal, WeightedTrainer, collate

    held = _held_out(encoded.ids, config.eval_fraction, config.seed)
    pairs = list(zip(encoded.ids, encoded.examples, strict=True))
    train = [example for id, example in pairs if id not in held]
    evaluation = [example for id, example in pairs if id in held]
    clock = Clock(config.max_minutes)
    muon = config.optimizer == "muon"
    trainer = WeightedTrainer(
        model=model,
        args=_arguments(config, out, evaluate=bool(evaluation)),
        data_collator=collate,
        train_dataset=_dataset(train),
        eval_dataset=_dataset(evaluation) if evaluation else None,
        processing_class=template.tokenizer,
        peft_config=_lora(config, model) if config.method == "lora" else None,
        optimizers=(
            MuonAdamW(model, config.learning_rate, weight_decay=config.weight_decay) if muon else None,
            None,
        ),
        callbacks=[Journal(out / "metrics.jsonl"), clock],
    )
    trainer.focal = config.focal
    trainer.remove_callback(PrinterCallback)
    return trainer, clock


def _train(trainer: WeightedTrainer, clock: Clock, out: Path) -> None:
    from tmbr.tuning.trainer import last_checkpoint

    try:
        with warnings.catch_warnings(
            category=FutureWarning, action="ignore"
        ):  # of PEFT and TRL, not ours
            trainer.train(resume_from_checkpoint=last_checkpoint(out / "checkpoints"))
    finally:
        clock.stop()


def _arguments(config: SftConfig, out: Path, evaluate: bool) -> Any:
    import torch
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(out / "checkpoints"),
        run_name=out.name,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip,
        bf16=config.dtype == "bf16",
        fp16=config.dtype == "fp16",
        activation_checkpointing=config.gradient_checkpointing,
        train_sampling_strategy="group_by_length" if config.group_by_length else "random",
        eval_strategy="steps" if evaluate else "no",
        eval_steps=config.save_every,
        save_strategy="steps",
        save_steps=config.save_every,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,  # we stop at the first NaN instead of averaging it away
        report_to=config.report_to,
        disable_tqdm=True,
        seed=config.seed,
        data_seed=config.seed,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        use_cpu=not torch.accelerator.is_available(),
        dataloader_pin_memory=torch.accelerator.is_available(),
    )


def _lora(config: SftConfig, model: Any) -> Any:
    from peft import LoraConfig

    layers = {
        name.rpartition(".")[2] for name, module in model.named_modules() if hasattr(module, "weight")
    }
    for target in config.targets:
        if target not in layers:
            raise ConfigError(
                f"targets: {config.model!r} has no layer {target!r}; {nearest(target, layers)}"
            )
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(config.targets),
    )


def _held_out(ids: Sequence[str], fraction: float, seed: int) -> set[str]:
    """Samples for evaluation: all rows of a sample are on the same side."""
    samples = sorted(set(ids), key=lambda id: (derive_seed(seed, "held out", id), id))
    return set(samples[: round(fraction * len(samples))])


def _dataset(examples: Sequence[Example]) -> Any:
    """Columns for the trainer; weights are scaled to a mean of 1, so that they shift the loss between
    tokens without changing the learning rate."""
    from datasets import Dataset

    weights = [weight for example in examples for weight in example.weights if weight]
    scale = len(weights) / sum(weights)
    return Dataset.from_dict(
        {
            "input_ids": [example.input_ids for example in examples],
            "labels": [example.labels for example in examples],
            "loss_weight": [[weight * scale for weight in example.weights] for example in examples],
        }
    )


def _eval_loss(trainer: WeightedTrainer) -> float | None:
    """Of the final weights; None without held-out samples."""
    if trainer.eval_dataset is None:
        return None
    last: dict[str, float] = trainer.state.log_history[-2]  # before the summary of the training
    return last["eval_loss"] if "eval_loss" in last else trainer.evaluate()["eval_loss"]


def _save(config: SftConfig, trainer: WeightedTrainer, base: Fingerprint, out: Path) -> Path:
    from tmbr.tuning import adapter
    from tmbr.tuning.whole import whole

    tokenizer = trainer.processing_class
    if config.method == "lora":
        folder = out / "adapter"
        adapter.save(trainer.model, tokenizer, base, folder)
    else:
        folder = out / "model"
        with whole(folder) as aside:
            trainer.model.save_pretrained(str(aside))
            tokenizer.save_pretrained(str(aside))
    return folder
