"""What all tasks share of their samples: made when they are asked for; files found in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import overload

from tmbr.core.types import Sample


class Lazy(Sequence[Sample]):
    """A sequence of so many samples, each made from its index."""

    def __init__(self, size: int, make: Callable[[int], Sample]) -> None:
        self._indices = range(size)
        self._make = make

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(index, slice):
            return [self._make(i) for i in self._indices[index]]
        return self._make(self._indices[index])


def data_root(root: Path | None = None) -> Path:
    """Where the benchmarks' files lie: `TMBR_DATA`, by default `../shared/data`."""
    return root or Path(os.environ.get("TMBR_DATA", "../shared/data"))
