"""Constrained decoding on household test samples: format errors, success, tokens, and what it costs.

    python -m benchmarks.constrained [--tuned FOLDER] [--samples 50]

The embedded base, and a tuned model where a folder is given (`tmbr quickstart` leaves one in
runs/quickstart/tune/model), play `react` in both forms, 80 tokens a turn as in the quickstart:
unconstrained, `format`, and `admissible` where the form lists actions. Overhead: the same prompts and
seeds, turn and turn about in one run, at a temperature at which all answers get about as long; CPU
seconds, so that a busy machine does not count. Writes benchmarks/results/constrained.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.rows import RESULTS, Row, row, verdict, write
from tmbr.cli.build import model_path
from tmbr.cli.play import evaluate
from tmbr.cli.tasks import make_task
from tmbr.config import EvalConfig, ModelConfig, SamplingConfig, StrategyConfig
from tmbr.core.grammar import Constraint, Grammar
from tmbr.core.store import read_traces
from tmbr.core.types import Context, Sampling
from tmbr.evaluation.metrics import summary
from tmbr.models.local import LocalModel

WAYS: dict[str, list[Constraint | None]] = {
    "text": [None, "format"],
    "agentbench": [None, "format", "admissible"],
}
#: Models this small have not learnt to call tools: there one temperature tells enough.
HEATS = {"text": {"greedy": 0.0, "sampled": 1.0}, "agentbench": {"greedy": 0.0}}
ROUNDS, NEW = 5, 80


def main() -> None:
    """Measure, print the table, write the rows, and fail where a bar is missed."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--tuned", help="folder of a tuned model")
    reader.add_argument("--samples", type=int, default=50)
    told = reader.parse_args()
    models = {"base": ModelConfig()} | ({"tuned": ModelConfig(model=told.tuned)} if told.tuned else {})
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for form in WAYS:
            rows += played(form, models, told.samples, Path(folder) / form)
    for episodes in (1, 16):
        rows += asyncio.run(overhead(episodes))
    write(RESULTS / "constrained.json", rows)
    verdict(rows)


def played(form: str, models: dict[str, ModelConfig], samples: int, out: Path) -> list[Row]:
    """Rows of every model and way in one form."""
    strategies = {
        f"{heat}, {way or 'unconstrained'}": StrategyConfig(
            strategy="react", constrain=way, sampling=SamplingConfig(temperature=warmth)
        )
        for heat, warmth in HEATS[form].items()
        for way in WAYS[form]
    }
    sampling = SamplingConfig(max_tokens=NEW)
    told = {"models": models, "strategies": strategies, "samples": samples, "sampling": sampling}
    evaluate(EvalConfig(form=form, out=out, **told))
    rows = []
    for cell in summary(read_traces(out / "traces.jsonl"), {}):
        name = f"{cell['model']}, {form}, {cell['strategy']}"
        bar = None if name.endswith("unconstrained") else "<= 0"
        turns = max(1, cell["turns"]) / cell["n"]
        rows += [
            row(f"{name}: success", 100 * cell["success"], "%"),
            row(f"{name}: malformed turns", 100 * cell["malformed"], "%", bar),
            row(f"{name}: inadmissible turns", 100 * cell["inadmissible"], "%"),
            row(f"{name}: turns an episode", turns),
            row(f"{name}: tokens generated a turn", cell["tokens_out"] / turns),
            row(f"{name}: tokens an episode", cell["tokens_in"] + cell["tokens_out"]),
        ]
    return rows


async def overhead(episodes: int) -> list[Row]:
    """Tokens a CPU second under each grammar beside the same without, so many answers at a time."""
    model = LocalModel.load(model_path("nano"))
    took: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for name, asked in _asked(episodes):
            begun = time.process_time()
            answers = await asyncio.gather(
                *(model.complete(*each, 1, sampling, number) for *each, sampling in asked)
            )
            spent = time.process_time() - begun
            tokens = sum(answer.usage.generated for (answer,) in answers)
            took.setdefault(name, []).append(spent / tokens)
    await model.aclose()
    speeds = {name: 1 / sorted(found)[ROUNDS // 2] for name, found in took.items()}
    free = speeds.pop("text, unconstrained"), speeds.pop("agentbench, unconstrained")
    beside = f"unconstrained, {episodes} at a time"
    return [
        row(
            f"{name}, {episodes} at a time",
            speed,
            "tokens/s",
            ">= 0.5x",
            beside,
            free[0] if name.startswith("text") else free[1],
        )
        for name, speed in speeds.items()
    ]


def _asked(episodes: int) -> list[tuple[str, list[Any]]]:
    """Prompts of so many samples, for every form and way."""
    found = []
    for form, ways in WAYS.items():
        task: Any = make_task("household", "generated", form)
        for way in ways:
            asked = []
            for sample in task.samples("test")[:episodes]:
                session = task.open(sample)
                first, *others = task.messages(sample, session.observation)
                context = Context(first)
                for message in others:
                    context = context.then(message)
                grammar: Grammar | None = task.grammar(way, session.observation) if way else None
                asked.append((context, session.tools, Sampling(3.0, max_tokens=NEW, grammar=grammar)))
            found.append((f"{form}, {way or 'unconstrained'}", asked))
    return found


if __name__ == "__main__":
    main()
