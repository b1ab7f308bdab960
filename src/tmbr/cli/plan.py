"""`tmbr tune plan`: what a config needs, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tmbr.cli.build import model_path
from tmbr.core.errors import ConfigError, DataError, nearest
from tmbr.core.rows import read_rows, rows
from tmbr.core.store import holds_traces, read_traces

if TYPE_CHECKING:
    from tmbr.tuning.config import SftConfig
    from tmbr.tuning.masks import Example
    from tmbr.tuning.plan import Data, Plan, Sharding

#: Of a card's memory, what its driver and the gaps between blocks leave.
USABLE = 0.92


@dataclass(frozen=True, slots=True)
class Machine:
    """The cards that a config is to run on. tflops: peak of one, where it is not in our list.

    Raises ConfigError.
    """

    card: str = "cpu"
    gpus: int = 1
    sharding: Sharding = "ddp"
    tflops: float | None = None
    utilisation: float = 0.4

    def __post_init__(self) -> None:
        if not 0 < self.utilisation <= 1:
            raise ConfigError(f"utilisation {self.utilisation}: give a share above 0, at most 1")
        if self.tflops is not None and not 0 < self.tflops < inf:
            raise ConfigError(f"tflops {self.tflops}: give a number above 0")

    def peak(self) -> float | None:
        """10^12 operations a second of one card, where known. Raises ConfigError."""
        from tmbr.tuning.plan import CARDS

        if self.card != "cpu" and self.card not in CARDS:
            raise ConfigError(f"card {self.card!r}: {nearest(self.card, [*CARDS, 'cpu'])}")
        return self.tflops or (CARDS[self.card][1] if self.card in CARDS else None)


def plan(config: SftConfig, machine: Machine, data: Path | None) -> None:
    """Print memory and time. Raises ConfigError or DataError."""
    from tmbr.tuning.plan import Data
    from tmbr.tuning.plan import plan as compute

    config = config.model_copy(update={"model": model_path(config.model)})
    peak = machine.peak()
    epoch = Data.of(_examples(config, data)) if data is not None else None
    share = epoch.trained / epoch.tokens if epoch else 1.0
    found = compute(config, machine.gpus, machine.sharding, machine.card == "cpu", share)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in [*_memory(found, machine), *_time(config, found, machine, peak, epoch)]:
        table.add_row(name, value)
    Console().print(table)


def _memory(found: Plan, machine: Machine) -> list[tuple[str, str]]:
    from tmbr.tuning.plan import CARDS

    on = "in memory" if machine.card == "cpu" else f"on each of {machine.gpus} {machine.card}"
    lines = [
        ("parameters", f"{found.parameters:,}"),
        ("trained", f"{found.trained:,}"),
        ("weights", _gib(found.weights)),
        ("gradients", _gib(found.gradients)),
        ("optimizer", _gib(found.optimizer)),
        ("activations", _gib(found.activations)),
        (f"together {on}", _gib(found.bytes)),
    ]
    if machine.card in CARDS:
        usable = USABLE * CARDS[machine.card][0] * 2**30
        fits = "fits" if found.bytes <= usable else "does NOT fit"
        lines.append((f"of usable {_gib(usable)}", fits))
    return lines


def _time(
    config: SftConfig, found: Plan, machine: Machine, peak: float | None, epoch: Data | None
) -> list[tuple[str, str]]:
    lines = [("operations for a token", f"{found.flops / 1e9:,.2f} GFLOP")]
    rate = None
    if peak is not None:
        rate = found.tokens_per_second(peak, machine.gpus, machine.utilisation)
        lines.append((f"at {machine.utilisation:.0%} of {peak:,g} TFLOPS", f"{rate:,.0f} tokens/s"))
    if epoch is not None:
        lines.append(("rows an epoch", f"{epoch.rows:,}"))
        lines.append(("tokens an epoch", f"{epoch.tokens:,}"))
        lines.append(("trained tokens an epoch", f"{epoch.trained:,}"))
    if epoch is not None and rate is not None:
        hours = config.epochs * epoch.tokens / rate / 3600
        told = f"{hours:,.1f} h" if hours >= 1 else f"{60 * hours:,.1f} min"
        lines.append((f"{config.epochs:g} epochs", told))
    return lines


def _examples(config: SftConfig, data: Path) -> list[Example]:
    """The data as tokens of the model's tokenizer. Raises DataError where nothing of it trains."""
    from tmbr.tuning.base import load_tokenizer
    from tmbr.tuning.masks import ChatTemplate, encode

    content = rows(read_traces(data)) if holds_traces(data) else read_rows(data)
    template = ChatTemplate(load_tokenizer(config.model), config.chat_template)
    found = encode(content, template, config.max_length, config.over_length).examples
    if not found:
        raise DataError(f"{data}: nothing in it trains within max_length {config.max_length}")
    return found


def _gib(size: float) -> str:
    return f"{size / 2**30:,.2f} GiB"
