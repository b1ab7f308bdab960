"""Folders that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tmbr.core.errors import DataError
from tmbr.tuning import ranks


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that takes its place if the block succeeds.

    All processes of a run have to enter: they get the same folder, and the first one moves it.
    Whatever goes wrong while writing (a full disk above all) is one DataError line, and what was at
    `folder` before is still there.
    """
    from safetensors import SafetensorError

    aside = folder.with_name(f".{folder.name}.part")
    try:
        if ranks.first():
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
        ranks.wait()
        yield aside
        ranks.wait()
        if ranks.first():
            if folder.exists():
                shutil.rmtree(folder)
            aside.rename(folder)
        ranks.wait()
    except (OSError, SafetensorError, RuntimeError) as error:  # torch.save raises RuntimeError
        shutil.rmtree(aside, ignore_errors=True)
        why = str(error).strip().split("\n")[0]
        raise DataError(f"could not write {folder} ({why}); free space and run again") from error
