"""A classifier's one logit at the end of many conversations: loading it, and reading it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)
from transformers.utils import logging

from tmbr.core.fingerprint import Fingerprint
from tmbr.core.pretrained import ADAPTER, check_adapter, check_complete, loading
from tmbr.models import packed
from tmbr.models.loading import device_named, dtype_named
from tmbr.models.own import Own


class Valuing:
    """Reads sigmoids of the head's logit; keeps keys and values of what was read."""

    def __init__(self, classifier: Any, cache_bytes: int) -> None:
        model: Any = _Everywhere(classifier).eval()
        fits = packed.supports(model.config)
        self._decoder = packed.Packed(model, cache_bytes) if fits else Own(model)
        self.context_limit: int = model.config.max_position_embeddings

    def values(self, conversations: Sequence[Sequence[int]]) -> tuple[list[float], list[int]]:
        """The value of each, and how many of its tokens were computed for it."""
        with torch.inference_mode():
            logits, computed = self._decoder.read(conversations)
        return logits[:, 0].sigmoid().tolist(), computed


class _Everywhere(torch.nn.Module):
    """A classifier whose head may be read at any position, as a language model's is."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.model, self.score = classifier.base_model, classifier.score.float()
        self.config = classifier.config

    @property
    def device(self) -> torch.device:
        at: torch.device = next(self.model.parameters()).device
        return at

    @property
    def dtype(self) -> torch.dtype:
        kind: torch.dtype = next(self.model.parameters()).dtype
        return kind

    def forward(self, input_ids: Tensor, logits_to_keep: Tensor | int = 0, **told: Any) -> Any:
        hidden = self.model(input_ids=input_ids, **told).last_hidden_state
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        return SimpleNamespace(logits=self.score(hidden[:, kept].float()))


def load(
    place: Path,
    base: str,
    shared: Any,
    device: str | None,
    dtype: str | None,
    cache_bytes: int,
) -> tuple[Valuing, Any]:
    """The head of a folder, and its tokenizer. shared: the base, where it is in memory already.

    Raises ConfigError, or DataError for a broken record.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a live display is under way
    at = device_named(device)
    kind = dtype_named(dtype, at)
    adapted = (place / ADAPTER).is_file()
    if adapted:
        check_adapter(place)
    with loading(f"the reward model {str(place)!r} on {base!r}"):
        if not adapted:
            classifier = _loaded(AutoModelForSequenceClassification, str(place), kind)
        elif shared is not None:
            classifier = _adapted(_beside(shared), base, place).get_base_model()
        else:
            trunk = _loaded(AutoModelForCausalLM, base, kind)
            classifier = _adapted(trunk, base, place).merge_and_unload()
        tokenizer: Any = AutoTokenizer.from_pretrained(place)
    return Valuing(classifier if shared is not None else classifier.to(at), cache_bytes), tokenizer


def _loaded(kind: Any, name: str, dtype: Any) -> Any:
    fits = packed.supports(AutoConfig.from_pretrained(name))
    attention = packed.ATTENTION if fits else "sdpa"
    told = {"dtype": dtype, "attn_implementation": attention, "output_loading_info": True}
    model, info = kind.from_pretrained(name, **told)
    check_complete(name, info["missing_keys"])
    return model


def _beside(model: Any) -> Any:
    """Other modules with the very same weights: what is added to them does not touch the model."""
    return deepcopy(model, {id(weights): weights for weights in model.parameters()})


def _adapted(causal: Any, base: str, place: Path) -> PeftModel:
    """The trunk of a language model with the adapter on it, and the trained head for its own."""
    vocabulary = AutoTokenizer.from_pretrained(base).get_vocab()
    Fingerprint.of(base, causal.config.to_dict(), vocabulary).check(place)
    config = deepcopy(causal.config)
    config.num_labels = 1
    with torch.device("meta"):  # only its shape is wanted
        classifier = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    setattr(classifier, classifier.base_model_prefix, causal.base_model)
    width = classifier.score.in_features
    classifier.score = torch.nn.Linear(width, 1, bias=False, device=causal.device)
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # of PEFT, not ours
        return PeftModel.from_pretrained(classifier, str(place))
