"""Actor, critic and reference: who is which, and whom a gradient reaches."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from tests.tuning.policy.playing import ppo
from tmbr.tuning import adapter
from tmbr.tuning.policy.actor_critic import ActorCritic
from tmbr.tuning.policy.learner import Targets
from tmbr.tuning.policy.networks import Networks
from tmbr.tuning.policy.turns import Strand, Turn

LAYOUTS = [
    ("lora", "one_base"),
    ("lora", "two_bases"),
    ("lora", "shared"),
    ("full", "two_bases"),
    ("full", "shared"),
]


def _strand(ids: tuple[int, ...] = (5, 9, 20, 30, 31, 8), start: int = 3) -> Strand:
    turn = Turn(1, ids[:start], ids[start:], (0.0,) * (len(ids) - start))
    return Strand(list(ids), [turn], [(start, len(ids))])


def _targets(count: int) -> Targets:
    ones = torch.ones(count)
    old = torch.full((count,), -1.0)
    return Targets(old, old, ones, ones, ones, torch.zeros(count), ones, ones.bool())


def _logits(networks: Networks, model: Any) -> torch.Tensor:
    return networks.logits(model, networks.hidden(model, [_strand()]))


def _moved(networks: Networks) -> None:
    """As after an update."""
    with torch.no_grad():
        for weight in networks.actor_weights.values():
            weight += 0.05


@pytest.mark.parametrize(("method", "layout"), LAYOUTS)
def test_the_reference_is_what_the_policy_was(base: Path, method: str, layout: str) -> None:
    networks = Networks(ppo(base, method=method, layout=layout))
    with torch.no_grad():
        before = _logits(networks, networks.policy)
        _moved(networks)
        assert not torch.allclose(_logits(networks, networks.policy), before)
        with networks.as_reference() as reference:
            torch.testing.assert_close(_logits(networks, reference), before)
        assert not torch.allclose(_logits(networks, networks.policy), before)  # and is itself again


@pytest.mark.parametrize("layout", ["one_base", "two_bases", "shared"])
def test_an_adapter_to_start_from_is_the_reference(base: Path, layout: str, tmp_path: Path) -> None:
    first = Networks(ppo(base, method="lora", layout="shared"))
    _moved(first)
    adapter.save(first.policy, first.tokenizer, first.base, tmp_path / "start")
    with torch.no_grad():
        started = _logits(first, first.policy)
        networks = Networks(ppo(base, method="lora", layout=layout, adapter=tmp_path / "start"))
        torch.testing.assert_close(_logits(networks, networks.policy), started)
        _moved(networks)
        with networks.as_reference() as reference:
            torch.testing.assert_close(_logits(networks, reference), started)
    assert not any("reference" in name for name in networks.actor_weights | networks.critic_weights)


@pytest.mark.parametrize("layout", ["one_base", "two_bases", "shared"])
@pytest.mark.parametrize(("before", "now"), [(0.5, 0.0), (0.0, 0.5)])
def test_an_adapter_to_start_from_leaves_its_dropout_behind(
    base: Path, layout: str, before: float, now: float, tmp_path: Path
) -> None:
    first = Networks(ppo(base, method="lora", layout="shared", dropout=before))
    _moved(first)
    adapter.save(first.policy, first.tokenizer, first.base, tmp_path / "start")
    config = ppo(base, method="lora", layout=layout, dropout=now, adapter=tmp_path / "start")
    networks = Networks(config)
    with torch.no_grad(), networks.as_critic() as critic:
        for model in (networks.policy, critic):
            states = networks.hidden(model.eval(), [_strand()])
            trained = networks.hidden(model.train(), [_strand()])
            assert torch.allclose(states, trained) == (now == 0)


@pytest.mark.parametrize(("method", "layout"), LAYOUTS)
def test_a_gradient_reaches_only_what_it_should(base: Path, method: str, layout: str) -> None:
    # Unclipped: a value that lies far off by chance would learn nothing.
    config = ppo(base, method=method, layout=layout, dropout=0.0, clip_value=None)
    learner = ActorCritic(config, networks := Networks(config))
    if networks.head is not None:  # a blank head passes nothing on
        torch.nn.init.constant_(networks.head.weight, 0.1)
    at = torch.arange(3)

    def reached() -> set[str]:
        every = networks.actor_weights | networks.critic_weights
        return {name for name, weight in every.items() if weight.grad is not None and weight.grad.any()}

    learner.backward([_strand()], _targets(3), at, at, 0, defaultdict(list))
    both = reached()
    assert both & set(networks.actor_weights)
    assert {"head.weight", "head.bias"} <= both
    if layout != "shared":
        assert both & {name for name in networks.critic_weights if not name.startswith("head.")}
    trained = {id(weight) for weight in (networks.actor_weights | networks.critic_weights).values()}
    frozen = [weight for weight in networks.policy.parameters() if id(weight) not in trained]
    assert all(weight.grad is None for weight in frozen)
    assert bool(frozen) == (method == "lora")
    learner.optimizer.zero_grad(set_to_none=True)
    critic_only = config.model_copy(update={"critic_rounds": 1})
    learner.config = critic_only
    learner.backward([_strand()], _targets(3), at, at, 0, defaultdict(list))
    assert not reached() & set(networks.actor_weights)
    assert reached() & set(networks.critic_weights)


def test_states_are_those_before_each_sampled_token_whatever_else_is_in_the_batch(base: Path) -> None:
    networks = Networks(ppo(base))
    long = _strand((7,) * 20, 12)
    with torch.no_grad():
        alone = networks.hidden(networks.policy, [_strand()])
        together = networks.hidden(networks.policy, [long, _strand()])
        plain = networks.causal.base_model(torch.tensor([_strand().ids])).last_hidden_state[0, 2:5]
    torch.testing.assert_close(together[8:], alone, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(plain, alone, atol=1e-5, rtol=1e-4)
    assert networks.values(alone).tolist() == [0.0, 0.0, 0.0]


def test_no_divergence_needs_no_reference(base: Path) -> None:
    assert Networks(ppo(base, kl=0.0)).reference is None


def test_settings_that_do_not_go_together_are_one_line(base: Path) -> None:
    for settings, why in (
        ({"method": "full", "layout": "one_base"}, "set two_bases or shared"),
        ({"method": "full", "layout": "shared", "adapter": "x"}, "merge it into a model first"),
        ({"kl": 0.0, "kl_target": 0.1}, "set kl to where it begins"),
        ({"patience": 2}, "set evaluate_every"),
        ({"method": "lora", "four_bit": True}, "set four_bit: false"),
        ({"attention": "flash_attention_2"}, "a policy has sdpa alone"),
    ):
        with pytest.raises(ValidationError, match=why):
            ppo(base, **settings)
