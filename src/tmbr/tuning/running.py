"""The middle and the end of a run, the same for all trainers: train, measure, save."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.tuning import ranks
from tmbr.tuning.config import TuneConfig

if TYPE_CHECKING:
    from tmbr.core.fingerprint import Fingerprint
    from tmbr.tuning.callbacks import Clock

RESULT = "result.json"


def train(trainer: Any, clock: Clock, out: Path) -> None:
    """From the last checkpoint, if there is one."""
    from tmbr.tuning.checkpoints import last_checkpoint

    try:
        with warnings.catch_warnings(
            category=FutureWarning, action="ignore"
        ):  # of PEFT and TRL, not ours
            trainer.train(resume_from_checkpoint=last_checkpoint(out / "checkpoints"))
    finally:
        clock.stop()


def evaluated(trainer: Any) -> dict[str, float]:
    """What was measured of the final weights on the held-out samples; empty where none are."""
    if trainer.eval_dataset is None:
        return {}
    last: dict[str, float] = trainer.state.log_history[-2]  # before the summary of the training
    measured: dict[str, float] = last if "eval_loss" in last else trainer.evaluate()
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
