"""Which base model does an adapter belong to?

An adapter's weights mean something only on the base they were trained on. So its folder carries a
record of that base, and whoever is about to load it compares. Heavy packages are not needed: the
caller hands in the config and the vocabulary, however it got them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.types import digest

RECORD = "base.json"

#: What fixes the shapes and the arithmetic of a network; all else in a config may differ freely.
ARCHITECTURE = (
    "model_type",
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "hidden_act",
    "tie_word_embeddings",
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Short hashes of a base model's architecture, vocabulary and weights (None where they are not in a
    folder); `name` is for the reader only."""

    name: str
    architecture: str
    vocabulary: str
    weights: str | None = None

    @classmethod
    def of(cls, name: str, config: Mapping[str, Any], vocabulary: Mapping[str, int]) -> Fingerprint:
        """config: `model.config.to_dict()`; vocabulary: `tokenizer.get_vocab()`."""
        architecture = {key: config.get(key) for key in ARCHITECTURE}
        return cls(name, digest(architecture), digest(dict(vocabulary)), weights_version(name))

    def write(self, folder: Path) -> None:
        """Leave the record in an adapter's folder."""
        (folder / RECORD).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def check(self, folder: Path) -> None:
        """Raise ConfigError when the adapter in `folder` was trained on another base than this one.

        A folder without a record (an adapter made elsewhere) passes; a record that cannot be read is a
        DataError.
        """
        path = folder / RECORD
        if not path.exists():
            return
        try:
            trained = Fingerprint(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise DataError(
                f"{path}: not a record of a base model: {error}; train the adapter anew"
            ) from None
        for part, theirs, ours in (
            ("architecture", trained.architecture, self.architecture),
            ("vocabulary", trained.vocabulary, self.vocabulary),
        ):
            if theirs != ours:
                raise ConfigError(
                    f"adapter {folder} was trained on {trained.name!r}; the {part} of {self.name!r}"
                    " differs: load the adapter on its own base"
                )
        if trained.weights and self.weights and trained.weights != self.weights:
            raise ConfigError(
                f"adapter {folder} was trained on {trained.name!r}; the weights of {self.name!r}"
                " differ: load it on its own base, or where they are the same in another form, take"
                f" `weights` out of {path}"
            )


def weights_version(folder: str) -> str | None:
    """Short hash of a folder's weights; None for another name, such as a hub's.

    Files beyond 64 MiB count by size, first and last MiB.
    """
    files = sorted(p for p in Path(folder).glob("*") if p.suffix in {".safetensors", ".bin"})
    if not files:
        return None
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
