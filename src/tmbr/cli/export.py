"""`tmbr export`: from a finished run to a folder for any engine, and to a hub where asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tmbr.cli.report import read_summary
from tmbr.core.errors import ConfigError


def export(run: Path, out: Path, results: Path | None, dtype: str, push: str | None) -> None:
    """Write `run`'s model to `out`. results: a folder of `tmbr eval`, whose rows the card shows."""
    from tmbr.tuning import export as exports

    if out.exists():
        raise ConfigError(f"{out} is there already; name another folder")
    rows: list[dict[str, Any]] = read_summary(results)["rows"] if results is not None else []
    exports.export(run, out, rows, dtype)
    print(f"model: {out}")
    if push is not None:
        print(f"pushed: {exports.push(out, push)}")
