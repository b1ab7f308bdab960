"""How far a run is: a live bar on a terminal, a line now and then elsewhere. All of it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tmbr.core.types import Finish, Trace

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

QUIET_SECONDS = 10.0


@dataclass(slots=True)
class Meter:
    """Counts episodes. played: by this run; done: also those that were finished before."""

    total: int
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    played: int = 0
    solved: int = 0
    tokens: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def reuse(self, finish: Finish) -> None:
        """An episode of an earlier run."""
        self.done += 1
        self.solved += finish.score.success

    def add(self, trace: Trace) -> None:
        """An episode of this run."""
        assert trace.finish is not None
        self.reuse(trace.finish)
        self.played += 1
        self.tokens += trace.spent.usage.total

    def line(self) -> str:
        """`12/40 episodes, success 35.0%, 1,234 tokens/s, 2:10 left`"""
        parts = [f"{self.done}/{self.total} episodes"]
        if self.done:
            parts.append(f"success {100 * self.solved / self.done:.1f}%")
        seconds = self.clock() - self.began
        if self.played and seconds > 0:
            parts.append(f"{self.tokens / seconds:,.0f} tokens/s")
            left = round(seconds / self.played * (self.total - self.done))
            parts.append(f"{left // 60}:{left % 60:02d} left")
        return ", ".join(parts)


class Progress:
    """Shows a meter while it is entered."""

    def __init__(self, title: str, total: int, meter: Meter | None = None) -> None:
        self.title = title
        self.meter = meter or Meter(total)
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._said = self.meter.began

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[line]}"))
            self._bar = Bar(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task(self.title, total=self.meter.total, line=self.meter.line())
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None or self.meter.done:
            self.say(f"{self.title}: {self.meter.line()}")

    def reuse(self, finish: Finish) -> None:
        self.meter.reuse(finish)
        self.show()

    def add(self, trace: Trace) -> None:
        self.meter.add(trace)
        self.show()

    def say(self, text: str) -> None:
        """A line of its own, above the bar if there is one."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def show(self) -> None:
        """Show the meter as it stands, a line only now and then."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self.meter.done, line=self.meter.line())
        elif self.meter.clock() - self._said >= QUIET_SECONDS:
            self._said = self.meter.clock()
            self.say(f"{self.title}: {self.meter.line()}")
