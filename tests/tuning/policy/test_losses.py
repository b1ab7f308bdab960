"""Against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from tmbr.tuning.policy import losses


def test_the_surrogate_is_clipped_only_where_it_would_gain() -> None:
    new = torch.tensor([1.5, 0.5, 1.5, 0.5, 1.1]).log().requires_grad_()
    old = torch.zeros(5)
    advantage = torch.tensor([2.0, 2.0, -2.0, -2.0, 1.0])
    loss = losses.policy_loss(new, old, advantage, 0.2)
    assert loss.tolist() == pytest.approx([-2.4, -1.0, 3.0, 1.6, -1.1])
    loss.sum().backward()
    assert new.grad is not None
    # The gradient of -ratio × advantage by log π is -ratio × advantage, and none where it is clipped.
    assert new.grad.tolist() == pytest.approx([0.0, -1.0, 3.0, 0.0, -1.1])


def test_values_are_held_near_their_old_ones() -> None:
    new, old = torch.tensor([1.0, 0.1, 0.5]), torch.tensor([0.0, 0.0, 0.0])
    returns = torch.tensor([1.0, 1.0, -1.0])
    plain = losses.value_loss(new, old, returns, None)
    assert plain.tolist() == pytest.approx([0.0, 0.405, 1.125])
    held = losses.value_loss(new, old, returns, 0.2)
    # 1.0 is held at 0.2, so it still pays 0.8² / 2; -1 is further from 0.5 than from the held 0.2.
    assert held.tolist() == pytest.approx([0.32, 0.405, 1.125])


def test_divergence_is_k3_and_its_mean_the_kl() -> None:
    new, reference = torch.tensor([0.5]).log(), torch.tensor([0.25]).log()
    assert losses.divergence(new, reference).item() == pytest.approx(0.5 - math.log(0.5) - 1)
    assert losses.divergence(new, new).item() == 0
    p, q = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.2, 0.5, 0.3])
    kl = (p * (p / q).log()).sum()
    assert (p * losses.divergence(p.log(), q.log())).sum().item() == pytest.approx(kl.item())


def test_importance_weights_are_truncated_above_only() -> None:
    trainer, sampler = torch.tensor([0.5, 0.1, 0.9]).log(), torch.tensor([0.5, 0.4, 0.1]).log()
    assert losses.importance(trainer, sampler, 2.0).tolist() == pytest.approx([1.0, 0.25, 2.0])


def test_entropy_in_nats() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0], [100.0, 0.0, 0.0, 0.0]])
    assert losses.entropy(logits).tolist() == pytest.approx([math.log(4), 0.0], abs=1e-6)


def test_the_weight_of_the_divergence_is_steered_in_small_steps() -> None:
    assert losses.steered(0.1, measured=0.05, target=0.05, rate=0.1) == pytest.approx(0.1)
    assert losses.steered(0.1, measured=0.055, target=0.05, rate=0.1) == pytest.approx(0.101)
    assert losses.steered(0.1, measured=5.0, target=0.05, rate=0.1) == pytest.approx(0.102)
    assert losses.steered(0.1, measured=0.0, target=0.05, rate=0.1) == pytest.approx(0.098)
