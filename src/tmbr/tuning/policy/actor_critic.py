"""PPO: the same loop with a critic, whose values make the advantages.

Imported only from inside a run: PyTorch takes seconds.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tmbr.tuning.policy import losses
from tmbr.tuning.policy.advantages import gae, normalised
from tmbr.tuning.policy.batch import Batch
from tmbr.tuning.policy.config import PpoConfig
from tmbr.tuning.policy.learner import Learner, Targets
from tmbr.tuning.policy.turns import Strand


class ActorCritic(Learner):
    """See `tmbr.tuning.policy.learner.Learner`."""

    config: PpoConfig
    kl_in_loss = False

    def beside(self) -> list[dict[str, Any]]:
        critic = list(self.networks.critic_weights.values())
        return [{"params": critic, "peak": self.config.critic_rate}]

    def targets(self, batch: Batch) -> Targets:
        old, reference, values = self.measured(batch)
        assert values is not None
        rewards = torch.zeros(len(old))
        rewards[batch.last] = batch.rewards
        if reference is not None:
            rewards -= self.kl * (old - reference)
        advantage, returns, valued = self.estimates(batch, rewards, values)
        if self.config.normalise:
            advantage = normalised(advantage)
        weight = losses.importance(old, batch.sampler, self.config.mismatch_cap)
        share = torch.ones_like(weight)
        return Targets(old, reference, weight, advantage, share, values, returns, valued)

    def estimates(self, batch: Batch, rewards: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advantages, returns, and where the critic learns, each [tokens].

        By turns, a turn's reward is the sum of its tokens', its value that before its first token.
        """
        gamma, lam = self.config.gamma, self.config.lam
        if self.config.gae == "token":
            advantage = _by_span(batch, rewards, values, gamma, lam)
            return advantage, advantage + values, torch.ones_like(batch.last)
        summed = torch.zeros(len(batch.rewards)).index_add(0, batch.turn, rewards)
        before = values[batch.first]
        turns = _by_span(batch, summed, before, gamma, lam)
        return turns[batch.turn], (turns + before)[batch.turn], batch.first

    def backward(
        self,
        content: list[Strand],
        targets: Targets,
        at: Tensor,
        within: Tensor,
        round: int,
        told: dict[str, list[float]],
    ) -> None:
        """With a shared trunk one backward pass serves both; else the critic has its own."""
        shared = self.config.layout == "shared"
        policy_learns = round >= self.config.critic_rounds
        if policy_learns or shared:
            states = self.networks.hidden(self.networks.policy, content)
            loss = torch.zeros((), device=states.device)
            if policy_learns:
                loss = loss + self.policy_loss(states, content, targets, at, within, told)
            if shared:
                trunk = states if policy_learns else states.detach()
                weight = self.config.value_weight
                loss = loss + weight * self.value_loss(trunk, targets, at, within, told)
            loss.backward()  # type: ignore[no-untyped-call]
        if not shared:
            with self.networks.as_critic() as model:
                states = self.networks.hidden(model, content)
                self.value_loss(states, targets, at, within, told).backward()  # type: ignore[no-untyped-call]

    def value_loss(
        self, states: Tensor, targets: Targets, at: Tensor, within: Tensor, told: dict[str, list[float]]
    ) -> Tensor:
        """The sum over these tokens, over the number of all of the update's that are valued."""
        assert targets.values is not None
        assert targets.returns is not None
        assert targets.valued is not None
        valued = targets.valued[at].to(states.device)
        new, old, returns = (
            values.to(states.device)[valued]
            for values in (self.networks.values(states), targets.values[at], targets.returns[at])
        )
        loss = losses.value_loss(new, old, returns, self.config.clip_value)
        told["value_loss"].append(loss.mean().item())
        return loss.sum() / targets.valued[within].sum().to(loss.device)


def _by_span(batch: Batch, rewards: Tensor, values: Tensor, gamma: float, lam: float) -> Tensor:
    found = torch.zeros_like(rewards)
    for span in batch.spans(rewards):
        found[span] = gae(rewards[span], values[span], gamma, lam)
    return found
