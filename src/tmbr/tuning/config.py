"""All that may be set about tuning. Importable without PyTorch."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Under which runs are filed where their metrics are sent.
PROJECT = "tmbr"


class TuneConfig(BaseModel):
    """What every trainer can be told."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    model: str
    """The base: a folder or a hub name."""
    method: Literal["lora", "full"] = "lora"
    """Train a low-rank adapter, or all weights."""
    four_bit: bool = False
    """Keep the frozen base in 4 bits (NF4, double quantisation): QLoRA, by bitsandbytes."""
    attention: Literal["sdpa", "flash_attention_2"] = "sdpa"
    """PyTorch's attention, or the flash-attn package's, which needs a GPU and half precision."""
    chat_template: str | None = None
    """A bundled template (`chatml`, `llama2`, `llama3`, `mistral`), a family for which TRL has one for
    training (`qwen2_5`, `qwen3`), or a Jinja file; None takes the tokenizer's own."""

    rank: int = Field(16, ge=1)
    """Rank of the adapter's matrices."""
    alpha: float = Field(32, gt=0)
    """The adapter's output is scaled by alpha / rank."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Dropout before the adapter's matrices."""
    targets: tuple[str, ...] = Field(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"), min_length=1
    )
    """Names of the linear layers that get an adapter."""

    dtype: Literal["bf16", "fp16", "fp32"] = "bf16"
    """Arithmetic of forward and backward. Trained weights stay fp32; a frozen base is kept in it."""
    max_length: int = Field(2048, ge=8, le=2**20)
    """Most tokens of a row; times itself and `batch_size`, it has to stay countable for PyTorch."""
    epochs: float = Field(3, gt=0)
    """Passes over the rows."""
    max_minutes: float | None = Field(None, gt=0)
    """Stop and save after this time of one call; the schedule follows `epochs`, not the clock."""
    batch_size: int = Field(8, ge=1, le=2**12)
    """Rows per forward pass on one device."""
    accumulation: int = Field(1, ge=1)
    """Forward passes per update."""
    group_by_length: bool = True
    """Batches of rows of like length: less padding."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third more time."""

    learning_rate: float = Field(2e-4, gt=0)
    """Peak rate; 2e-4 suits LoRA, 2e-5 full tuning of a large model."""
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    """Course of the learning rate after warm-up."""
    warmup: float = Field(0.03, ge=0, lt=1)
    """Share of all updates in which the rate rises."""
    weight_decay: float = Field(0.0, ge=0)
    """Decoupled weight decay."""
    clip: float = Field(1.0, gt=0)
    """Largest norm of the gradient."""

    eval_fraction: float = Field(0.05, ge=0, lt=1)
    """Share of the samples held out; `eval_loss` is measured on them at each save and at the end."""
    save_every: int = Field(200, ge=1)
    """Updates between checkpoints; the last two are kept."""
    log_every: int = Field(10, ge=1)
    """Updates between lines of metrics.jsonl."""
    report_to: Literal["none", "tensorboard", "wandb", "trackio"] = "none"
    """Where metrics go besides metrics.jsonl."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Of initial adapter weights, order of rows, dropout and the held-out split."""

    evaluate_every: int | None = Field(None, ge=1)
    """Updates between evaluations, of which one comes before any update and one at the end: success on
    validation samples (see `validation`). The best weights are the result; None takes the last."""
    patience: int | None = Field(None, ge=1)
    """Evaluations without a new best before training stops; None goes on to the end."""

    @model_validator(mode="after")
    def _four_bits_are_frozen(self) -> Self:
        if self.four_bit and self.method != "lora":
            raise ValueError("four_bit freezes the base; set method: lora")
        return self

    @model_validator(mode="after")
    def _patience_counts(self) -> Self:
        if self.patience is not None and self.evaluate_every is None:
            raise ValueError("patience: counts evaluations; set evaluate_every")
        return self


class OptimizerConfig(TuneConfig):
    """Of the trainers that may use another optimiser than AdamW."""

    optimizer: Literal["adamw", "muon"] = "adamw"
    """muon: Muon on the matrices of the blocks and AdamW on the rest; for `method: full`."""

    @model_validator(mode="after")
    def _muon_needs_full(self) -> Self:
        if self.optimizer == "muon" and self.method != "full":
            raise ValueError("optimizer: muon trains whole matrices; set method: full, or adamw")
        return self


class SftConfig(OptimizerConfig):
    """Supervised fine-tuning of a base model on rows (see `tmbr.core.rows`)."""

    over_length: Literal["cut", "split", "drop"] = "cut"
    """Of a row over `max_length`: cut it after its last whole trained turn that fits; split it, so that
    it goes on behind its opening in a further row; or drop it. result.json lists all of them."""
    packing: bool = False
    """Lay rows end to end in sequences of `max_length` tokens; each sees only itself. Pays with
    flash_attention_2, which skips what is not seen."""
    focal: float = Field(0.0, ge=0)
    """Focal loss (Lin et al., 2017): each token weighs (1 - its probability) ** focal, so that the few
    that decide are not drowned by the many that follow; 0 is plain cross-entropy."""
