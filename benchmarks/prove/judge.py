"""Does a trained head know a good branch better than rules, and than the model's own word?

A part of `benchmarks.prove.tune`. The model plays train houses with sampled answers; every turn of
those episodes is valued by how it ended, some by rollouts too, and a head on an adapter of the model
learns from both and from pairs. All judges are then asked about sampled episodes of validation houses.
Differences of AUC have an interval from a bootstrap over houses, the same houses for both judges.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.prove.loop import World, played, won
from benchmarks.prove.tune_plan import Plan
from benchmarks.rows import Row, row
from tmbr.cli.build import build_judge, build_model
from tmbr.cli.build_data import value_data
from tmbr.cli.prefer import tune_reward
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig, SamplingConfig, ValuesConfig
from tmbr.core.pairs import write_valued
from tmbr.core.trace import Trace
from tmbr.evaluation.forecasts import Forecast, auc, auc_interval
from tmbr.evaluation.hindsight import answers, questions
from tmbr.evaluation.intervals import bootstrap
from tmbr.teacher.preferences import States, state_values
from tmbr.tuning.preference_config import RewardConfig

RIVALS = ("rules", "self")
TUNED: dict[str, Any] = {"dtype": "fp32", "batch_size": 8, "learning_rate": 1e-3, "epochs": 1}
TUNED |= {"max_length": 1280, "evaluate_every": 60, "eval_fraction": 0.1}


def prove(world: World, model: str, pairs: Path, plan: Plan, out: Path) -> dict[str, Any]:
    """Rows with the bars, and each judge's AUC with its interval. pairs: of siblings in the model's own
    search trees, on train samples."""
    trained = head(world, model, pairs, plan, out)
    held = _sampled(world, model, range(plan.judge_test), "validation", out / "validation")
    found = asyncio.run(_asked(world, model, (*RIVALS, f"reward={trained}"), held))
    reward = found.pop(f"reward={trained}")
    told = {"episodes": len(held), "failed": len(held) - sum(won(held)), "train": plan.judge_train}
    rows: list[Row] = []
    for name, theirs in found.items():
        mean, low = advantage(reward, theirs)
        rows.append(row(f"AUC of reward less {name}'s", mean))
        rows.append(row(f"AUC of reward less {name}'s, lower end", low, bar="> 0"))
    every = {"reward": reward, **found}
    areas = {name: {"auc": auc(f), "ci95": auc_interval(f, 0)} for name, f in every.items()}
    head_told = json.loads((trained / "result.json").read_text("utf-8"))
    kept = ("pairs", "valued", "updates", "kept", "accuracy", "auc", "ece")
    return {"rows": rows, **told, "head": {key: head_told[key] for key in kept}, "judges": areas}


def _sampled(world: World, model: str, houses: range, split: str, out: Path) -> list[Trace]:
    return played(world, model, "react", houses, 0, out, temperature=1.0, split=split)


def head(world: World, model: str, pairs: Path, plan: Plan, out: Path) -> Path:
    """The run folder of a reward model, of sampled train episodes and of pairs."""
    some, others = range(plan.valued), range(plan.valued, plan.judge_train)
    traces = _sampled(world, model, some, "train", out / "valued")
    traces += _sampled(world, model, others, "train", out / "train")
    told = (valued for one in traces for valued in States([one], state_values).valued())
    write_valued(out / "outcomes.jsonl", told)
    values = out / "values"
    config = ValuesConfig(
        traces=out / "valued" / "traces.jsonl",
        model=ModelConfig(model=model),
        sampling=SamplingConfig(temperature=1.0, max_tokens=world.answer),
        which="branch",
        most=2,
        rollouts=plan.rollouts,
        concurrency=32,
        out=values,
    )
    if value_data(config):
        raise SystemExit(130)
    data = out / "preferences.jsonl"
    parts = (out / "outcomes.jsonl", values / "values.jsonl", pairs)
    data.write_text("".join(path.read_text("utf-8") for path in parts), encoding="utf-8")
    tune_reward(RewardConfig(model=model, **TUNED), data, out / "head")
    return out / "head"


async def _asked(
    world: World, model: str, specs: Sequence[str], traces: Sequence[Trace]
) -> dict[str, list[Forecast]]:
    """Of each judge what it said of every turn, in the same order."""
    task = make_task(world.task, "generated", "text")
    acting = build_model(ModelConfig(model=model), task)
    found = {}
    try:
        for spec in specs:
            judge = build_judge(spec, acting, task)
            assert judge is not None
            asked = [questions(trace) for trace in traces]
            said = await asyncio.gather(*(answers(judge, one) for one in asked))
            found[spec] = [
                Forecast(told[turn.view, turn.node].value, bool(good), trace.sample.digest)
                for trace, one, told, good in zip(traces, asked, said, won(traces), strict=True)
                for turn in one.turns
            ]
    finally:
        await acting.aclose()
    return found


def advantage(ours: Sequence[Forecast], theirs: Sequence[Forecast]) -> tuple[float, float]:
    """Difference of AUC on the same turns, and the lower end of its 95% interval over clusters."""
    clusters: dict[str, list[int]] = {}
    for index, forecast in enumerate(ours):
        clusters.setdefault(forecast.cluster, []).append(index)

    def apart(drawn: Sequence[list[int]]) -> float | None:
        at = [index for cluster in drawn for index in cluster]
        areas = [auc([side[index] for index in at]) for side in (ours, theirs)]
        return None if None in areas else areas[0] - areas[1]  # type: ignore[operator]

    whole = apart(list(clusters.values()))
    assert whole is not None, "all episodes ended alike"
    reach = bootstrap(list(clusters.values()), apart, 0)
    return whole, reach[0]
