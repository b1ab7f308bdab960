"""Rewards to advantages to one update, against numbers worked out by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
import torch

from tests.tuning.policy.playing import grpo, ppo
from tmbr.core.rows import Row, read_rows, write_rows
from tmbr.core.rows import Turn as RowTurn
from tmbr.core.trace import Finish, Node, Run, Trace
from tmbr.core.types import Message, Sample, Score
from tmbr.tuning.masks import encode
from tmbr.tuning.optim import MuonAdamW, muon_groups
from tmbr.tuning.policy import losses
from tmbr.tuning.policy.actor_critic import ActorCritic
from tmbr.tuning.policy.batch import Batch
from tmbr.tuning.policy.learner import Learner, Targets, rate
from tmbr.tuning.policy.networks import Networks
from tmbr.tuning.policy.sampler import Played
from tmbr.tuning.policy.turns import Strand, Turn


def batch_of(rewards: list[list[float]]) -> Batch:
    """Episodes of turns of two tokens each, one strand an episode."""
    strands, played = [], []
    for number, content in enumerate(rewards):
        ids, turns, spans = [3, 4], [], []
        for at, reward in enumerate(content):
            turns.append(Turn(at + 1, tuple(ids), (10 + number, 20 + at), (-1.0, -2.0), reward))
            spans.append((len(ids), len(ids) + 2))
            ids += [10 + number, 20 + at, 5]
        strands.append(Strand(ids[:-1], turns, spans))
        trace = Trace(str(number), Sample("s", "t", "train", "", {}), Run("", "t", "m", "r", "none", 0))
        trace.add(Node(None, None, "root", Message("user", "go")))
        trace.finish = Finish(0, Score(sum(content), False), "completed")
        played.append(Played(trace))
    every = [turn for strand in strands for turn in strand.turns]
    counts = [2 * len(strand.turns) for strand in strands]
    return Batch(
        strands,
        [0, *torch.tensor(counts).cumsum(0).tolist()],
        torch.arange(len(every)).repeat_interleave(2),
        torch.tensor([-1.0, -2.0] * len(every)),
        torch.tensor([turn.reward for turn in every]),
        played,
        [strand.turns for strand in strands],
        [[(turn.node, turn.reward) for turn in strand.turns] for strand in strands],
        0,
        0,
    )


def test_estimates_by_token_and_by_turn(base: Path) -> None:
    batch = batch_of([[0.0, 1.0], [0.5]])
    rewards = torch.tensor([0.0, 0.0, 0.1, 1.0, 0.0, 0.5])
    values = torch.tensor([0.2, 0.3, 0.4, 0.5, 0.1, 0.1])
    learner = ActorCritic(ppo(base, gamma=1.0, lam=1.0), Networks(ppo(base)))
    advantage, returns, valued = learner.estimates(batch, rewards, values)
    assert returns.tolist() == pytest.approx([1.1, 1.1, 1.1, 1.0, 0.5, 0.5])
    assert advantage.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.5, 0.4, 0.4])
    assert valued.all()

    learner.config = ppo(base, gae="turn", gamma=0.5, lam=1.0)
    advantage, returns, valued = learner.estimates(batch, rewards, values)
    # Turns are worth 0, 1.1 and 0.5, and were expected to bring 0.2, 0.4 and 0.1.
    assert returns[valued].tolist() == pytest.approx([0.55, 1.1, 0.5])
    assert advantage.tolist() == pytest.approx([0.35, 0.35, 0.7, 0.7, 0.4, 0.4])
    assert valued.tolist() == [True, False, True, False, True, False]


def test_the_divergence_is_taken_from_each_tokens_reward(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of([[0.0, 1.0]])
    old, reference = torch.tensor([-1.0, -2.0, -1.0, -0.5]), torch.tensor([-1.0, -1.0, -2.0, -0.5])
    config = ppo(base, kl=0.1, gamma=1.0, lam=1.0, normalise=False, mismatch_cap=1.5)
    learner = ActorCritic(config, Networks(config))
    monkeypatch.setattr(learner, "measured", lambda _: (old, reference, torch.zeros(4)))
    targets = learner.targets(batch)
    # Rewards 0, 0.1, -0.1, 1: each return is the sum of what is left.
    assert targets.advantage.tolist() == pytest.approx([1.0, 1.0, 0.9, 1.0])
    # The sampler said -1, -2, -1, -2: only the last token is likelier to the trainer, by e^1.5.
    assert targets.weight.tolist() == pytest.approx([1.0, 1.0, 1.0, 1.5])
    told = learner._mismatch(batch, targets)
    assert told["mismatch"] == pytest.approx(1.5 / 4)
    assert (told["mismatch_max"], told["truncated"]) == (1.5, 0.25)


@pytest.mark.parametrize(("accumulation", "negative"), [(1, 1.0), (2, 1.0), (2, 0.25)])
def test_one_update_of_grpo_is_the_gradient_worked_out_apart(
    base: Path, accumulation: int, negative: float
) -> None:
    config = grpo(
        base,
        kl=0.3,
        entropy=0.01,
        deviation=False,
        negative_weight=negative,
        batch_size=2 // accumulation,
        accumulation=accumulation,
        epochs=1,
        clip=1e9,
    )
    learner = Learner(config, networks := Networks(config))
    batch = batch_of([[0.0, 1.0], [0.0]])
    with torch.no_grad():
        for weight in networks.actor_weights.values():
            weight += 0.01 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    kept: dict[str, torch.Tensor] = {}
    learner.optimizer.step = lambda: kept.update(  # type: ignore[method-assign, assignment]
        {name: weight.grad.clone() for name, weight in networks.actor_weights.items()}  # type: ignore[union-attr]
    )
    told = learner.learn(batch, 0)

    episodes = []
    for strand, advantage in zip(batch.strands, (0.5, -negative * 0.5), strict=True):
        terms = []
        ids = torch.tensor([strand.ids])
        logprobs = networks.causal(ids).logits[0].log_softmax(-1)
        assert networks.reference is not None
        with torch.no_grad():
            before = networks.reference(ids).logits[0].log_softmax(-1)
        for start, end in strand.spans:
            for place in range(start, end):
                new, old = (x[place - 1, strand.ids[place]] for x in (logprobs, before))
                sampled = -1.0 if place == start else -2.0
                weight = (new.detach() - sampled).exp().clamp(max=config.mismatch_cap)
                spread = -(logprobs[place - 1].exp() * logprobs[place - 1]).sum()
                surrogate = -weight * (new - new.detach()).exp() * advantage
                terms.append(surrogate + 0.3 * ((old - new).exp() - (old - new) - 1) - 0.01 * spread)
        episodes.append(torch.stack(terms).mean())
    networks.causal.zero_grad()
    torch.stack(episodes).mean().backward()
    for name, weight in networks.causal.named_parameters():
        torch.testing.assert_close(kept[name], weight.grad, atol=1e-5, rtol=1e-3)
    assert told["kl"] > 0


@pytest.mark.parametrize(
    ("average", "shares"), [("episode", (0.5, 0.5, 1.0)), ("token", (0.6, 0.4, 1.0))]
)
def test_what_an_episode_counts_for_in_its_update(
    base: Path, monkeypatch: pytest.MonkeyPatch, average: str, shares: tuple[float, ...]
) -> None:
    config = grpo(base, kl=0.0, average=average)
    learner = Learner(config, networks := Networks(config))
    batch = batch_of([[0.0] * 3, [1.0] * 2, [0.0]])
    monkeypatch.setattr(learner, "measured", lambda _: (batch.sampler, None, None))
    targets = learner.targets(batch)
    monkeypatch.setattr(losses, "policy_loss", lambda new, *_: torch.ones_like(new))
    # The longer two are one update, the shortest is another.
    for of, update in ((0, [0, 1]), (1, [0, 1]), (2, [2])):
        content = [batch.strands[of]]
        loss = learner.policy_loss(
            networks.hidden(networks.policy, content),
            content,
            targets,
            batch.tokens([of]),
            batch.tokens(update),
            defaultdict(list),
        )
        assert loss.item() == pytest.approx(shares[of])


def test_what_ended_as_its_group_did_costs_no_pass(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of([[1.0], [0.0, 0.0], [1.0, 0.0]])
    advantage = torch.tensor([0.5] * 2 + [1e-12] * 4 + [-0.5] * 4)
    ones = torch.ones(10)
    targets = Targets(torch.zeros(10), None, ones, advantage, ones)
    learner = Learner(grpo(base, kl=0.0, epochs=1, batch_size=1, accumulation=4), Networks(grpo(base)))
    taken: list[int] = []
    monkeypatch.setattr(learner, "targets", lambda _: targets)
    monkeypatch.setattr(learner, "backward", lambda content, *_: taken.append(len(content[0].ids)))
    learner.learn(batch, 0)
    assert taken == [4, 7]  # shorter ones first, so that rows of one pass are alike
    learner.config = grpo(base, kl=0.1)
    assert learner.teaching(batch, targets) == [0, 1, 2]
    learner.config = grpo(base, kl=0.0)
    valued = Targets(targets.old, None, ones, advantage, ones, values=torch.zeros(10))
    assert learner.teaching(batch, valued) == [0, 1, 2]  # a critic learns from all
    targets.advantage.zero_()
    assert learner.teaching(batch, targets) == [0, 1, 2]


def test_rows_are_mixed_in(base: Path, tmp_path: Path) -> None:
    config = ppo(base, sft_weight=1.0, epochs=4, learning_rate=1e-2, critic_rounds=9)
    networks = Networks(config)
    write_rows(
        tmp_path / "rows.jsonl",
        [Row("r", (RowTurn(Message("user", "Out.")), RowTurn(Message("assistant", "leave"), 1.0)))],
    )
    content = encode(read_rows(tmp_path / "rows.jsonl"), networks.template, 99)
    learner = ActorCritic(config, networks, content.examples)
    first = learner.learn(batch_of([[0.0]]), 0)["sft_loss"]
    assert learner.learn(batch_of([[0.0]]), 1)["sft_loss"] < first / 2


@pytest.mark.parametrize(("size", "accumulation"), [(3, 1), (2, 2), (1, 3)])
def test_an_update_has_as_many_rows_as_conversations_and_minds_their_weights(
    base: Path, tmp_path: Path, size: int, accumulation: int
) -> None:
    said = ("leave", "open the door on the left", "leave by the door")
    write_rows(
        tmp_path / "rows.jsonl",
        [
            Row(text, (RowTurn(Message("user", "Out.")), RowTurn(Message("assistant", text), loss)))
            for text, loss in zip(said, (1.0, 0.25, 0.5), strict=True)
        ],
    )
    config = ppo(base, batch_size=size, accumulation=accumulation, epochs=1, critic_rounds=9)
    networks = Networks(config)
    content = encode(read_rows(tmp_path / "rows.jsonl"), networks.template, 99).examples
    nats = []
    for example in content:
        ids = torch.tensor([example.input_ids])
        told = torch.tensor(example.labels)[1:]
        with torch.no_grad():
            logits = networks.causal(ids).logits[0, :-1]
        lost = torch.nn.functional.cross_entropy(logits[told >= 0], told[told >= 0], reduction="none")
        nats.append(lost * torch.tensor(example.weights)[1:][told >= 0])
    learner = ActorCritic(config, networks, content)
    found = learner.learn(batch_of([[0.0], [1.0], [0.0]]), 0)["sft_loss"]
    # Weights are brought to a mean of 1, as in SFT.
    weights = [weight for example in content for weight in example.weights if weight]
    expected = torch.cat(nats).mean().item() * len(weights) / sum(weights)
    assert found == pytest.approx(expected, rel=1e-5)


def test_muon_moves_the_matrices_of_the_policy_and_adamw_the_critic(base: Path) -> None:
    config = ppo(base, method="full", layout="two_bases", optimizer="muon", learning_rate=1e-3)
    config = config.model_copy(update={"critic_rate": 1e-2, "critic_rounds": 0})
    learner = ActorCritic(config, networks := Networks(config))
    weights = {**networks.actor_weights, **networks.critic_weights}
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    learner.learn(batch_of([[0.0, 1.0], [0.0]]), 0)
    assert isinstance(learner.optimizer, MuonAdamW)
    muon, adamw = learner.optimizer.parts
    assert isinstance(muon, torch.optim.Muon)
    matrices, _ = muon_groups(networks.policy)
    assert {id(weight) for weight in muon.param_groups[0]["params"]} == {id(w) for w in matrices}
    assert [group["lr"] for group in adamw.param_groups] == [1e-3, 1e-2]
    moved = {name for name, weight in weights.items() if not torch.equal(weight, before[name])}
    assert moved == {*weights} - {"critic.lm_head.weight"}  # the critic says nothing
    other = ActorCritic(config, Networks(config))
    other.load_state_dict(learner.state_dict())
    assert [group["peak"] for group in other.optimizer.param_groups] == [1e-3, 1e-3, 1e-2]


def test_the_rate_of_a_round(base: Path) -> None:
    config = ppo(base, rounds=10, warmup=0.2, schedule="linear")
    shares = [rate(config, round) for round in range(10)]
    assert shares[:4] == pytest.approx([1 / 3, 2 / 3, 1.0, 7 / 8])
    assert shares[-1] == pytest.approx(1 / 8)
    flat = ppo(base, rounds=10)
    assert {rate(flat, round) for round in range(10)} == {1.0}
    assert rate(ppo(base, rounds=10, schedule="cosine"), 5) == pytest.approx(0.5)


def test_adaptive_divergence_keeps_its_weight_over_a_resume(base: Path) -> None:
    config = ppo(base, kl=0.1, kl_target=1e-6, critic_rounds=0, learning_rate=1e-2)
    learner = ActorCritic(config, Networks(config))
    learner.learn(batch_of([[0.0, 1.0], [0.0]]), 0)
    learner.learn(batch_of([[0.0, 1.0], [0.0]]), 1)
    assert learner.kl == pytest.approx(0.1 * 0.98 * 1.02)  # at first it is the reference itself
    other = ActorCritic(config, Networks(config))
    other.load_state_dict(learner.state_dict())
    assert other.kl == learner.kl
    assert json.dumps(other.optimizer.param_groups[0]["lr"]) == "0.01"
