"""`tmbr quickstart`: the whole loop on the embedded defaults, each stage resumable and reused."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from tmbr.cli.play import INTERRUPTED, collect, evaluate
from tmbr.cli.report import report
from tmbr.cli.tune import SftRun, tune
from tmbr.config import CollectConfig, EvalConfig, ModelConfig, QuickstartConfig


def default() -> Path:
    """The config that comes with tmbr."""
    return Path(str(files("tmbr.cli") / "quickstart.yaml"))


def quickstart(config: QuickstartConfig) -> int:
    """Collect, tune, evaluate, report; returns the exit code."""
    out = config.out
    teacher = CollectConfig(**{**config.collect, "out": out / "teacher"})
    sft = SftRun(**config.tune)
    code = _stage("1/4 the expert plays", lambda: collect(teacher))
    if code:
        return code
    tuned = _stage(
        "2/4 the base is tuned", lambda: tune(sft, teacher.out / "traces.jsonl", out / "tune")
    )
    grid = _grid(config, sft.model, out / "tune" / tuned.folder)
    code = _stage("3/4 base and tuned are measured", lambda: evaluate(grid))
    if code:
        return code
    page = _stage("4/4 the report is written", lambda: report(out))
    print(_NEXT.format(page=page, summary=out / "summary.json", model=out / "tune" / tuned.folder))
    return 0


T = TypeVar("T")
_NEXT = """
Look:     {page}
Numbers:  {summary}
Tuned:    {model}
Next:     tmbr eval --help          measure a model of yours on the same houses
          tmbr collect --help       build data with a teacher of yours
          tmbr tune sft --help      tune a model of yours on it"""


def _stage(title: str, work: Callable[[], T]) -> T:
    print(f"\n{title}", flush=True)
    began = time.monotonic()
    found = work()
    if found != INTERRUPTED:
        print(f"({time.monotonic() - began:.0f} s)")
    return found


def _grid(config: QuickstartConfig, base: str, tuned: Path) -> EvalConfig:
    """The evaluation, with the models `base` and `tuned` filled in."""
    is_adapter = (tuned / "adapter_config.json").exists()
    models = {
        "base": ModelConfig(model=base, max_batch=config.max_batch),
        "tuned": ModelConfig(
            model=base if is_adapter else str(tuned),
            adapter=str(tuned) if is_adapter else None,
            max_batch=config.max_batch,
        ),
    }
    return EvalConfig(**{**config.eval, "models": models, "out": config.out})
