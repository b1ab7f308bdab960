"""One run in several processes, which `accelerate launch` or torchrun starts: the first one writes."""

from __future__ import annotations

import os
from typing import Any

from tmbr.core.errors import ConfigError


def first() -> bool:
    """Whether this process writes what the run leaves behind; so it is of a run in one process."""
    return os.environ.get("RANK", "0") == "0"


def wait() -> None:
    """Until all processes of the run are here."""
    if several():
        _state().wait_for_everyone()


def agreed(flag: bool) -> bool:
    """What the first process says; all have to ask."""
    if not several():
        return flag
    from accelerate.utils import broadcast_object_list

    _state()
    said: list[bool] = broadcast_object_list([flag])
    return said[0]


def alone(what: str) -> None:
    """Raises ConfigError where there are several processes and `what` cannot use them."""
    if several():
        raise ConfigError(f"{what} is trained by one process; start it without accelerate launch")


def several() -> bool:
    """Whether the run is of more than one process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def _state() -> Any:
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.accelerator.is_available())
