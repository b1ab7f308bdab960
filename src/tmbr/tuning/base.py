"""The base model of a tuning: loading it, and knowing it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tmbr.core.errors import ConfigError
from tmbr.core.fingerprint import Fingerprint

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_base(name: str, dtype: Any) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer of a folder or hub name; dtype: a torch dtype, or `auto` for the stored one.

    Raises ConfigError when there is no such model.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype)
        return model, AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        why = str(error).strip().split("\n")[0]
        raise ConfigError(f"cannot load the model {name!r}: {why}") from None


def fingerprint(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Fingerprint:
    """By which an adapter knows its base."""
    return Fingerprint.of(name, model.config.to_dict(), tokenizer.get_vocab())


def load_classifier(
    name: str, dtype: Any, seed: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The base with a new scalar head, drawn from the seed and kept in fp32, in place of its own.

    Raises ConfigError when there is no such model, or transformers has no classifier of its kind.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from trl.trainer.reward_trainer import suppress_seqcls_warning

    try:
        with suppress_seqcls_warning():
            model = AutoModelForSequenceClassification.from_pretrained(name, dtype=dtype, num_labels=1)
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        why = str(error).strip().split("\n")[0]
        raise ConfigError(f"cannot load the model {name!r} with a scalar head: {why}") from None
    generator = torch.Generator().manual_seed(seed)
    width = model.score.in_features
    drawn = torch.randn(1, width, generator=generator) / (width + 1) ** 0.5
    model.score.float().weight.data.copy_(drawn)
    return model, tokenizer
