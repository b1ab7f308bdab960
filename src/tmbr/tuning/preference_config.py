"""All that may be set about reward models and preference tuning. Importable without PyTorch."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from tmbr.tuning.config import TuneConfig

#: Losses on the difference that DPO makes between two answers, by TRL's names.
DpoLoss = Literal[
    "sigmoid",
    "sigmoid_norm",
    "hinge",
    "ipo",
    "exo_pair",
    "nca_pair",
    "robust",
    "bco_pair",
    "sppo_hard",
    "aot",
    "aot_unpaired",
    "apo_zero",
    "apo_down",
    "discopop",
    "sft",
]


class RewardConfig(TuneConfig):
    """A reward model: a scalar head on an adapter of the base, from pairs and valued conversations (see
    `tmbr.core.pairs`)."""

    max_length: int = Field(2048, ge=8)
    """Tokens of a conversation; one that is longer is left out, counted and listed."""
    epochs: float = Field(1, gt=0)
    """Passes over the data; reward models overfit soon."""
    group_by_length: bool = False
    """Batches of like length. Off: long episodes are those that failed, so that a batch would hold one
    kind of outcome, and the next the other."""
    learning_rate: float = Field(1e-4, gt=0)
    """Peak rate; 1e-4 suits LoRA, 1e-5 full tuning of a large model."""
    eval_fraction: float = Field(0.1, ge=0, lt=1)
    """Share of the samples held out, for accuracy, AUC and calibration."""
    evaluate_every: int | None = Field(None, ge=1)
    """Updates between evaluations, the first before any update: AUC on the values held out, or accuracy
    on the pairs where there are none. The best weights are the result; None takes the last."""

    value_weight: float = Field(1.0, ge=0)
    """Weight of a valued conversation's loss (binary cross-entropy on its value) against a pair's."""
    margin: float = Field(0.0, ge=0)
    """By how much the chosen answer must lead, in units of reward, for each unit of the pair's own
    margin; 0 is plain Bradley-Terry."""
    center: float = Field(0.01, ge=0)
    """Weight of the squared sum of a pair's rewards: keeps them around 0, and so their sigmoid around
    one half (Eisenstein et al., 2023)."""
    lm_weight: float = Field(0.0, ge=0)
    """Weight of the language-model loss on chosen answers, so that the trunk stays a language model."""

    @model_validator(mode="after")
    def _whole_base(self) -> Self:
        if self.four_bit:
            raise ValueError("four_bit: a judge reads the base as it is; set four_bit: false")
        if self.attention != "sdpa":
            raise ValueError("attention: a reward model has sdpa alone")
        if self.evaluate_every is not None and not self.eval_fraction:
            raise ValueError("evaluate_every: nothing is held out; set eval_fraction")
        return self


class DpoConfig(TuneConfig):
    """Direct preference optimisation (Rafailov et al., 2023): pairs of answers to one conversation."""

    adapter: str | None = None
    """Go on from this adapter (of SFT, say), which is then the reference too; None trains a new one,
    and the reference is the base with it off. `rank`, `alpha` and `targets` are the adapter's own."""
    max_length: int = Field(2048, ge=8)
    """Tokens of prompt and answer; a pair of which either is longer is left out, counted and listed."""
    epochs: float = Field(1, gt=0)
    """Passes over the pairs."""
    learning_rate: float = Field(2e-5, gt=0)
    """Peak rate; 2e-5 suits LoRA, 5e-7 full tuning of a large model."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout before a new adapter's matrices; it blurs the comparison with the reference. 0 turns off
    that of an adapter gone on from."""
    eval_fraction: float = Field(0.1, ge=0, lt=1)
    """Share of the samples held out, for the accuracy and margin of the implied reward."""

    beta: float = Field(0.1, gt=0)
    """How closely the reference is kept to: higher is closer. For `ipo` the regularisation τ."""
    loss: tuple[DpoLoss, ...] = ("sigmoid",)
    """The losses, added up: `sigmoid` is DPO, `ipo`, `hinge` (SLiC), `robust` and `exo_pair` (noisy
    labels), `nca_pair`, `bco_pair`, `sppo_hard`, `aot`, `apo_zero`, `apo_down`, `discopop`; `sft` is
    the likelihood of the chosen answer."""
    loss_weights: tuple[float, ...] | None = None
    """One for each loss; None weighs all by 1."""
    sft_weight: float = Field(0.0, ge=0)
    """Adds the chosen answer's negative log-likelihood a token at this weight (RPO, Pang et al., 2024):
    keeps what was preferred likely, where DPO alone only widens the gap."""
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    """Share of pairs taken to be the wrong way round, for `robust`, `exo_pair` and `aot`."""
    divergence: Literal["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"] = "reverse_kl"
    """From the reference (f-DPO, Wang et al., 2024)."""
    ld_alpha: float | None = Field(None, ge=0, le=1)
    """Weight of the tokens of the longer answer beyond the shorter one's length (LD-DPO); None is 1."""
    weighting: bool = False
    """Weigh pairs by how likely the policy is to say them (WPO, Zhou et al., 2024)."""
    reference_free: bool = False
    """Compare with no reference at all: every answer was equally likely before."""
    precompute_reference: bool = False
    """Ask the reference once, before training: no second model in memory with `method: full`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.loss_weights is not None and len(self.loss_weights) != len(self.loss):
            raise ValueError(f"loss_weights: give {len(self.loss)}, one for each loss")
        if self.adapter is not None and self.method != "lora":
            raise ValueError(
                "adapter: goes on with method: lora; for method: full merge it into the model"
            )
        if self.reference_free and self.precompute_reference:
            raise ValueError("reference_free has no reference to precompute; leave one out")
        if "exo_pair" in self.loss and self.label_smoothing == 0:
            raise ValueError("loss: exo_pair needs label_smoothing above 0, as 0.001")
        plain = {"sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "robust", "discopop", "sft"}
        if self.divergence != "reverse_kl" and not set(self.loss) <= plain:
            raise ValueError(
                f"divergence: {self.divergence} goes with the losses {', '.join(sorted(plain))}"
            )
        if self.weighting and {"aot", "aot_unpaired"} & set(self.loss):
            raise ValueError("weighting: does not go with aot, which sorts the pairs")
        return self
