"""TRL's SFTTrainer with weights per token, checkpoints that are whole, and a stop at the first NaN.

Imported only from inside `tmbr.tuning.sft.run`: PyTorch and TRL take seconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices
from transformers.trainer_utils import get_last_checkpoint, rotate_checkpoints
from trl import SFTTrainer

from tmbr.core.errors import TmbrError
from tmbr.tuning.masks import IGNORED
from tmbr.tuning.whole import whole

KEPT_CHECKPOINTS = 2


class Diverged(TmbrError):
    """The loss or a weight is no longer a number."""


def collate(examples: Sequence[dict[str, list[Any]]]) -> dict[str, torch.Tensor]:
    """Pad on the right to the longest row: tensors of shape (rows, tokens)."""
    ids = [torch.tensor(example["input_ids"]) for example in examples]
    labels = [torch.tensor(example["labels"]) for example in examples]
    weights = [torch.tensor(example["loss_weight"], dtype=torch.float32) for example in examples]
    return {
        "input_ids": pad_sequence(ids, batch_first=True, padding_value=0),
        "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
        "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
        "loss_weight": pad_sequence(weights, batch_first=True),
    }


class ByLength(torch.utils.data.Sampler[int]):
    """Rows of like length side by side, in an order that is a function of seed and epoch alone.

    The sampler of transformers draws from the global generator: a resumed run would see other rows.
    """

    def __init__(self, lengths: list[int], batch: int, seed: int) -> None:
        self.lengths, self.batch, self.seed, self.epoch = lengths, batch, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call]
            self.lengths, self.batch, generator=generator
        )
        return iter(order)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch


class WeightedTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on rows that are tokens already (see `collate`); neither weights nor `focal` count in
    evaluation."""

    focal: float = 0.0

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        weight = inputs.pop("loss_weight")
        labelled = inputs["labels"] != IGNORED
        if not self.model.training:
            weight = labelled.float()
        if self._on_one_cpu():
            scores, hits = self._scored(inputs)
            loss = self._weighted(scores, hits, weight, labelled, num_items_in_batch)
        elif self.focal or bool((weight[labelled] != 1).any()):
            outputs = model(**inputs, use_cache=False, fused_lm_head=True)
            scores, hits = outputs.log_probs, outputs.is_top1
            loss = self._weighted(scores, hits, weight, labelled, num_items_in_batch)
        else:
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        if not return_outputs and not torch.isfinite(loss):
            raise Diverged(
                f"the loss became {loss.item()} at update {self.state.global_step + 1};"
                " lower learning_rate or set dtype: fp32"
            )
        return loss

    def _on_one_cpu(self) -> bool:
        return bool(self.args.device.type == "cpu" and self.accelerator.num_processes == 1)

    def _scored(self, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probability of each label and whether it is the likeliest token: (rows, tokens - 1).

        What TRL's fused head gives, but it projects every position where there is no Triton; to project
        only the trained ones makes small models on a CPU about twice as fast.
        """
        causal = self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model
        labels = inputs["labels"][:, 1:]
        labelled = labels != IGNORED
        with self.accelerator.autocast():
            hidden = causal.base_model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
            ).last_hidden_state[:, :-1]
            logits = causal.get_output_embeddings()(hidden[labelled]).float()
        nll = cross_entropy(logits, labels[labelled], reduction="none")
        scores = torch.zeros(labels.shape).masked_scatter(labelled, -nll)
        hits = torch.zeros_like(labelled).masked_scatter(
            labelled, logits.argmax(-1) == labels[labelled]
        )
        return scores, hits

    def _weighted(self, scores: Any, hits: Any, weight: Any, labelled: Any, count: Any) -> Any:
        """Negative log-likelihood of each label times its weight, over the number of labels."""
        labels = labelled[:, 1:].sum()
        weight = weight[:, 1:]
        if self.focal and self.model.training:
            weight = weight * (1 - scores.detach().exp()) ** self.focal
        loss = -(scores * weight).sum() / (labels if count is None else count)
        if self.args.average_tokens_across_devices and count is not None:
            loss = loss * self.accelerator.num_processes
        mode = "train" if self.model.training else "eval"
        self._metrics[mode]["mean_token_accuracy"].append((hits.sum() / labels).item())
        return loss

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        lengths = [len(ids) for ids in self.train_dataset["input_ids"]]
        update = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return ByLength(lengths, update, self.args.seed)

    def _get_output_dir(self, trial: Any) -> str:  # noqa: ARG002
        return str(self._aside) if self._aside else str(self.args.output_dir)

    _aside: Path | None = None

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
                super(SFTTrainer, self)._save_checkpoint(model, trial)
            finally:
                self._aside = None
            for made in (aside / place.name).iterdir():
                made.rename(aside / made.name)
            (aside / place.name).rmdir()
        rotate_checkpoints(self.args.output_dir, KEPT_CHECKPOINTS, use_mtime=True)


def last_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint; all that are there are whole."""
    if not folder.is_dir():
        return None
    found: str | None = get_last_checkpoint(str(folder))  # type: ignore[no-untyped-call]
    return found


class Journal(TrainerCallback):
    """metrics.jsonl: one line per log, none twice, also after a resume."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        lines = [json.dumps(entry) + "\n" for entry in state.log_history]
        self.path.write_text("".join(lines), encoding="utf-8")

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
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
        self.bar.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.bar.update(self.task, completed=state.global_step)
        if state.global_step >= state.max_steps:
            control.should_log = True
        elif self.minutes is not None and time.monotonic() - self.began >= 60 * self.minutes:
            self.stopped = True
            control.should_training_stop = control.should_save = control.should_log = True

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        entry = state.log_history[-1]
        shown = [f"{key} {entry[key]:.4f}" for key in ("loss", "eval_loss") if key in entry]
        if shown:
            self.bar.update(self.task, loss=" ".join(shown))

    def stop(self) -> None:
        """Leave the terminal as it was, also after an error."""
        self.bar.stop()
