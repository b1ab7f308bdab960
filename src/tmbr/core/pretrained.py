"""What can be wrong with a folder or hub name of weights, each in one line.

transformers and PEFT ask a hub for what is not there, fill what is missing by chance, and raise many
kinds of errors for one that is damaged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from tmbr.core.errors import ConfigError, no_file
from tmbr.core.rewards import RECORD

ADAPTER = "adapter_config.json"
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")


def check_base(name: str) -> None:
    """Raises ConfigError where `name` is a path at which nothing is, or an adapter's folder."""
    place = Path(name)
    if (place / ADAPTER).is_file() and not (place / "config.json").is_file():
        raise ConfigError(
            f"{name} is an adapter: give its base as the model and this as `adapter`, or merge it"
            " first (tmbr merge)"
        )
    # `one` and `some/one` may be a hub's names, unless a folder `some` is here.
    local = name.startswith((".", "/", "~")) or name.count("/") > 1
    local = local or ("/" in name and place.parent.is_dir())
    if local and not place.exists():
        raise ConfigError(f"cannot load the model {name!r}: {no_file(place)}")


def check_adapter(folder: Path) -> None:
    """Raises ConfigError where there is no adapter, or one without weights."""
    if not (folder / ADAPTER).is_file():
        raise ConfigError(f"{folder}: no {ADAPTER} here; give the folder that tuning wrote")
    if not any((folder / name).is_file() for name in _WEIGHTS):
        raise ConfigError(f"{folder}: no {_WEIGHTS[0]} here; the adapter is not whole, train it anew")


def check_writer(folder: Path) -> None:
    """The same, and where the adapter is a reward model's, which values and writes nothing."""
    check_adapter(folder)
    if (folder / RECORD).exists():
        raise ConfigError(f"{folder} is a reward model's adapter: give it to a judge, reward={folder}")


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Raises ConfigError for what loading weights raises where files are missing, torn or foreign."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise ConfigError(f"cannot load {what}: {_line(error)}") from error
    except RuntimeError as error:  # of other shapes; memory that does not suffice is another's matter
        if "size" not in str(error) or "mismatch" not in str(error):
            raise
        raise ConfigError(
            f"cannot load {what}: its weights have other shapes, those of another base"
        ) from error


def check_complete(name: str, missing: Collection[str]) -> None:
    """Raises ConfigError where weights are missing, which would be drawn by chance."""
    if missing:
        first, *more = sorted(missing)
        rest = f" and {len(more)} more" if more else ""
        raise ConfigError(f"{name}: its weights lack {first}{rest}; the files are not whole")


def _line(error: Exception) -> str:
    """The first line that is a sentence of its own."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    return " ".join(lines[:2]) if lines and lines[0].endswith(":") else (lines or [""])[0]
