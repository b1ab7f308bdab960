"""LoRA adapters on disk: saved with a record of their base, loaded on no other, merged into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.fingerprint import Fingerprint
from tmbr.core.pretrained import check_writer, loading
from tmbr.tuning import ranks
from tmbr.tuning.base import fingerprint, load_base
from tmbr.tuning.whole import whole

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase


def save(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    base: Fingerprint,
    out: Path,
    weights: dict[str, Any] | None = None,
) -> None:
    """Write adapter, tokenizer (with the chat template it was trained by) and the base's record.

    weights: of the whole model where its own are in shards.
    """
    with whole(out) as folder:
        if ranks.first():
            model.save_pretrained(str(folder), selected_adapters=["default"], state_dict=weights)
            tokenizer.save_pretrained(str(folder))
            base.write(folder)


def load(
    base: str, adapter: Path, dtype: Any = "auto", trainable: bool = False, **how: Any
) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    """The base with the adapter on top, frozen unless it is to be trained on, and its tokenizer.

    how: as for `load_base`. Raises ConfigError where there is no adapter, or one of another base.
    """
    from peft import PeftModel
    from transformers import AutoTokenizer

    check_writer(adapter)
    model, tokenizer = load_base(base, dtype, **how)
    fingerprint(base, model, tokenizer).check(adapter)
    with loading(f"the adapter {str(adapter)!r}"):
        if (adapter / "tokenizer_config.json").is_file():
            tokenizer = AutoTokenizer.from_pretrained(adapter)
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable), tokenizer


def set_dropout(model: torch.nn.Module, share: float) -> None:
    """Of all adapters in a model: one that was loaded brings that of its own training."""
    import torch
    from peft import PeftModel
    from peft.tuners.lora import LoraLayer

    if not isinstance(model, PeftModel):
        return
    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            for name in layer.lora_dropout:
                layer.lora_dropout[name] = torch.nn.Dropout(share) if share else torch.nn.Identity()
    for config in model.peft_config.values():
        config.lora_dropout = share


def merge(base: str, adapter: Path, out: Path) -> Path:
    """Write a plain model with the adapter's weights added to the base's, in the base's dtype."""
    model, tokenizer = load(base, adapter)
    merged = model.merge_and_unload(safe_merge=True)
    with whole(out) as folder:
        merged.save_pretrained(str(folder))
        tokenizer.save_pretrained(str(folder))
    return out
