"""What a tuning needs, before it is paid for: bytes on each GPU, and time.

Weights, gradients and optimiser state are counted on a model without data (the meta device),
activations in a training step on shapes alone (`tmbr.tuning.footprint`). Time is arithmetic:
operations of the step over those that the card does at a share of its peak.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from tmbr.core.errors import ConfigError
from tmbr.tuning.config import SftConfig
from tmbr.tuning.setup import lora, stored_dtype

if TYPE_CHECKING:
    import torch

    from tmbr.tuning.masks import Example

Sharding = Literal["ddp", "zero2", "zero3", "fsdp2"]

#: GiB of memory, and 10^12 operations a second in dense bf16 (T4, V100: fp16) by the makers' sheets.
CARDS: dict[str, tuple[int, float]] = {
    "t4": (16, 65),
    "v100": (32, 125),
    "rtx3090": (24, 71),
    "rtx4090": (24, 165),
    "l4": (24, 121),
    "a10g": (24, 70),
    "l40s": (48, 362),
    "a100": (80, 312),
    "h100": (80, 989),
    "h200": (141, 989),
}
#: An NF4 weight: half a byte, 8 bits of scale for 64 and 32 for 64 * 256 of them.
NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)
#: TRL's fused head on a GPU projects so many tokens and so much of the vocabulary at once.
TILE = (4096, 8192)


@dataclass(frozen=True, slots=True)
class Data:
    """Tokens of one epoch."""

    rows: int
    tokens: int
    trained: int

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Data:
        tokens = sum(len(example.input_ids) for example in examples)
        trained = sum(label >= 0 for example in examples for label in example.labels)
        return cls(len(examples), tokens, trained)


@dataclass(frozen=True, slots=True)
class Plan:
    """Bytes are of one GPU at the largest batch, activations those beyond the gradients; flops: of
    training on one token."""

    parameters: int
    trained: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    flops: int

    @property
    def bytes(self) -> int:
        return self.weights + self.gradients + self.optimizer + self.activations

    def tokens_per_second(self, tflops: float, gpus: int, utilisation: float) -> float:
        """tflops: peak of one card; utilisation: the share of it that such training reaches."""
        return gpus * tflops * 1e12 * utilisation / self.flops


def plan(
    config: SftConfig,
    gpus: int = 1,
    sharding: Sharding = "ddp",
    on_cpu: bool = False,
    trained_share: float = 1.0,
) -> Plan:
    """The need of `config`, of whose model only the config is read.

    trained_share: of the tokens; matters on a CPU, where logits of trained tokens are held whole.
    Raises ConfigError.
    """
    from tmbr.tuning.footprint import activations

    whole = _config(config.model)
    text = whole.get_text_config()
    model = _build(config, whole, text.num_hidden_layers)
    trained = [p for p in model.parameters() if p.requires_grad]
    count = sum(p.numel() for p in trained)
    batch = (config.batch_size, config.max_length)
    head = round(trained_share * batch[0] * batch[1]) if on_cpu else 0
    held = activations(
        partial(_build, config, whole),
        partial(_step, batch=batch, head=head, autocast=config.dtype),
        text.num_hidden_layers,
        accumulated=config.accumulation > 1 or gpus > 1,
    )
    if not on_cpu:
        held += 2 * min(batch[0] * batch[1], TILE[0]) * min(text.vocab_size, TILE[1])
    if config.four_bit:  # the matrix at hand, unfolded
        held += 2 * max(p.numel() for p in model.parameters())
    weights, block = _weights(config, model, text.num_hidden_layers)
    gradients, optimizer = 4 * count, _optimizer_state(config, model)
    if gpus > 1:
        if sharding == "ddp":
            gradients *= 2  # those of PyTorch, and the buckets in which they are summed
        else:
            gradients, optimizer = gradients // gpus, optimizer // gpus
        if sharding in ("zero3", "fsdp2"):
            weights = weights // gpus + 2 * block  # this block's weights, and the next one's on the way
    return Plan(
        parameters=sum(p.numel() for p in model.parameters()),
        trained=count,
        weights=weights,
        gradients=gradients,
        optimizer=optimizer,
        activations=held,
        flops=_flops(config, model, text),
    )


def _config(name: str) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(name)
    except (OSError, ValueError) as error:
        why = str(error).strip().split("\n")[0]
        raise ConfigError(f"cannot read the config of the model {name!r}: {why}") from None


def _build(config: SftConfig, whole: Any, layers: int) -> torch.nn.Module:
    """The model as it would be trained, without data."""
    from copy import deepcopy

    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    shaped = deepcopy(whole)
    text = shaped.get_text_config()
    text.num_hidden_layers = layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            shaped, dtype=stored_dtype(config)
        )
        if config.method == "lora":
            model.requires_grad_(False)
            with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # of PEFT, not ours
                tuned = get_peft_model(model, lora(config, model))
            if config.gradient_checkpointing:
                model.enable_input_require_grads()
        else:
            tuned = model
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    trained: torch.nn.Module = tuned.train()
    return trained


def _step(model: Any, batch: tuple[int, int], head: int, autocast: str) -> None:
    """Forward and backward over a batch of padded rows; head: tokens whose logits are held whole."""
    import torch
    from peft import PeftModel

    causal = model.get_base_model() if isinstance(model, PeftModel) else model
    half = torch.float16 if autocast == "fp16" else torch.bfloat16
    ids = torch.zeros(batch, dtype=torch.long)
    with torch.autocast("cpu", half, enabled=autocast != "fp32"):
        hidden = causal.base_model(
            input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False
        ).last_hidden_state
        loss = _loss(causal, hidden, ids, head)
    del hidden
    loss.backward()  # type: ignore[no-untyped-call]


def _loss(causal: Any, hidden: torch.Tensor, ids: torch.Tensor, head: int) -> torch.Tensor:
    from torch.nn.functional import cross_entropy

    if not head:
        return hidden.float().sum()
    logits = causal.get_output_embeddings()(hidden.flatten(0, 1)[:head]).float()
    return cross_entropy(logits, ids.flatten()[:head])


def _weights(config: SftConfig, model: Any, layers: int) -> tuple[int, int]:
    """Bytes of all weights, and of one block's in the arithmetic's type."""
    import torch

    total, blocks = 0.0, 0
    for name, parameter in model.named_parameters():
        inside = ".layers." in f".{name}"
        frozen_matrix = inside and parameter.ndim == 2 and not parameter.requires_grad
        size = NF4 if config.four_bit and frozen_matrix else parameter.element_size()
        total += size * parameter.numel()
        blocks += parameter.numel() if inside else 0
    width: int = torch.finfo(stored_dtype(config)).bits // 8
    return round(total), width * blocks // layers


def _optimizer_state(config: SftConfig, model: Any) -> int:
    from tmbr.tuning.optim import muon_groups

    if config.optimizer == "muon":
        matrices, rest = (sum(p.numel() for p in group) for group in muon_groups(model))
        return 4 * matrices + 8 * rest
    trained: int = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return 8 * trained


def _flops(config: SftConfig, model: Any, text: Any) -> int:
    """Two a weight in the forward pass, two for the gradient of what went in, two for that of a trained
    weight, and attention to half of a full row; a third forward pass with gradient_checkpointing."""
    table = model.get_input_embeddings().weight
    tied = bool(text.tie_word_embeddings)
    every: int = sum(p.numel() for p in model.parameters()) - (0 if tied else table.numel())
    trained: int = sum(p.numel() for p in model.parameters() if p.requires_grad)
    width: int = text.num_attention_heads * (
        getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    )
    attention = 2 * config.max_length * width * text.num_hidden_layers
    passes = 3 if config.gradient_checkpointing else 2
    flops: int = passes * 2 * every + 2 * min(trained, every) + (passes + 1) * attention
    return flops
