"""`tmbr tune sft` and `tmbr merge`: from a file of traces or rows to an adapter or a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tmbr.cli.build import model_path
from tmbr.cli.underway import validator
from tmbr.config import TaskValidationConfig
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.files import whole
from tmbr.core.store import holds_traces, read_traces
from tmbr.tuning import ranks, run_folder
from tmbr.tuning.config import SftConfig

if TYPE_CHECKING:
    from tmbr.tuning.dpo import DpoResult
    from tmbr.tuning.reward import RewardResult
    from tmbr.tuning.sft import SftResult


class SftRun(SftConfig):
    """All that `tmbr tune sft` can be told."""

    validation: TaskValidationConfig | None = None
    """What is measured on every `evaluate_every` updates; see `tmbr.config.TaskValidationConfig`, whose
    defaults null takes."""


def tune(config: SftRun, data: Path, out: Path) -> SftResult:
    """Tune on `data`, which holds rows, or traces from which OUT/rows.jsonl is made first.

    Raises ConfigError or DataError, each in one line.
    """
    from tmbr.tuning.sft import run

    told = config.model_copy(update={"model": model_path(config.model)})
    evaluator = None
    if config.evaluate_every is not None:
        evaluator = validator(config.validation, config.model, out)
    with run_folder.alone(out):
        result = run(told, _rows(data, out) if holds_traces(data) else data, out, evaluator)
    if not ranks.first():
        return result
    left = len(result.cut) + len(result.split) + len(result.dropped)
    print(
        f"tuned on {result.rows} rows, {result.trained_tokens:,} trained tokens, "
        f"{result.updates} updates{ended(result)}, loss {result.loss:.3f}"
        + (f"; {left} rows were too long, {result.lost} turns lost, see result.json" if left else "")
    )
    say_kept(result, "success on validation samples")
    print(f"{'adapter' if config.method == 'lora' else 'model'}: {out / result.folder}")
    return result


def ended(result: SftResult | DpoResult | RewardResult) -> str:
    """What to say behind the updates of a run that `max_minutes` ended: it is finished all the same."""
    return " (all that max_minutes left time for)" if result.stopped == "time" else ""


def say_kept(result: SftResult | DpoResult | RewardResult, what: str) -> None:
    """Which weights are the result, where they were measured in training."""
    if result.validated is not None:
        said = f"kept: update {result.kept} of {result.updates}, {what} {100 * result.validated:.1f}%"
        print(f"{said} ({result.stopped})")


def merge(base: str, adapter: Path, out: Path) -> None:
    """Write base and adapter as one checkpoint."""
    from tmbr.tuning import adapter as adapters

    if out.exists():
        raise ConfigError(f"{out} is there already; name another folder")
    adapters.merge(model_path(base), adapter, out)
    print(f"model: {out}")


def _rows(data: Path, out: Path) -> Path:
    """Rows of the successful episodes, in an order that does not depend on how they were played."""
    from tmbr.core.rows import rows, write_rows

    return made(
        out / "rows.jsonl",
        lambda path: write_rows(path, rows(read_traces(data))),
        f"{data}: no episode in it was solved, so there is nothing to learn from",
    )


def made(path: Path, write: Callable[[Path], int], nothing: str) -> Path:
    """A file in a run's folder that the first process writes. Raises DataError, saying `nothing`, where
    it is empty, and ConfigError where a run was made of another: then that one stays."""
    if ranks.first():
        with whole(path) as aside:
            if write(aside) == 0:
                raise DataError(nothing)
            run_folder.check_data(aside, path)
    ranks.wait()
    return path
