"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, whose place it takes if all goes well; an older one stays until
    then, and nothing is left of one that was not completed. Raises OSError."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file; an older one stays until the new one is complete. Raises OSError."""
    with whole(path) as aside:
        aside.write_text(text, "utf-8")
