"""From a path or a hub name to a model that can decode; every way to go wrong is one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from tmbr.core.errors import ConfigError
from tmbr.core.fingerprint import Fingerprint, weights_version
from tmbr.core.pretrained import check_base, check_complete, check_writer, loading
from tmbr.models import packed
from tmbr.models.batching import Decoder
from tmbr.models.encoding import END_OF_TURN
from tmbr.models.own import Own


@dataclass(frozen=True, slots=True)
class Loaded:
    tokenizer: Any
    network: Any
    decoder: Decoder
    stop: frozenset[int]
    context_limit: int
    weights_version: str


def load(
    name: str, adapter: str | None, device: str | None, dtype: str | None, cache_bytes: int
) -> Loaded:
    """See `tmbr.models.local.LocalModel.load`. Raises ConfigError, or DataError for a broken record."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a live display is under way
    place = device_named(device)
    kind = dtype_named(dtype, place)
    check_base(name)
    with loading(f"the model {name!r}"):
        fits = packed.supports(AutoConfig.from_pretrained(name))
        attention = packed.ATTENTION if fits else "sdpa"
        told = {"dtype": kind, "attn_implementation": attention, "output_loading_info": True}
        found: Any = AutoModelForCausalLM.from_pretrained(name, **told)
        tokenizer: Any = AutoTokenizer.from_pretrained(name)
    model, info = found
    check_complete(name, info["missing_keys"])
    version = [weights_version(name) or name]
    if adapter is not None:
        Fingerprint.of(name, model.config.to_dict(), tokenizer.get_vocab()).check(Path(adapter))
        model, tokenizer = _adapted(model, tokenizer, name, adapter)
        version.append(weights_version(adapter) or adapter)
    if tokenizer.chat_template is None:
        raise ConfigError(
            f"{adapter or name} has no chat template; give a tuned adapter, whose folder has one, or"
            " write chat_template.jinja into the model's folder"
        )
    model = model.to(place).eval()
    return _loaded(model, tokenizer, cache_bytes, fits, "+".join(version))


def around(model: Any, tokenizer: Any, name: str, cache_bytes: int) -> Loaded:
    """See `tmbr.models.local.LocalModel.around`. Raises ConfigError."""
    if tokenizer.chat_template is None:
        raise ConfigError(f"{name} has no chat template; set `chat_template`")
    return _loaded(model, tokenizer, cache_bytes, packed.supports(model.config), name)


@contextmanager
def lent(model: Any) -> Iterator[None]:
    """While entered, a model that is being trained is one to decode with: see `LocalModel.around`."""
    trains, attention = model.training, model.config._attn_implementation
    if packed.supports(model.config):
        model.set_attn_implementation(packed.ATTENTION)
    model.eval()
    try:
        yield
    finally:
        model.set_attn_implementation(attention)
        model.train(trains)


def _loaded(model: Any, tokenizer: Any, cache_bytes: int, fits: bool, version: str) -> Loaded:
    return Loaded(
        tokenizer=tokenizer,
        network=model,
        decoder=packed.Packed(model, cache_bytes) if fits else Own(model),
        stop=_stop(model, tokenizer),
        context_limit=model.config.max_position_embeddings,
        weights_version=version,
    )


def _adapted(model: Any, tokenizer: Any, base: str, adapter: str) -> tuple[Any, Any]:
    """The adapter merged into its base, as fast as the base alone, and its tokenizer if it has one."""
    from peft import PeftModel

    check_writer(Path(adapter))
    with loading(f"the adapter {adapter!r} on {base!r}"):
        merged = PeftModel.from_pretrained(model, adapter).merge_and_unload()
        if (Path(adapter) / "tokenizer_config.json").exists():
            tokenizer = AutoTokenizer.from_pretrained(adapter)
    return merged, tokenizer


def device_named(name: str | None) -> torch.device:
    """By default a GPU where there is one. Raises ConfigError."""
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"no device {name!r} here: {_line(error)}") from error


def dtype_named(name: str | None, device: torch.device) -> Any:
    """By default fp32 on a CPU, elsewhere the checkpoint's own. Raises ConfigError."""
    if name is None:
        return torch.float32 if device.type == "cpu" else "auto"
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name not in kinds:
        raise ConfigError(f"unknown dtype {name!r}; known: {', '.join(kinds)}")
    return kinds[name]


def _stop(model: Any, tokenizer: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    found = set(ends) if isinstance(ends, list) else {ends}
    found.add(tokenizer.eos_token_id)
    vocabulary = tokenizer.get_added_vocab()
    found.update(vocabulary[mark] for mark in END_OF_TURN if mark in vocabulary)
    return frozenset(found - {None})


def _line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
