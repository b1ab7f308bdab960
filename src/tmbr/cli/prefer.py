"""`tmbr tune reward` and `tmbr tune dpo`: from pairs, valued conversations or traces to a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tmbr.cli.build import model_path
from tmbr.core.errors import DataError
from tmbr.core.lines import Line, write_lines
from tmbr.core.pairs import Pair, Valued, pair_line, valued_line, write_pairs
from tmbr.core.store import holds_traces, read_traces
from tmbr.core.types import Trace
from tmbr.reasoning.questions import conversation

if TYPE_CHECKING:
    from tmbr.tuning.dpo import DpoResult
    from tmbr.tuning.preference_config import DpoConfig, RewardConfig
    from tmbr.tuning.reward import RewardResult


def tune_reward(config: RewardConfig, data: Path, out: Path) -> RewardResult:
    """Train on `data`, which holds pairs and valued conversations, or traces from which
    OUT/preferences.jsonl is made first.

    Raises ConfigError or DataError, each in one line.
    """
    from tmbr.tuning.reward import run

    if holds_traces(data):
        data = _made(data, out / "preferences.jsonl")
    result = run(config.model_copy(update={"model": model_path(config.model)}), data, out)
    print(
        f"trained on {result.pairs:,} pairs and {result.valued:,} valued conversations, "
        f"{result.updates:,} updates, loss {result.loss:.3f}{_left(result)}"
    )
    if result.accuracy is not None:
        print(f"held-out pairs: {result.accuracy:.1%} the right way round")
    if result.auc is not None:
        print(f"held-out values: AUC {result.auc:.2f}, calibration error {result.ece:.2f}")
    print(f"judge: --judge reward={out}")
    return result


def tune_dpo(config: DpoConfig, data: Path, out: Path) -> DpoResult:
    """Tune on `data`, which holds pairs, or traces from which OUT/pairs.jsonl is made first.

    Raises ConfigError or DataError, each in one line.
    """
    from tmbr.tuning.dpo import run

    if holds_traces(data):
        path = out / "pairs.jsonl"
        if write_pairs(path, (pair for trace in read_traces(data) for pair in pairs(trace))) == 0:
            path.unlink()
            raise DataError(f"{data}: no success in it left a sibling behind; collect with branches")
        data = path
    result = run(config.model_copy(update={"model": model_path(config.model)}), data, out)
    print(
        f"tuned on {result.pairs:,} pairs, {result.updates:,} updates, "
        f"loss {result.loss:.3f}{_left(result)}"
    )
    if result.accuracy is not None:
        print(f"held-out pairs: {result.accuracy:.1%} the right way round, margin {result.margin:.3f}")
    print(f"{'adapter' if config.method == 'lora' else 'model'}: {out / result.folder}")
    return result


def _left(result: RewardResult | DpoResult) -> str:
    left = len(result.dropped) + len(result.alike)
    return f"; {left:,} were too long or alike, see result.json" if left else ""


def _made(data: Path, path: Path) -> Path:
    """Pairs and valued conversations of all episodes, in an order that does not depend on the play."""

    def lines(traces: Iterable[Trace]) -> Iterator[Line]:
        for trace in traces:
            yield from map(pair_line, pairs(trace))
            yield from map(valued_line, values(trace))

    if write_lines(path, lines(read_traces(data))) == 0:
        path.unlink()
        raise DataError(f"{data}: no scored episode in it, so there is nothing to learn from")
    return path


def pairs(trace: Trace) -> Iterator[Pair]:
    """What a success kept, and each sibling that it left: two actions in the same state."""
    if trace.finish is None or not trace.finish.score.success:
        return
    for kept in trace.branch(trace.finish.leaf):
        node = trace.nodes[kept]
        if node.action is None or not node.sampled or node.context is None:
            continue
        for other in trace.nodes:
            left = other.parent == node.parent and other.kind == "act" and other.sampled
            if left and (other.action is None or other.action.key != node.action.key):
                prompt = conversation(trace, node.context).messages()
                yield Pair(
                    trace.sample.id, tuple(prompt), node.message, other.message, tuple(trace.tools)
                )


def values(trace: Trace) -> Iterator[Valued]:
    """Each turn of the committed branch with what the world said, valued by how the episode ended."""
    if trace.finish is None or trace.finish.status == "task error" or not trace.finish.score.known:
        return
    for index in trace.branch(trace.finish.leaf):
        node = trace.nodes[index]
        if node.kind == "act" and node.sampled and node.step is not None and not node.step.done:
            told = tuple(conversation(trace, index).messages())
            yield Valued(trace.sample.id, told, trace.finish.score.value, tuple(trace.tools))
