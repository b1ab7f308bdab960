"""`tmbr tune reward` and `tmbr tune dpo`: from pairs, valued conversations or traces to a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tmbr.cli.build import model_path
from tmbr.cli.tune import ended, made, say_kept
from tmbr.cli.underway import validator
from tmbr.config import TaskValidationConfig
from tmbr.core.lines import Line, write_lines
from tmbr.core.pairs import pair_line, valued_line, write_pairs
from tmbr.core.store import holds_traces, read_traces
from tmbr.core.trace import Trace
from tmbr.teacher.preferences import States, state_values
from tmbr.tuning import ranks, run_folder
from tmbr.tuning.preference_config import DpoConfig

if TYPE_CHECKING:
    from tmbr.tuning.dpo import DpoResult
    from tmbr.tuning.preference_config import RewardConfig
    from tmbr.tuning.reward import RewardResult


class DpoRun(DpoConfig):
    """All that `tmbr tune dpo` can be told."""

    validation: TaskValidationConfig | None = None
    """What is measured on every `evaluate_every` updates; see `tmbr.config.TaskValidationConfig`, whose
    defaults null takes."""


def tune_reward(config: RewardConfig, data: Path, out: Path) -> RewardResult:
    """Train on `data`, which holds pairs and valued conversations, or traces from which
    OUT/preferences.jsonl is made first.

    Raises ConfigError or DataError, each in one line.
    """
    from tmbr.tuning.reward import run

    told = config.model_copy(update={"model": model_path(config.model)})
    with run_folder.alone(out):
        result = run(told, _preferences(data, out) if holds_traces(data) else data, out)
    if not ranks.first():
        return result
    print(
        f"trained on {result.pairs:,} pairs and {result.valued:,} valued conversations, "
        f"{result.updates:,} updates{ended(result)}, loss {result.loss:.3f}{_left(result)}"
    )
    if result.accuracy is not None:
        print(f"held-out pairs: {result.accuracy:.1%} the right way round")
    if result.auc is not None:
        print(f"held-out values: AUC {result.auc:.2f}, calibration error {result.ece:.2f}")
    say_kept(result, "AUC or accuracy on what was held out")
    print(f"judge: --judge reward={out}")
    return result


def tune_dpo(config: DpoRun, data: Path, out: Path) -> DpoResult:
    """Tune on `data`, which holds pairs, or traces from which OUT/pairs.jsonl is made first.

    Raises ConfigError or DataError, each in one line.
    """
    from tmbr.tuning.dpo import run

    evaluator = None
    if config.evaluate_every is not None:
        evaluator = validator(config.validation, config.model, out)
    told = config.model_copy(update={"model": model_path(config.model)})
    with run_folder.alone(out):
        result = run(told, _pairs(data, out) if holds_traces(data) else data, out, evaluator)
    if not ranks.first():
        return result
    print(
        f"tuned on {result.pairs:,} pairs, {result.updates:,} updates{ended(result)}, "
        f"loss {result.loss:.3f}{_left(result)}"
    )
    if result.accuracy is not None:
        print(f"held-out pairs: {result.accuracy:.1%} the right way round, margin {result.margin:.3f}")
    say_kept(result, "success on validation samples")
    print(f"{'adapter' if config.method == 'lora' else 'model'}: {out / result.folder}")
    return result


def _left(result: RewardResult | DpoResult) -> str:
    left = len(result.dropped) + len(result.alike)
    return f"; {left:,} were too long or alike, see result.json" if left else ""


def _pairs(data: Path, out: Path) -> Path:
    return made(
        out / "pairs.jsonl",
        lambda path: write_pairs(
            path, (pair for trace in read_traces(data) for pair in States([trace]).pairs())
        ),
        f"{data}: no success in it left a sibling behind; collect with branches",
    )


def _preferences(data: Path, out: Path) -> Path:
    """Pairs and valued conversations of all episodes, in an order that does not depend on the play."""

    def lines(traces: Iterable[Trace]) -> Iterator[Line]:
        for trace in traces:
            yield from map(pair_line, States([trace]).pairs())
            yield from map(valued_line, States([trace], state_values).valued())

    return made(
        out / "preferences.jsonl",
        lambda path: write_lines(path, lines(read_traces(data))),
        f"{data}: no scored episode in it, so there is nothing to learn from",
    )
