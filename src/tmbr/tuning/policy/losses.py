"""The arithmetic of policy gradients, on flat tensors of shape (tokens,), of the sampled tokens."""

from __future__ import annotations

import torch
from torch import Tensor


def importance(trainer: Tensor, sampler: Tensor, cap: float) -> Tensor:
    """Truncated importance weights between who samples and who trains (Espeholt et al., 2018; for
    sampler and trainer of one policy, Yao et al., 2025): min(π_trainer / π_sampler, cap)."""
    return (trainer - sampler).exp().clamp(max=cap)


def policy_loss(new: Tensor, old: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """The clipped surrogate (Schulman et al., 2017, eq. 7), negated. new, old: log-probabilities."""
    ratio = (new - old).exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def value_loss(new: Tensor, old: Tensor, returns: Tensor, clip: float | None) -> Tensor:
    """Half the squared error, or that of the value held within `clip` of the old one if it is worse."""
    plain = (new - returns) ** 2
    if clip is None:
        return plain / 2
    held = old + (new - old).clamp(-clip, clip)
    return torch.maximum(plain, (held - returns) ** 2) / 2


def divergence(new: Tensor, reference: Tensor) -> Tensor:
    """An unbiased estimate of KL(new ‖ reference) that is never negative (Schulman's k3)."""
    log_ratio = reference - new
    return log_ratio.exp() - log_ratio - 1


def entropy(logits: Tensor) -> Tensor:
    """Of the distributions [tokens, vocabulary], in nats."""
    logprobs = logits.log_softmax(-1)
    return -(logprobs.exp() * logprobs).sum(-1)


def steered(weight: float, measured: float, target: float, rate: float) -> float:
    """The next weight of the divergence, by proportional control (Ziegler et al., 2019, 2.2)."""
    error = max(-0.2, min(0.2, measured / target - 1))
    return weight * (1 + rate * error)
