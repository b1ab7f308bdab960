"""All that may be set about PPO and GRPO. Importable without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from tmbr.tuning.config import OptimizerConfig


class PolicyConfig(OptimizerConfig):
    """What PPO and GRPO share. An update is made of `batch_size` × `accumulation` conversations, by one
    process or by several together."""

    adapter: Path | None = None
    """A LoRA adapter of the base to start from, as SFT leaves it; kept frozen, it is the reference. Its
    rank, alpha and targets hold."""
    dtype: Literal["bf16", "fp32"] = "bf16"
    """Arithmetic of forward and backward. Trained weights stay fp32; a frozen base is kept in it."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """As in SFT; whatever is dropped makes the ratio of new to old probabilities noisy."""
    learning_rate: float = Field(1e-5, gt=0)
    """Peak rate of the policy; 1e-5 suits LoRA and a small model's full tuning, 1e-6 a large one's."""
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "constant_with_warmup"
    """Course of the learning rate over the rounds."""
    warmup: float = Field(0.0, ge=0, lt=1)
    """Share of all rounds in which the rate rises."""
    eval_fraction: Literal[0] = 0
    """Nothing is held out of the training samples; `evaluate_every` plays samples of another split."""

    rounds: int = Field(100, ge=1)
    """Rounds of: play episodes, learn from them, forget them."""
    samples: int = Field(16, ge=1)
    """Samples asked in a round; all are asked once before any is asked again."""
    epochs: int = Field(2, ge=1)
    """Passes over the episodes of a round."""
    save_every: int = Field(5, ge=1)
    """Rounds between checkpoints; the last two are kept."""
    log_every: Literal[1] = 1
    """Every round is one line of metrics.jsonl."""
    group_by_length: Literal[False] = False
    """Conversations are drawn in random order, so that no update sees only the short ones."""

    clip_ratio: float = Field(0.2, gt=0)
    """A token's probability gains nothing by leaving [1 - c, 1 + c] times its old one."""
    kl: float = Field(0.02, ge=0)
    """Weight of the divergence from the reference; 0 needs no reference, and holds none in memory."""
    kl_target: float | None = Field(None, gt=0)
    """Divergence a token (nats) that the weight is steered to (Ziegler et al., 2019); None keeps it."""
    kl_rate: float = Field(0.1, gt=0, le=1)
    """How fast it is steered: the weight changes by at most a fifth of this share in a round."""
    entropy: float = Field(0.0, ge=0)
    """Weight of an entropy bonus: keeps the policy from becoming certain too soon."""
    mismatch_cap: float = Field(2.0, ge=1)
    """Sampler and trainer compute a token's probability with different kernels. Each token is weighed
    by their ratio, truncated here: a heavier one would be noise."""
    invalid_cost: float = Field(0.0, ge=0)
    """Taken from the reward of a turn from which no action could be read or that the world refused."""
    negative_weight: float = Field(1.0, ge=0, le=1)
    """Weight of what went worse than expected against what went better. To push an answer down says not
    what would have been right, and in a small model moves much else; with little of it the policy bears
    a higher learning rate. 0 learns from what went better alone."""
    sft_rows: Path | None = None
    """Training rows (JSONL) whose supervised loss, weighted as in SFT, is mixed into every update: as
    many of them as it has conversations."""
    sft_weight: float = Field(0.1, gt=0)
    """Weight of that loss."""

    evaluate_every: int | None = Field(None, ge=1)
    """Rounds between evaluations on the validation samples; the best policy is the result."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.adapter is not None and self.method == "full":
            raise ValueError("adapter: starts LoRA; for method: full merge it into a model first")
        if self.four_bit:
            raise ValueError("four_bit: the policy plays by its own weights; set four_bit: false")
        if self.attention != "sdpa":
            raise ValueError("attention: a policy has sdpa alone")
        if self.kl_target is not None and not self.kl:
            raise ValueError("kl_target: steers kl, which is 0; set kl to where it begins")
        return self


class PpoConfig(PolicyConfig):
    """Proximal policy optimisation (Schulman et al., 2017) over turns of an agent."""

    layout: Literal["one_base", "two_bases", "shared"] = "one_base"
    """Where actor and critic live. one_base: two adapters on one base. two_bases: each has a base of
    its own (under `method: full` each is a whole model). shared: the critic is a head on the actor."""
    episodes: int = Field(1, ge=1)
    """Episodes of each sample in a round."""
    critic_rate: float = Field(1e-4, gt=0)
    """Peak learning rate of the critic; its head's, where it shares the actor's trunk."""
    critic_rounds: int = Field(0, ge=0)
    """First rounds in which the policy does not follow the critic, which is still blank, but learns
    `sft_rows` alone."""

    gae: Literal["token", "turn"] = "token"
    """What is one step of the advantage estimate: a token, or a whole turn, whose tokens then share
    one advantage."""
    gamma: float = Field(1.0, gt=0, le=1)
    """Discount of a step."""
    lam: float = Field(0.95, ge=0, le=1)
    """λ of the generalised advantage estimate: 1 trusts outcomes alone, 0 the critic alone."""
    normalise: bool = True
    """Advantages of a round are brought to mean 0 and deviation 1."""
    clip_value: float | None = Field(0.2, gt=0)
    """A value gains nothing by moving further than this from its old one; None does not clip."""
    value_weight: float = Field(0.5, gt=0)
    """Weight of the critic's loss where it shares the actor's trunk."""

    @model_validator(mode="after")
    def _fits_method(self) -> Self:
        if self.method == "full" and self.layout == "one_base":
            raise ValueError(
                "layout: one_base needs adapters; under method: full set two_bases or shared"
            )
        return self


class GrpoConfig(PolicyConfig):
    """Group relative policy optimisation (Shao et al., 2024): no critic; episodes of one sample, or
    branches of one state, are each other's baseline."""

    samples: int = Field(8, ge=1)
    """Samples asked in a round; all are asked once before any is asked again."""
    groups: Literal["episodes", "states", "tree"] = "episodes"
    """Who is compared. episodes: all of one sample (GRPO). states: beside that, the turns taken where
    the world said the same (GiGPO, Feng et al., 2025). tree: the branches of a state from which the
    world was forked (as in Tree-GRPO, Ji et al., 2025)."""
    group: int = Field(8, ge=2)
    """Episodes of a sample; under `tree`, paths on from a forked state, the first one included."""
    trunks: int = Field(2, ge=1)
    """tree: episodes of a sample that are forked; each other's baseline before the first fork."""
    forks: int = Field(2, ge=1)
    """tree: states of each such episode, drawn by chance, from which others go on."""
    step_weight: float = Field(1.0, ge=0)
    """states: weight of the advantage among turns of one state, beside the episode's."""
    gamma: float = Field(0.95, gt=0, le=1)
    """states: discount of a turn in the return that they are compared by."""
    average: Literal["episode", "token"] = "episode"
    """What counts alike in the policy's loss. By tokens, a long failure outweighs a short success: it
    pushes down more than is pulled up, and the policy loses its certainty."""
    deviation: bool = True
    """Advantages are divided by their group's deviation; without, an easy group counts for less (as in
    Dr. GRPO, Liu et al., 2025)."""
