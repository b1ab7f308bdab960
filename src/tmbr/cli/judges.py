"""`tmbr judges`: judges are asked about stored episodes, and held against what came of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tmbr.cli.build import build_judge, build_model
from tmbr.cli.play import versions, write
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig
from tmbr.core.errors import DataError
from tmbr.core.protocols import Judge
from tmbr.core.store import read_traces
from tmbr.core.trace import Trace


def judges(
    path: Path,
    specs: Sequence[str],
    acting: ModelConfig | None,
    task: str | None,
    samples: int | None,
    seed: int,
    out: Path | None,
) -> None:
    """Write OUT/judges.json and OUT/judges.svg and print the table.

    acting: whom `self` asks. Raises ConfigError or DataError, each in one line.
    """
    from rich.console import Console

    from tmbr.evaluation.table import judges_table
    from tmbr.viewer.calibration import calibration

    traces = _first(_finished(path), samples)
    rows = asyncio.run(_measure(traces, list(dict.fromkeys(specs)), acting, task, seed))
    target = out or path.parent
    target.mkdir(parents=True, exist_ok=True)
    found = {"rows": rows, "versions": versions()}
    write(target / "judges.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    write(target / "judges.svg", calibration(rows))
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(judges_table(rows, console.width))
    print(f"judges: {target / 'judges.json'}, calibration: {target / 'judges.svg'}")


async def _measure(
    traces: Sequence[Trace],
    specs: Sequence[str],
    acting: ModelConfig | None,
    task_name: str | None,
    seed: int,
) -> list[dict[str, Any]]:
    """All rows; those of a cell stand together, in the order of the judges."""
    from tmbr.evaluation.judges import measure

    run = traces[0].run
    task = make_task(task_name or run.task, run.data, "text")
    model = build_model(acting, task) if acting else None
    try:
        made: list[Judge | None] = [build_judge(spec, model, task) for spec in specs]
        rows = [
            [{**row, "judge": spec} for row in await measure(judge, traces, seed)]
            for spec, judge in zip(specs, made, strict=True)
            if judge is not None
        ]
    finally:
        if model is not None:
            await model.aclose()
    return [row for cell in zip(*rows, strict=True) for row in cell]


def _finished(path: Path) -> list[Trace]:
    """Episodes that tell something of a judge."""
    traces = [t for t in read_traces(path) if t.finish and t.finish.status != "task error"]
    if not traces:
        raise DataError(f"{path}: no finished episode in it; `tmbr eval` writes some")
    return traces


def _first(traces: Sequence[Trace], samples: int | None) -> list[Trace]:
    """Episodes of the first so many samples; None is all."""
    kept = list(dict.fromkeys(trace.sample.digest for trace in traces))[:samples]
    return [trace for trace in traces if trace.sample.digest in set(kept)]
