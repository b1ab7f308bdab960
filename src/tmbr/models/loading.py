"""From a path or a hub name to a model that can decode; every way to go wrong is one line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from tmbr.core.errors import ConfigError
from tmbr.models import packed
from tmbr.models.batching import Decoder
from tmbr.models.encoding import END_OF_TURN
from tmbr.models.own import Own


@dataclass(frozen=True, slots=True)
class Loaded:
    tokenizer: Any
    decoder: Decoder
    stop: frozenset[int]
    context_limit: int
    weights_version: str


def load(
    name_or_path: str, adapter: str | None, device: str | None, dtype: str | None, cache_bytes: int
) -> Loaded:
    """Raises ConfigError."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    kind = _dtype(dtype, device)
    try:
        config = AutoConfig.from_pretrained(name_or_path)
        fits = packed.supports(config)
        model: Any = AutoModelForCausalLM.from_pretrained(
            name_or_path, dtype=kind, attn_implementation=packed.ATTENTION if fits else "sdpa"
        )
        source = (
            adapter if adapter and (Path(adapter) / "tokenizer_config.json").exists() else name_or_path
        )
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot load the model {name_or_path!r}: {_line(error)}") from error
    version = [fingerprint(model.config._name_or_path)]
    if adapter is not None:
        model = _adapted(model, name_or_path, adapter)
        version.append(fingerprint(adapter))
    model = model.to(device).eval()
    return Loaded(
        tokenizer=tokenizer,
        decoder=packed.Packed(model, cache_bytes) if fits else Own(model),
        stop=_stop(model, tokenizer),
        context_limit=model.config.max_position_embeddings,
        weights_version="+".join(version),
    )


def _adapted(model: Any, base: str, adapter: str) -> Any:
    """The base with the adapter merged in: as fast as the base alone."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, adapter).merge_and_unload()
    except RuntimeError as error:
        if "size mismatch" not in str(error):
            raise
        raise ConfigError(
            f"the adapter {adapter!r} was made for another base than {base!r}: their shapes differ"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot load the adapter {adapter!r}: {_line(error)}") from error


def _dtype(name: str | None, device: str) -> Any:
    if name is None:
        return torch.float32 if device == "cpu" else "auto"
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


def fingerprint(folder: str) -> str:
    """Short hash of a folder's weights; of a hub name, the name itself.

    Files beyond 64 MiB count by size, first and last MiB.
    """
    files = sorted(p for p in Path(folder).glob("*") if p.suffix in {".safetensors", ".bin"})
    if not files:
        return folder
    seen = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        seen.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            if size <= 64 << 20:
                seen.update(file.read())
            else:
                seen.update(file.read(1 << 20))
                file.seek(-(1 << 20), 2)
                seen.update(file.read())
    return seen.hexdigest()[:16]


def _line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
