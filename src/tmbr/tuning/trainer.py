"""TRL's SFTTrainer with weights per token, checkpoints that are whole, and a stop at the first NaN.

Imported only from inside `tmbr.tuning.sft.run`: PyTorch and TRL take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTTrainer

from tmbr.tuning.checkpoints import WholeCheckpoints, finite
from tmbr.tuning.masks import IGNORED

Rows = Sequence[dict[str, list[Any]]]


def collate(examples: Rows) -> dict[str, torch.Tensor]:
    """Pad on the right to the longest row: tensors of shape (rows, tokens).

    Packed rows (with `seq_lengths`) carry positions that begin anew with each row instead of a mask of
    attention: from them transformers sees that a row is not to attend to its neighbours.
    """
    ids = [torch.tensor(example["input_ids"]) for example in examples]
    weights = [torch.tensor(example["loss_weight"], dtype=torch.float32) for example in examples]
    labels = [torch.tensor(example["labels"]) for example in examples]
    batch = {
        "input_ids": pad_sequence(ids, batch_first=True, padding_value=0),
        "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
        "loss_weight": pad_sequence(weights, batch_first=True),
    }
    if "seq_lengths" in examples[0]:
        lengths = [example["seq_lengths"] for example in examples]
        positions = [torch.cat([torch.arange(n) for n in packed]) for packed in lengths]
        batch["position_ids"] = pad_sequence(positions, batch_first=True)
    else:
        batch["attention_mask"] = pad_sequence([torch.ones_like(row) for row in ids], batch_first=True)
    return batch


def collate_flat(examples: Rows) -> dict[str, torch.Tensor]:
    """Packed rows as one of shape (1, tokens), the one in which flash attention reads positions."""
    joined = {key: [value for one in examples for value in one[key]] for key in examples[0]}
    return collate([joined])


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


class WeightedTrainer(WholeCheckpoints, SFTTrainer):  # type: ignore[misc]
    """Trains on rows that are tokens already (see `collate`); neither weights nor `focal` count in
    evaluation.

    weighted: whether some token of the data counts for more than another. Asked of the data and not of
    a batch: all processes have to go one way, for what they gather on each is different.
    """

    focal: float = 0.0
    weighted: bool = True

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
        elif self.weighted and self.model.training:
            outputs = model(**inputs, use_cache=False, fused_lm_head=True)
            scores, hits = outputs.log_probs, outputs.is_top1
            loss = self._weighted(scores, hits, weight, labelled, num_items_in_batch)
        else:
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        return loss if return_outputs else finite(loss, self.state.global_step + 1)

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
                **{key: value for key, value in inputs.items() if key != "labels"}, use_cache=False
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
        right, every = self.accelerator.gather(torch.stack([hits.sum(), labels])[None]).sum(0)
        self._metrics[mode]["mean_token_accuracy"].append((right / every).item())
        return loss

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        lengths = [len(ids) for ids in self.train_dataset["input_ids"]]
        update = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return ByLength(lengths, update * self.args.world_size, self.args.seed)
