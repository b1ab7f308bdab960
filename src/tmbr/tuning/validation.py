"""Success on a few validation samples while a model is trained: the best is kept, and when to stop."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tmbr.core.errors import DataError
from tmbr.core.files import write_whole
from tmbr.tuning import ranks


class Evaluator(Protocol):
    """Plays validation samples with the model that is trained; cli hands it in."""

    def open(self, model: Any, tokenizer: Any) -> None:
        """A transformers model whose weights change between the calls below."""
        ...

    def evaluate(self) -> float:
        """Share of the samples that it solves as it is. Raises KeyboardInterrupt when told to stop."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Validation:
    """every: steps (updates or rounds) between evaluations. patience: how many without a new best are
    borne; None bears all. What was measured is in the file `path`, also after a kill; the weights of
    each best are beside it, by step: a run may go on from before the last of them.
    """

    path: Path
    every: int
    patience: int | None = None
    measured: dict[int, float] = field(default_factory=dict)

    def resume(self, step: int) -> None:
        """Forget what was measured after a step that is gone on from. Raises DataError."""
        if not self.path.exists():
            return
        try:
            stored = json.loads(self.path.read_text("utf-8"))["success"]
            self.measured = {int(at): float(value) for at, value in stored.items() if int(at) <= step}
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise DataError(f"{self.path}: damaged ({error}); remove the run and begin again") from None

    def due(self, step: int) -> bool:
        return step % self.every == 0 and step not in self.measured

    def leads(self, success: float) -> bool:
        """Whether it is better than all before; its weights are written before it is noted."""
        return all(success > earlier for earlier in self.measured.values())

    def weights(self, step: int) -> Path:
        """The folder for the weights of a step that was the best."""
        return self.path.with_name("best") / f"step-{step:08d}"

    def prune(self) -> None:
        """Forget all weights but the best: after a checkpoint no run goes on from before it."""
        if not ranks.first():
            return
        for old in self.path.with_name("best").glob("step-*"):
            if self.best is None or old != self.weights(self.best):
                shutil.rmtree(old)

    def note(self, step: int, success: float) -> None:
        """Keep a measurement. Raises OSError."""
        self.measured[step] = success
        told = {"best": self.best, "success": {str(at): value for at, value in self.measured.items()}}
        if ranks.first():
            write_whole(self.path, json.dumps(told, indent=1) + "\n")

    @property
    def best(self) -> int | None:
        """The step of the best measurement, of equals the first."""
        return max(sorted(self.measured), key=self.measured.__getitem__, default=None)

    @property
    def stop(self) -> bool:
        """Whether so many evaluations since the best brought no better one."""
        if self.patience is None or self.best is None:
            return False
        return sum(at > self.best for at in self.measured) >= self.patience
