"""Chat templates: where a tokenizer's text of a conversation comes from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tmbr.core.errors import ConfigError, nearest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BUNDLED = Path(__file__).parent / "templates"
_MARK = re.compile(r"(\{%[-+]?\s*)(end)?generation(\s*[-+]?%\})")


def source(tokenizer: PreTrainedTokenizerBase, choice: str | None) -> str:
    """The template's text: the chosen one, the tokenizer's own, or TRL's marked twin of it.

    choice: a bundled template, one of TRL's training templates (`qwen3`), or a Jinja file.
    """
    from trl.chat_template_utils import get_training_chat_template, has_generation_markers

    if choice is not None:
        return _chosen(choice)
    own = tokenizer.chat_template
    if own is None:
        raise ConfigError(
            f"{tokenizer.name_or_path} has no chat template; set `chat_template` to one of"
            f" {', '.join(_bundled())}, to a family that TRL knows (`qwen3`) or to a Jinja file"
        )
    text: str = own["default"] if isinstance(own, dict) else own
    if has_generation_markers(text):
        return text
    try:
        return get_training_chat_template(tokenizer) or text
    except ValueError:  # unknown to TRL
        return text


def unmarked(template: str) -> str:
    """The same template for engines whose Jinja knows no `{% generation %}`: not a byte is rendered
    otherwise."""
    return _MARK.sub(lambda m: f"{m[1]}{'endif' if m[2] else 'if true'}{m[3]}", template)


def _chosen(choice: str) -> str:
    twins = _twins()
    path = BUNDLED / f"{choice}.jinja"
    if not path.is_file():
        path = twins.get(choice, Path(choice))
    if not path.is_file():
        raise ConfigError(
            f"chat_template: {choice!r} is neither a file nor one of {', '.join(_bundled())} nor known"
            f" to TRL; {nearest(choice, [*_bundled(), *twins])}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"chat_template: {path} is no Jinja file: {error}") from None


def _bundled() -> list[str]:
    return sorted(path.stem for path in BUNDLED.glob("*.jinja"))


def _twins() -> dict[str, Path]:
    """TRL's training templates by the name of their family."""
    import trl

    folder = Path(trl.__file__).parent / "chat_templates"
    return {
        path.stem.removesuffix("_training"): path for path in sorted(folder.glob("*_training.jinja"))
    }
