"""When a device has no room for what is trained: which setting to lower, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tmbr.core.errors import ConfigError
from tmbr.tuning.config import TuneConfig

#: What PyTorch says, as a plain RuntimeError, where it is the machine's own memory that is full.
CPU_FULL = "DefaultCPUAllocator: can't allocate memory"


@contextmanager
def fits(config: TuneConfig, four_bit: bool = False) -> Iterator[None]:
    """Around all that puts tensors on the device. four_bit: whether this trainer can keep its base so.

    Raises ConfigError, one line with the mend, when memory runs out.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        raise ConfigError(out_of_memory(config, four_bit)) from None
    except RuntimeError as error:
        if CPU_FULL not in str(error):
            raise
        raise ConfigError(out_of_memory(config, four_bit)) from None


def out_of_memory(config: TuneConfig, four_bit: bool) -> str:
    """The line that says so."""
    size, more = config.batch_size, config.accumulation
    mends = []
    if size > 1:
        mends.append(f"batch_size={size // 2} accumulation={2 * more}")
    if not config.gradient_checkpointing:
        mends.append("gradient_checkpointing=true")
    if four_bit and config.method == "lora" and not config.four_bit:
        mends.append("four_bit=true")
    mends.append(f"max_length={config.max_length // 2}")
    return (
        f"out of memory: batches of {size} of up to {config.max_length:,} tokens do not fit this"
        f" device; set {', or '.join(mends)}"
    )
