"""One round's learning: what both methods share, and GRPO, which is that with grouped advantages.

Imported only from inside a run: PyTorch takes seconds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from tmbr.core.types import derive_seed
from tmbr.tuning import ranks
from tmbr.tuning.masks import Example, weight_scale
from tmbr.tuning.optim import MuonAdamW
from tmbr.tuning.policy import losses
from tmbr.tuning.policy.advantages import grouped, tempered
from tmbr.tuning.policy.batch import Batch
from tmbr.tuning.policy.config import GrpoConfig, PolicyConfig
from tmbr.tuning.policy.networks import Networks, sampled
from tmbr.tuning.policy.turns import Strand, labelled


@dataclass(slots=True)
class Targets:
    """What a round's tokens are trained on; all of shape [tokens], on the CPU.

    old, reference: log-probabilities before the round, by the policy and the reference (None without).
    advantage, weight: of the policy's loss, the weight being that of the sampler's mismatch.
    share: of its update's loss, over the sum of all shares in the update.
    values, returns: of the critic, where `valued`; None without one.
    """

    old: Tensor
    reference: Tensor | None
    weight: Tensor
    advantage: Tensor
    share: Tensor
    values: Tensor | None = None
    returns: Tensor | None = None
    valued: Tensor | None = None


class Learner:
    """Keeps the optimiser; `learn` is one round. rows: supervised examples that are mixed in.

    Several processes have the same episodes and weights; each takes its share of the batches of an
    update, and their gradients are added up: what one process would do.
    """

    #: Whether the divergence from the reference is a term of the loss, or was taken from the rewards.
    kl_in_loss = True

    def __init__(self, config: PolicyConfig, networks: Networks, rows: Sequence[Example] = ()) -> None:
        self.config, self.networks, self.rows = config, networks, rows
        self.weight_scale = weight_scale(rows) if rows else 1.0
        self.kl = config.kl
        self.optimizer = self._optimizer()

    def beside(self) -> list[dict[str, Any]]:
        """What the optimiser trains beside the policy, and the peak rate of each."""
        return []

    def _optimizer(self) -> torch.optim.Optimizer:
        rate, decay, beside = self.config.learning_rate, self.config.weight_decay, self.beside()
        made: torch.optim.Optimizer
        if self.config.optimizer == "muon":
            made = MuonAdamW(self.networks.policy, rate, decay, beside=beside)
        else:
            policy = {"params": list(self.networks.actor_weights.values())}
            made = torch.optim.AdamW([policy, *beside], rate, weight_decay=decay)
        for group in made.param_groups:
            group.setdefault("peak", rate)
        return made

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict(), "kl": self.kl}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.kl = state["kl"]

    def learn(self, batch: Batch, round: int) -> dict[str, float]:
        """Returns what is worth a line of metrics.jsonl."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate(self.config, round)
        targets = self.targets(batch)
        targets.advantage = tempered(targets.advantage, self.config.negative_weight)
        told: dict[str, list[float]] = defaultdict(list)
        for number, update in enumerate(self._updates(batch, self.teaching(batch, targets), round)):
            self._update(batch, targets, update, round, number, told)
        found = _means(ranks.gathered(dict(told)))
        found |= self._mismatch(batch, targets)
        found["learning_rate"] = self.optimizer.param_groups[0]["lr"]
        if targets.reference is not None:
            found["kl"] = losses.divergence(targets.old, targets.reference).mean().item()
            found["kl_weight"] = self.kl
            if self.config.kl_target is not None:
                self.kl = losses.steered(
                    self.kl, found["kl"], self.config.kl_target, self.config.kl_rate
                )
        return found

    def targets(self, batch: Batch) -> Targets:
        """GRPO's: each token has its turn's advantage within the group."""
        assert isinstance(self.config, GrpoConfig)
        old, reference, _ = self.measured(batch)
        weight = losses.importance(old, batch.sampler, self.config.mismatch_cap)
        turns = torch.tensor(grouped(batch, self.config), dtype=torch.float32)
        share = torch.ones_like(weight)
        if self.config.average == "episode":
            for span in batch.spans(batch.turn):
                share[span] /= span.stop - span.start
        return Targets(old, reference, weight, turns[batch.turn], share)

    @torch.no_grad()
    def measured(self, batch: Batch) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """[tokens] log-probabilities by policy and reference, and the critic's values."""
        order = sorted(range(len(batch.strands)), key=lambda i: len(batch.strands[i].ids))
        chunks = list(_chunks(order, self.config.batch_size))
        at = torch.cat([batch.tokens(index) for index in chunks])
        said = ranks.spread(
            chunks, lambda own: [self._measured([batch.strands[i] for i in index]) for index in own]
        )
        found: list[Tensor | None] = []
        for parts in zip(*said, strict=True):
            there = [part for part in parts if part is not None]
            found.append(torch.zeros(len(at)).index_copy(0, at, torch.cat(there)) if there else None)
        old, reference, values = found
        assert old is not None
        return old, reference, values

    def _measured(self, content: list[Strand]) -> tuple[Tensor, Tensor | None, Tensor | None]:
        networks, reference, values = self.networks, None, None
        old = self._scores(networks.policy, content).cpu()
        if self.config.kl:
            with networks.as_reference() as model:
                reference = self._scores(model, content).cpu()
        if networks.head is not None:
            with networks.as_critic() as model:
                values = networks.values(networks.hidden(model, content)).cpu()
        return old, reference, values

    def _scores(self, model: Any, content: list[Strand]) -> Tensor:
        logits = self.networks.logits(model, self.networks.hidden(model, content))
        return _logprobs(logits, sampled(content).to(logits.device))

    def teaching(self, batch: Batch, targets: Targets) -> list[int]:
        """Strands from which there is anything to learn; all of them where none teaches. Where
        advantages make all of the loss, a group that ended alike has nothing to say."""
        every = list(range(len(batch.strands)))
        if self.config.kl or self.config.entropy or targets.values is not None:
            return every
        least = 1e-6  # what rounding leaves of nothing
        return [i for i in every if (targets.advantage[batch.tokens([i])].abs() > least).any()] or every

    def _updates(self, batch: Batch, teaching: Sequence[int], round: int) -> Iterator[list[int]]:
        """Strands of each update, in an order that follows from seed, round and epoch alone; within an
        update by length, so that those of one forward pass are alike."""
        size = self.config.batch_size * self.config.accumulation
        for epoch in range(self.config.epochs):
            order = list(teaching)
            Random(derive_seed(self.config.seed, "order", round, epoch)).shuffle(order)
            for update in _chunks(order, size):
                yield sorted(update, key=lambda i: len(batch.strands[i].ids))

    def _update(
        self,
        batch: Batch,
        targets: Targets,
        update: list[int],
        round: int,
        number: int,
        told: dict[str, list[float]],
    ) -> None:
        within = batch.tokens(update)
        self._mode(train=True)
        for index in ranks.share(list(_chunks(update, self.config.batch_size))):
            content = [batch.strands[i] for i in index]
            self.backward(content, targets, batch.tokens(index), within, round, told)
        if self.rows:
            self._supervise(len(update), round, number, told)
        for weights in (self.networks.actor_weights, self.networks.critic_weights):
            if weights:
                ranks.add_up_gradients(list(weights.values()))
                norm = torch.nn.utils.clip_grad_norm_(weights.values(), self.config.clip)
                name = "grad_norm" if weights is self.networks.actor_weights else "critic_grad_norm"
                told[name].append(norm.item())
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._mode(train=False)

    def _mode(self, train: bool) -> None:
        for model in (self.networks.policy, self.networks.critic):
            if model is not None:
                model.train(train)

    def backward(
        self,
        content: list[Strand],
        targets: Targets,
        at: Tensor,
        within: Tensor,
        round: int,  # noqa: ARG002
        told: dict[str, list[float]],
    ) -> None:
        """Add the gradient of some strands, of the tokens `at`, in the update of all `within`."""
        states = self.networks.hidden(self.networks.policy, content)
        self.policy_loss(states, content, targets, at, within, told).backward()  # type: ignore[no-untyped-call]

    def policy_loss(
        self,
        states: Tensor,
        content: list[Strand],
        targets: Targets,
        at: Tensor,
        within: Tensor,
        told: dict[str, list[float]],
    ) -> Tensor:
        """These tokens' part of the mean over all of the update's."""
        device = states.device
        logits = self.networks.logits(self.networks.policy, states)
        new = _logprobs(logits, sampled(content).to(device))
        old = targets.old[at].to(device)
        loss = targets.weight[at].to(device) * losses.policy_loss(
            new, old, targets.advantage[at].to(device), self.config.clip_ratio
        )
        told["policy_loss"].append(loss.mean().item())
        if self.kl_in_loss and targets.reference is not None:
            loss = loss + self.kl * losses.divergence(new, targets.reference[at].to(device))
        spread = losses.entropy(logits if self.config.entropy else logits.detach())
        if self.config.entropy:
            loss = loss - self.config.entropy * spread
        with torch.no_grad():
            ratio = (new - old).exp()
            told["clipped"].append(((ratio - 1).abs() > self.config.clip_ratio).float().mean().item())
            told["step_kl"].append(losses.divergence(old, new).mean().item())
            told["entropy"].append(spread.mean().item())
        return (targets.share[at].to(device) * loss).sum() / targets.share[within].sum().to(device)

    def _supervise(self, count: int, round: int, number: int, told: dict[str, list[float]]) -> None:
        """Weighted cross-entropy on so many rows, drawn for this update; a mean over their tokens."""
        drawn = Random(derive_seed(self.config.seed, "rows", round, number))
        examples = drawn.sample(self.rows, min(count, len(self.rows)))
        content = [labelled(row) for row in sorted(examples, key=lambda row: len(row.input_ids))]
        every = sum(len(weights) for _, weights in content)
        found = 0.0
        for index in ranks.share(list(_chunks(range(len(content)), self.config.batch_size))):
            scores = self._scores(self.networks.policy, [content[i][0] for i in index])
            weight = self.weight_scale * torch.tensor([w for i in index for w in content[i][1]])
            loss = -(weight.to(scores.device) * scores).sum() / every
            (self.config.sft_weight * loss).backward()  # type: ignore[no-untyped-call]
            found += loss.item()
        told["sft_loss"].append(ranks.count() * found)

    def _mismatch(self, batch: Batch, targets: Targets) -> dict[str, float]:
        """How far sampler and trainer are apart on the same tokens, in nats, and how many are cut."""
        apart = targets.old - batch.sampler
        return {
            "mismatch": apart.abs().mean().item(),
            "mismatch_max": apart.abs().max().item(),
            "truncated": (apart.exp() > self.config.mismatch_cap).float().mean().item(),
        }


def _means(told: Sequence[dict[str, list[float]]]) -> dict[str, float]:
    """Of what all processes noted."""
    names = dict.fromkeys(name for one in told for name in one)
    every = {name: [value for one in told for value in one.get(name, ())] for name in names}
    return {name: sum(values) / len(values) for name, values in every.items()}


def rate(config: PolicyConfig, round: int) -> float:
    """Share of the peak learning rate in a round, the first being 0; no round has none."""
    rising = math.ceil(config.warmup * config.rounds)
    if round < rising:
        return (round + 1) / (rising + 1)
    past = (round - rising) / (config.rounds - rising)
    if config.schedule == "linear":
        return 1 - past
    return (1 + math.cos(math.pi * past)) / 2 if config.schedule == "cosine" else 1.0


def _chunks(items: Sequence[int], size: int) -> Iterator[list[int]]:
    return (list(items[at : at + size]) for at in range(0, len(items), size))


def _logprobs(logits: Tensor, ids: Tensor) -> Tensor:
    return logits.log_softmax(-1).gather(-1, ids[:, None]).squeeze(-1)
