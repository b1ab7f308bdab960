"""The base model of a tuning: loading it, and knowing it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tmbr.core.fingerprint import Fingerprint
from tmbr.core.pretrained import check_base, check_complete, loading

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_base(
    name: str, dtype: Any, four_bit: bool = False, attention: str = "sdpa"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer of a folder or hub name; dtype: a torch dtype, or `auto` for the stored one.

    four_bit: linear layers as NF4 with doubly quantised scales (Dettmers et al., 2023), computing in
    dtype. Raises ConfigError when there is no such model.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    check_base(name)
    with loading(f"the model {name!r}"):
        found: Any = AutoModelForCausalLM.from_pretrained(
            name,
            dtype=dtype,
            attn_implementation=attention,
            quantization_config=_nf4(dtype) if four_bit else None,
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(name)
    model, info = found
    check_complete(name, info["missing_keys"])
    return model, tokenizer


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer alone. Raises ConfigError when there is none."""
    from transformers import AutoTokenizer

    check_base(name)
    with loading(f"the tokenizer of {name!r}"):
        return AutoTokenizer.from_pretrained(name)


def _nf4(dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


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

    check_base(name)
    with loading(f"the model {name!r} with a scalar head"), suppress_seqcls_warning():
        model, info = AutoModelForSequenceClassification.from_pretrained(
            name, dtype=dtype, num_labels=1, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(name)
    check_complete(name, {key for key in info["missing_keys"] if key != "score.weight"})
    generator = torch.Generator().manual_seed(seed)
    width = model.score.in_features
    drawn = torch.randn(1, width, generator=generator) / (width + 1) ** 0.5
    model.score.float().weight.data.copy_(drawn)
    return model, tokenizer
