"""What all trainers share: the machine, the adapter, the arguments of transformers' trainer, and who is
held out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.errors import ConfigError, DataError, nearest
from tmbr.core.types import derive_seed
from tmbr.tuning import ranks
from tmbr.tuning.base import load_base
from tmbr.tuning.config import PROJECT, TuneConfig

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def check_machine(config: TuneConfig) -> None:
    """Raises ConfigError for what this machine cannot do."""
    import torch

    if config.dtype == "fp16" and not torch.accelerator.is_available():
        raise ConfigError("dtype: fp16 needs a GPU; set dtype: bf16 (or fp32)")
    if config.four_bit and find_spec("bitsandbytes") is None:
        raise ConfigError("four_bit needs bitsandbytes; pip install 'tmbr[qlora]'")
    if config.attention == "flash_attention_2":
        if not torch.cuda.is_available() or config.dtype == "fp32":
            raise ConfigError("attention: flash_attention_2 needs a GPU and dtype: bf16; set sdpa")
        if find_spec("flash_attn") is None:
            raise ConfigError("attention: flash_attention_2 needs flash-attn; pip install flash-attn")
    if config.evaluate_every is not None:
        ranks.check_whole("evaluate_every")
    if config.report_to != "none" and find_spec(config.report_to) is None:
        raise ConfigError(
            f"report_to: {config.report_to} is not installed; pip install {config.report_to}"
        )


def base_model(config: TuneConfig) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The base as this config trains it. Raises ConfigError for what this machine cannot do."""
    check_machine(config)
    return load_base(config.model, stored_dtype(config), config.four_bit, config.attention)


def stored_dtype(config: TuneConfig) -> Any:
    """Weights that are trained are kept in fp32; a frozen base in the arithmetic's own type."""
    import torch

    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    return kinds[config.dtype] if config.method == "lora" else torch.float32


def lora(config: TuneConfig, model: Any, task: str = "CAUSAL_LM") -> Any:
    """PEFT's config of the adapter. Raises ConfigError for a target that the model lacks."""
    from peft import LoraConfig

    layers = {
        name.rpartition(".")[2] for name, module in model.named_modules() if hasattr(module, "weight")
    }
    for target in config.targets:
        if target not in layers:
            raise ConfigError(
                f"targets: {config.model!r} has no layer {target!r}; {nearest(target, layers)}"
            )
    return LoraConfig(
        task_type=task,
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(config.targets),
    )


def check_some(encoded: Any, data: Path, max_length: int) -> None:
    """Raises DataError where no pair is left to train on. encoded: see `tmbr.tuning.dpo.Encoded`."""
    if encoded.examples:
        return
    if encoded.dropped:
        raise DataError(f"{data}: nothing in it fits max_length {max_length}; raise it")
    raise DataError(f"{data}: the two answers of each pair are the same to the model; nothing to learn")


def held_out(ids: Sequence[str], fraction: float, seed: int) -> set[str]:
    """Samples for evaluation: a sample's rows are all on one side; at least one is left to train on."""
    samples = sorted(set(ids), key=lambda id: (derive_seed(seed, "held out", id), id))
    return set(samples[: min(round(fraction * len(samples)), len(samples) - 1)])


def arguments(config: TuneConfig, out: Path, evaluate: bool) -> dict[str, Any]:
    """Of any trainer built on transformers'."""
    import torch

    return {
        "output_dir": str(out / "checkpoints"),
        "project": PROJECT,
        "run_name": out.name,
        "num_train_epochs": config.epochs,
        "per_device_train_batch_size": config.batch_size,
        "per_device_eval_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.accumulation,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.clip,
        "bf16": config.dtype == "bf16",
        "fp16": config.dtype == "fp16",
        "train_sampling_strategy": "group_by_length" if config.group_by_length else "random",
        "eval_strategy": "steps" if evaluate else "no",
        "eval_steps": config.save_every,
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "logging_steps": config.log_every,
        "logging_nan_inf_filter": False,  # we stop at the first NaN instead of averaging it away
        "report_to": config.report_to,
        "disable_tqdm": True,
        "seed": config.seed,
        "data_seed": config.seed,
        "remove_unused_columns": False,
        "use_cpu": not torch.accelerator.is_available(),
        "dataloader_pin_memory": torch.accelerator.is_available(),
    }
