"""TRL's DPOTrainer on pairs that are tokens already, with whole checkpoints and a stop at NaN.

Imported only from inside `tmbr.tuning.dpo.run`: PyTorch and TRL take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from trl import DPOTrainer

from tmbr.tuning.checkpoints import WholeCheckpoints, finite
from tmbr.tuning.pairs_by_length import PairsByLength

#: Log-probabilities of the reference, where they are asked once.
REFERENCE = ("ref_chosen_logps", "ref_rejected_logps")


@dataclass(frozen=True, slots=True)
class Collate:
    """Rows to tensors of shape (2 × rows, tokens), all chosen answers first, padded on the right."""

    padding: int

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        sides = [
            (row[f"{side}_ids"], row[f"{side}_from"]) for side in ("chosen", "rejected") for row in rows
        ]
        ids = [torch.tensor(found) for found, _ in sides]
        answers = [(torch.arange(len(found)) >= start).long() for found, start in sides]
        batch = {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self.padding),
            "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
            "completion_mask": pad_sequence(answers, batch_first=True),
        }
        for name in REFERENCE:
            if name in rows[0]:
                batch[name] = torch.tensor([row[name] for row in rows])
        return batch


class SiblingTrainer(PairsByLength, WholeCheckpoints, DPOTrainer):  # type: ignore[misc]
    """reference_free: all answers were equally likely before."""

    def __init__(self, reference_free: bool, **told: Any) -> None:
        self.reference_free = reference_free
        super().__init__(**told)

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        if not self.reference_free:
            return super()._precompute_ref_logps(dataset, name, batch_size)
        for column in REFERENCE:
            dataset = dataset.add_column(column, [0.0] * len(dataset))
        return dataset

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        return loss if return_outputs else finite(loss, self.state.global_step + 1)
