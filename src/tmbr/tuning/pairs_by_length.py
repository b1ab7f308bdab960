"""Batches of pairs of like length, for trainers whose rows hold two sequences."""

from __future__ import annotations

from typing import Any

from torch.utils.data import SequentialSampler

from tmbr.tuning.trainer import ByLength


class PairsByLength:
    """A mixin that stands before a trainer of TRL; a row's length is that of its longer sequence."""

    args: Any
    train_dataset: Any

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)  # type: ignore[misc]
        columns = (self.train_dataset["chosen_ids"], self.train_dataset["rejected_ids"])
        lengths = [max(len(one), len(other)) for one, other in zip(*columns, strict=True)]
        update = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return ByLength(lengths, update * self.args.world_size, self.args.seed)

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        return SequentialSampler(eval_dataset)
