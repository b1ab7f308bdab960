"""`tmbr report`: the page of a run folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tmbr.core.errors import DataError
from tmbr.core.store import read_traces


def report(folder: Path) -> Path:
    """Write FOLDER/report.html from its summary and traces and return it. Raises DataError."""
    from tmbr.viewer.choose import all_of_few
    from tmbr.viewer.report import report as write

    summary = read_summary(folder)
    traces = read_traces(folder / "traces.jsonl")
    return write(summary, traces, folder / "report.html", all_of_few)


def read_summary(folder: Path) -> dict[str, Any]:
    """What `tmbr eval` measured: `rows` and `comparisons`. Raises DataError."""
    try:
        summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(f"{folder}: no summary.json in it; `tmbr eval` writes one") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / 'summary.json'}: cannot be read ({error})") from None
    return summary
