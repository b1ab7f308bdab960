"""What a training run tells while it goes: metrics.jsonl, the bar, what validation says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

from tmbr.tuning import ranks
from tmbr.tuning.validation import Validation
from tmbr.tuning.whole import whole

WEIGHTS = "trained.safetensors"


class Journal(TrainerCallback):
    """metrics.jsonl: one line per log, none twice, also after a resume."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if ranks.first():
            lines = [json.dumps(entry) + "\n" for entry in state.log_history]
            self.path.write_text("".join(lines), encoding="utf-8")

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if ranks.first():
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(state.log_history[-1]) + "\n")


class SamplerEpoch(TrainerCallback):
    """Tells the sampler of rows its epoch, also where a resumed run skips rows that were learnt.

    With several processes accelerate and transformers reach it only in an epoch that is begun whole.
    """

    def on_epoch_begin(
        self,
        args: Any,  # noqa: ARG002
        state: Any,
        control: Any,  # noqa: ARG002
        train_dataloader: Any = None,
        **_: Any,
    ) -> None:
        at = train_dataloader.batch_sampler
        while hasattr(at, "batch_sampler"):
            at = at.batch_sampler
        at.sampler.set_epoch(int(state.epoch + 1e-6))


class Clock(TrainerCallback):
    """The bar on the terminal, and the stop after `minutes`."""

    def __init__(self, minutes: float | None) -> None:
        self.minutes = minutes
        self.began: float | None = None
        self.stopped = False
        self.bar = Progress(
            TextColumn("tuning"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True),
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        control.should_training_stop |= state.global_step >= state.max_steps
        self.began = time.monotonic()
        self.task = self.bar.add_task("", total=state.max_steps, completed=state.global_step, loss="")
        if ranks.first():
            self.bar.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.bar.update(self.task, completed=state.global_step)
        if state.global_step >= state.max_steps:
            control.should_log = True
        elif self.minutes is not None and ranks.agreed(self._over(self.minutes)):
            self.stopped = True
            control.should_training_stop = control.should_save = control.should_log = True

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        entry = state.log_history[-1]
        shown = [f"{key} {entry[key]:.4f}" for key in ("loss", "eval_loss") if key in entry]
        if shown:
            self.bar.update(self.task, loss=" ".join(shown))

    def _over(self, minutes: float) -> bool:
        return self.began is not None and time.monotonic() - self.began >= 60 * minutes

    def stop(self) -> None:
        """Leave the terminal as it was, also after an error."""
        self.bar.stop()


class Validated(TrainerCallback):
    """A measure of the model every so many updates, for any trainer built on transformers'.

    evaluate: measures the model as it is. log: the trainer's own. Training ends with the best weights.
    """

    def __init__(
        self,
        validation: Validation,
        evaluate: Callable[[], float],
        log: Callable[[dict[str, float]], None],
    ) -> None:
        self.validation, self.evaluate, self.log = validation, evaluate, log

    def on_train_begin(self, args: Any, state: Any, control: Any, **told: Any) -> None:  # noqa: ARG002
        self.validation.resume(state.global_step)
        if self.validation.due(state.global_step):
            self._measure(state.global_step, told["model"], control)
        elif state.global_step == 0:  # the run was stopped before its first checkpoint
            self.log({"validation": self.validation.measured[0]})
        control.should_training_stop |= self.validation.stop

    def on_step_end(self, args: Any, state: Any, control: Any, **told: Any) -> None:  # noqa: ARG002
        if self.validation.due(state.global_step):
            self._measure(state.global_step, told["model"], control)
        if self.validation.stop:
            control.should_training_stop = control.should_save = control.should_log = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.validation.prune()

    def on_train_end(self, args: Any, state: Any, control: Any, **told: Any) -> None:  # noqa: ARG002
        """The last weights are measured whatever their update; the best take their place."""
        import torch
        from safetensors.torch import load_file

        if state.global_step not in self.validation.measured:
            self._measure(state.global_step, told["model"], control)
        assert self.validation.best is not None, "the first measurement comes before any update"
        kept = load_file(self.validation.weights(self.validation.best) / WEIGHTS)
        with torch.no_grad():
            for name, weight in told["model"].named_parameters():
                if name in kept:
                    weight.copy_(kept[name])

    def _measure(self, step: int, model: Any, control: Any) -> None:
        # The trainer takes whatever is logged or evaluated for what was due at this update.
        training, log, evaluate = model.training, control.should_log, control.should_evaluate
        model.eval()
        value = self.evaluate()
        self.log({"validation": value})
        model.train(training)
        control.should_log, control.should_evaluate = log, evaluate
        if self.validation.leads(value):
            from safetensors.torch import save_file

            with whole(self.validation.weights(step)) as aside:
                if ranks.first():
                    save_file(_trained(model), aside / WEIGHTS)
        self.validation.note(step, value)


def _trained(model: Any) -> dict[str, Any]:
    return {
        name: weight.detach().cpu().contiguous()
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }
