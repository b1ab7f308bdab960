"""What a reward model's folder tells of itself, besides its weights and its base's fingerprint."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tmbr.core.errors import ConfigError, DataError

RECORD = "reward.json"


@dataclass(frozen=True, slots=True)
class RewardRecord:
    """base: the folder or hub name that it was trained on. outcomes: whether it was trained to see what
    the world said to the last answer; one that was not must not be shown it."""

    base: str
    outcomes: bool

    def write(self, folder: Path) -> None:
        """Leave the record in a reward model's folder."""
        (folder / RECORD).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def find(cls, folder: Path) -> tuple[Path, RewardRecord]:
        """The folder of the weights, which is `folder` or in it, and the record there.

        Raises ConfigError when there is none, DataError when it cannot be read.
        """
        for place in (folder, folder / "adapter", folder / "model"):
            if (place / RECORD).is_file():
                try:
                    told = json.loads((place / RECORD).read_text(encoding="utf-8"))
                    return place, cls(**told)
                except (OSError, ValueError, TypeError) as error:
                    raise DataError(
                        f"{place / RECORD}: not a record of a reward model: {error}"
                    ) from None
        raise ConfigError(
            f"{folder}: no reward model here; give the folder that `tmbr tune reward` wrote"
        )
