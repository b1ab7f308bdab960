"""The middle and the end of a run, the same for all trainers: train, measure, save."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tmbr.core.errors import ConfigError
from tmbr.tuning import ranks
from tmbr.tuning.config import TuneConfig
from tmbr.tuning.validation import Evaluator, Validation

if TYPE_CHECKING:
    from tmbr.core.fingerprint import Fingerprint
    from tmbr.tuning.callbacks import Clock

Stopped = Literal["epochs", "time", "patience"]


@dataclass(frozen=True, slots=True)
class Trained:
    """How training ended. kept: the update that the weights are of, the best by validation or the last.
    validated: what validation said of it, None without any."""

    kept: int
    validated: float | None
    stopped: Stopped


def train(
    config: TuneConfig, trainer: Any, clock: Clock, out: Path, evaluator: Evaluator | None
) -> Trained:
    """From the last checkpoint, if there is one. evaluator: asked where `evaluate_every` is set."""
    validation = None
    try:
        if config.evaluate_every is not None:
            validation = _validation(config, trainer, out, evaluator)
        _train(trainer, clock, out)
    finally:
        clock.stop()
        if validation is not None and evaluator is not None:
            evaluator.close()
    if validation is None or validation.best is None:
        return Trained(trainer.state.global_step, None, "time" if clock.stopped else "epochs")
    stopped: Stopped = "patience" if validation.stop else "time" if clock.stopped else "epochs"
    return Trained(validation.best, validation.measured[validation.best], stopped)


def _train(trainer: Any, clock: Clock, out: Path) -> None:
    from tmbr.tuning.checkpoints import DAMAGED, damaged, last_checkpoint

    start = last_checkpoint(out / "checkpoints")
    try:
        with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # of PEFT and TRL
            trainer.train(resume_from_checkpoint=start)
    except DAMAGED as error:
        if start is None or clock.began is not None:
            raise
        raise damaged(Path(start), error) from None


def _validation(config: TuneConfig, trainer: Any, out: Path, evaluator: Evaluator | None) -> Validation:
    """What is trained will be measured while it is."""
    from peft import PeftModel

    from tmbr.tuning.callbacks import Validated

    assert config.evaluate_every is not None
    if evaluator is None:
        raise ConfigError("evaluate_every: nothing to measure with was handed in; leave it out")
    model = trainer.model
    causal = model.get_base_model() if isinstance(model, PeftModel) else model
    evaluator.open(causal, trainer.processing_class)
    validation = Validation(out / "validation.json", config.evaluate_every, config.patience)
    trainer.add_callback(Validated(validation, evaluator.evaluate, trainer.log))
    return validation


def evaluated(config: TuneConfig, trainer: Any) -> dict[str, float]:
    """What was measured of the final weights on the held-out samples; empty where none are."""
    if trainer.eval_dataset is None:
        return {}
    last: dict[str, float] = trainer.state.log_history[-2]  # before the summary of the training
    # With validation it is the best weights that are back, not those that were measured last.
    known = "eval_loss" in last and config.evaluate_every is None
    measured: dict[str, float] = last if known else trainer.evaluate()
    return measured


def last_loss(trainer: Any) -> float:
    """Of the last updates that were logged."""
    losses: list[float] = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return losses[-1]


def save(config: TuneConfig, trainer: Any, base: Fingerprint, out: Path) -> Path:
    """Write OUT/adapter or OUT/model, whole; returns it."""
    from tmbr.tuning import adapter
    from tmbr.tuning.whole import whole

    tokenizer = trainer.processing_class
    sharded = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped) if sharded else None
    if config.method == "lora":
        folder = out / "adapter"
        adapter.save(trainer.model, tokenizer, base, folder, weights)
    else:
        folder = out / "model"
        with whole(folder) as aside:
            if ranks.first():
                trainer.model.save_pretrained(str(aside), state_dict=weights)
                tokenizer.save_pretrained(str(aside))
    return folder
