"""What a training run tells while it goes: metrics.jsonl and the bar on the terminal."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

from tmbr.tuning import ranks


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


class Clock(TrainerCallback):
    """The bar on the terminal, and the stop after `minutes`."""

    def __init__(self, minutes: float | None) -> None:
        self.minutes = minutes
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
        return time.monotonic() - self.began >= 60 * minutes

    def stop(self) -> None:
        """Leave the terminal as it was, also after an error."""
        self.bar.stop()
