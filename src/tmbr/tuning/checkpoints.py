"""Checkpoints that are whole, for any trainer built on transformers', and a stop at the first NaN.

Imported only from inside a run: PyTorch and TRL take seconds.
"""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import Trainer
from transformers.trainer_utils import get_last_checkpoint, rotate_checkpoints

from tmbr.core.errors import DataError, TmbrError
from tmbr.tuning import ranks
from tmbr.tuning.memory import CPU_FULL
from tmbr.tuning.whole import whole

KEPT_CHECKPOINTS = 2
#: What a torn or missing file of a checkpoint makes the libraries raise.
DAMAGED = (OSError, ValueError, KeyError, EOFError, RuntimeError, SafetensorError, UnpicklingError)


class Diverged(TmbrError):
    """The loss or a weight is no longer a number."""


def finite(loss: Any, update: int) -> Any:
    """The loss, if it is a number. update: the one under way. Raises Diverged."""
    if not torch.isfinite(loss):
        raise Diverged(
            f"the loss became {loss.item()} at update {update}; lower learning_rate or set dtype: fp32"
        )
    return loss


class WholeCheckpoints:
    """A mixin that stands before a trainer of TRL."""

    model: Any
    args: Any
    state: Any
    control: Any

    def _get_output_dir(self, trial: Any) -> str:  # noqa: ARG002
        return str(self._aside) if self._aside else str(self.args.output_dir)

    _aside: Path | None = None

    def _run_epoch(self, **told: Any) -> None:
        """None where the run was killed after its last update, which may be in the middle of one."""
        if not self.control.should_training_stop:
            super()._run_epoch(**told)  # type: ignore[misc]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write the checkpoint aside, then put it in its place: one that can be seen is whole."""
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad and not torch.isfinite(parameter).all():
                raise Diverged(
                    f"{name} is not finite after update {self.state.global_step};"
                    " lower learning_rate or set dtype: fp32"
                )
        place = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with whole(place) as aside:
            self._aside = aside
            try:
                # Past TRL's override, which adds a model card to every checkpoint.
                Trainer._save_checkpoint(self, model, trial)  # type: ignore[arg-type]
            finally:
                self._aside = None
            ranks.wait()
            if ranks.first():
                for made in (aside / place.name).iterdir():
                    made.rename(aside / made.name)
                (aside / place.name).rmdir()
        if ranks.first():
            rotate_checkpoints(self.args.output_dir, KEPT_CHECKPOINTS, use_mtime=True)


def damaged(checkpoint: Path, error: Exception) -> DataError:
    """What to say where a checkpoint cannot be read. Memory that does not suffice is another's matter:
    raises that error again."""
    if isinstance(error, torch.OutOfMemoryError) or CPU_FULL in str(error):
        raise error
    why = f"{type(error).__name__}: {error}".strip().split("\n")[0]
    return DataError(
        f"{checkpoint} is damaged ({why}); remove it, and the same command goes on from the one before"
    )


def last_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint; all that are there are whole."""
    if not folder.is_dir():
        return None
    found: str | None = get_last_checkpoint(str(folder))  # type: ignore[no-untyped-call]
    return found
