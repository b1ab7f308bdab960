"""TRL's RewardTrainer for pairs and valued conversations in one batch, with whole checkpoints.

Imported only from inside `tmbr.tuning.reward.run`: PyTorch and TRL take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, linear, logsigmoid
from torch.nn.utils.rnn import pad_sequence
from trl import RewardTrainer

from tmbr.tuning import ranks
from tmbr.tuning.checkpoints import WholeCheckpoints, finite
from tmbr.tuning.masks import IGNORED
from tmbr.tuning.pairs_by_length import PairsByLength

#: Of the calibration error.
BINS = 10


@dataclass(frozen=True, slots=True)
class Collate:
    """Rows to tensors: input_ids and attention_mask of shape (first answers + rejected ones, tokens),
    padded on the right; margin of shape (pairs) and value of shape (values).

    ends, of shape (2 x pairs + values, 2): row and token at which the head is read, for all chosen
    answers, then all rejected ones, then the values. which, of shape (pairs + values, 2): example and
    token (a pair's is -1), so that what was read twice is known.
    """

    padding: int

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        pairs = [at for at, row in enumerate(rows) if row["rejected_ids"]]
        read = [row["chosen_ids"] for row in rows] + [rows[at]["rejected_ids"] for at in pairs]
        ids = [torch.tensor(found) for found in read]
        sides = (*pairs, *range(len(rows), len(read)))
        ends = [(at, len(read[at]) - 1) for at in sides]
        ends += [(at, end) for at, row in enumerate(rows) for end in row["ends"]]
        batch = {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self.padding),
            "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
            "ends": torch.tensor(ends),
            "which": torch.tensor(
                [(rows[at]["number"], -1) for at in pairs]
                + [(row["number"], end) for row in rows for end in row["ends"]]
            ),
            "value": torch.tensor([value for row in rows for value in row["values"]]),
            "margin": torch.tensor([rows[at]["margin"] for at in pairs]),
        }
        if "labels" in rows[0]:
            said = [torch.tensor(row["labels"], dtype=torch.long) for row in rows]
            batch["said"] = pad_sequence(said, batch_first=True, padding_value=IGNORED)
        return batch


class PreferenceTrainer(PairsByLength, WholeCheckpoints, RewardTrainer):  # type: ignore[misc]
    """Bradley-Terry on pairs and binary cross-entropy on values, a mean over all of either kind.

    lm_head: [vocabulary, hidden], frozen, of the base; None without a language-model loss.
    """

    value_weight: float = 1.0
    margin: float = 0.0
    center: float = 0.0
    lm_weight: float = 0.0
    lm_head: Tensor | None = None

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        self._seen: dict[bool, list[Tensor]] = {True: [], False: []}

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ARG002
    ) -> Any:
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            use_cache=False,
            output_hidden_states=True,
        )
        hidden, margin, value = outputs.hidden_states[-1], inputs["margin"], inputs["value"]
        rewards = self._read(hidden, inputs["ends"])
        pairs = len(margin)
        chosen, rejected, said = rewards[:pairs], rewards[pairs : 2 * pairs], rewards[2 * pairs :]
        loss = -logsigmoid(chosen - rejected - self.margin * margin).sum()
        loss = loss + self.center * (chosen + rejected).square().sum()
        valued = binary_cross_entropy_with_logits(said, value, reduction="sum")
        loss = (loss + self.value_weight * valued) / self._mean_count(len(margin) + len(value))
        if self.lm_head is not None and self.model.training:
            loss = loss + self.lm_weight * self._language(hidden, inputs["said"])
        self._note(chosen.detach(), rejected.detach(), said.detach(), value, inputs["which"])
        return (loss, outputs) if return_outputs else finite(loss, self.state.global_step + 1)

    def _read(self, hidden: Tensor, ends: Tensor) -> Tensor:
        """The head, which is fp32, at each of `ends`."""
        row, token = ends.T
        classifier = self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model
        reward: Tensor = classifier.score(hidden[row, token].float())
        return reward.squeeze(-1)

    def _language(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """Negative log-likelihood a token of the chosen answers; 0 where the batch has none."""
        assert self.lm_head is not None
        told = labels[:, 1:] != IGNORED
        count = self._mean_count(int(told.sum()))
        if not count:
            return hidden.new_zeros(())
        at = hidden[: len(labels), : told.shape[1]][told]
        logits = linear(at, self.lm_head.to(at)).float()
        return cross_entropy(logits, labels[:, 1:][told], reduction="sum") / count

    def _mean_count(self, mine: int) -> float:
        """Of items, over all processes: gradients are averaged, and so each item counts alike."""
        told = torch.tensor(float(mine), device=self.accelerator.device)
        return float(self.accelerator.reduce(told, "mean"))

    def _note(
        self, chosen: Tensor, rejected: Tensor, said: Tensor, value: Tensor, which: Tensor
    ) -> None:
        """Keep what was said for the figures."""
        pairs = torch.stack([chosen, rejected, torch.full_like(chosen, torch.nan)], dim=1)
        values = torch.stack([said, torch.full_like(said, torch.nan), value], dim=1)
        rows = torch.cat([torch.cat([pairs, values]), which], dim=1).double().cpu()
        self._seen[self.model.training].append(rows)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        training = self.model.training
        if seen := self._seen[training]:
            rows = torch.cat([part for told in ranks.gathered(seen) for part in told])
            if training:
                logs.update(measured(rows[:, :3], calibration=False))
            else:
                found = measured(_once(rows)[:, :3])
                logs.update({f"eval_{name}": figure for name, figure in found.items()})
            seen.clear()
        super().log(logs, start_time)


def _once(rows: Tensor) -> Tensor:
    """Without what was read again to give all processes as many batches."""
    found = {tuple(row[3:].tolist()): row for row in rows}
    return torch.stack(list(found.values()))


def measured(rows: Tensor, calibration: bool = True) -> dict[str, float]:
    """Figures of what was read: rows of (reward, reward of the rejected answer, value), NaN where none.

    accuracy, margin: of pairs: the share in which the chosen one has more, ties counting half, and by
    how much. auc: how well the reward tells values above one half from the others; missing where all
    are on one side. ece, brier: of its sigmoid as the value (10 bins of equal width).
    """
    first, second, value = rows.double().T
    paired = value.isnan()
    found: dict[str, float] = {}
    if paired.any():
        lead = (first - second)[paired]
        found["accuracy"] = ((lead > 0).double() + 0.5 * (lead == 0)).mean().item()
        found["margin"] = lead.mean().item()
    if calibration and not paired.all():
        said, value = first[~paired], value[~paired]
        found |= _calibrated(said.sigmoid(), value)
        good = value > 0.5
        if good.any() and not good.all():
            found["auc"] = _auc(said, good)
    return found


def _auc(said: Tensor, good: Tensor) -> float:
    """Mann-Whitney's U over all pairs of good and bad, ties counting half."""
    bad = said[~good].sort().values
    below = torch.searchsorted(bad, said[good], right=False)
    not_above = torch.searchsorted(bad, said[good], right=True)
    return ((below + not_above).double() / 2).mean().item() / len(bad)


def _calibrated(said: Tensor, value: Tensor) -> dict[str, float]:
    bins = (said * BINS).long().clamp(max=BINS - 1)
    gaps = torch.zeros(BINS, dtype=said.dtype).index_add(0, bins, said - value)
    return {
        "ece": (gaps.abs().sum() / len(said)).item(),
        "brier": (said - value).square().mean().item(),
    }
