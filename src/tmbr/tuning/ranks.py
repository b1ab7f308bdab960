"""One run in several processes, which `accelerate launch` or torchrun starts: the first one writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from tmbr.core.errors import ConfigError

T = TypeVar("T")
R = TypeVar("R")
#: How long one process waits for another, which may still play: the library's own 10 minutes are few.
PATIENCE = timedelta(hours=12)


def first() -> bool:
    """Whether this process writes what the run leaves behind; so it is of a run in one process."""
    return number() == 0


def number() -> int:
    """Of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """Of the run's processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def several() -> bool:
    return count() > 1


def wait() -> None:
    """Until all processes of the run are here."""
    if several():
        _state().wait_for_everyone()


def agreed(flag: bool) -> bool:
    """What the first process says; all have to ask."""
    return gathered(flag)[0]


def gathered(said: T) -> list[T]:
    """What every process says, in their order; all have to ask."""
    if not several():
        return [said]
    from accelerate.utils import gather_object

    _state()
    found: list[T] = gather_object([said])
    return found


def share(items: Sequence[T]) -> Sequence[T]:
    """What of these is this process's to do."""
    return items[number() :: count()]


def spread(items: Sequence[T], do: Callable[[Sequence[T]], Sequence[R]]) -> list[R]:
    """Each process does its share; all get what came of every item, in order."""
    shares = gathered(list(do(share(items))))
    return [shares[at % len(shares)][at // len(shares)] for at in range(len(items))]


def own(path: Path) -> Path:
    """A place like this one for what every process writes for itself."""
    return path if first() else path.with_name(f"{path.stem}-{number()}{path.suffix}")


def add_up_gradients(weights: Sequence[Any]) -> None:
    """Make each gradient the sum of those of all processes; what has none in any keeps none."""
    if not several():
        return
    import torch
    from accelerate.utils import reduce

    _state()
    device = weights[0].device
    there = torch.tensor([float(weight.grad is not None) for weight in weights], device=device)
    for weight, any_has in zip(weights, reduce(there, "sum").tolist(), strict=True):
        if any_has:
            mine = torch.zeros_like(weight) if weight.grad is None else weight.grad
            weight.grad = reduce(mine, "sum")


def check_whole(what: str) -> None:
    """Raises ConfigError where the launcher lays the weights in shards and `what` needs them whole."""
    for name in ("FSDP", "DEEPSPEED"):
        if several() and os.environ.get(f"ACCELERATE_USE_{name}", "false").lower() == "true":
            raise ConfigError(
                f"{what} needs whole weights in each process; launch with recipes/accelerate/ddp.yaml"
            )


def _state() -> Any:
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.accelerator.is_available(), timeout=PATIENCE)
