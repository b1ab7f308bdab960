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
