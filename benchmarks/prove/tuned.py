"""The tuned embedded model under three budgets of tokens: five strategies, 100 test houses each; and
search by it with each judge, without one, and with subtasks.

    python -m benchmarks.prove.tuned [--model runs/quickstart/tune/model]

Needs the model that `make quickstart` makes. All strategies have their defaults. The judge `reward` is
trained on siblings of search trees and on values, of train houses. A run that was stopped goes on;
writes benchmarks/results/search_tuned.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.prove.judge import head
from benchmarks.prove.loop import World, played
from benchmarks.prove.tune_plan import Plan
from benchmarks.rows import RESULTS, write
from tmbr.cli import run
from tmbr.core.pairs import write_pairs
from tmbr.teacher.preferences import States

RESULT = RESULTS / "search_tuned.json"
STRATEGIES: dict[str, dict[str, Any]] = {
    "multibranch": {},
    "react": {},
    "react+retry": {},
    "paper": {"judge": "default", "settings": {"subtasks": 0}},
    "best-first": {},
}
#: Tokens of an episode; one that react solves takes 2,700.
BUDGETS = (2_000, 4_000, 12_000)
#: Without a judge, with each, and divided into subtasks, at the largest budget; `reward` is added.
PARTS: dict[str, dict[str, Any]] = {
    "multibranch": {},
    **{
        f"judge {name}": {"strategy": "multibranch", "judge": name}
        for name in ("none", "rules", "confidence", "self")
    },
    "with subtasks": {"strategy": "decompose+multibranch"},
    "paper": STRATEGIES["paper"],
    "paper with subtasks": {"strategy": "paper", "judge": "default"},
}
#: Train houses of the judge `reward`: searched for pairs, and played with sampled answers for values.
TREES, SAMPLED = 150, 200
KEPT = (
    "strategy",
    "access",
    "n",
    "success",
    "ci95",
    "malformed",
    "inadmissible",
    "tokens_in",
    "tokens_out",
    "steps",
    "steps_on_forks",
    "seconds",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="runs/quickstart/tune/model")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("runs/prove_tuned"))
    told = parser.parse_args()
    if not Path(told.model).is_dir():
        sys.exit(f"{told.model}: no such model; `make quickstart` makes it")
    found = [_played(told, STRATEGIES, tokens, str(tokens)) for tokens in BUDGETS]
    reward = {"strategy": "multibranch", "judge": f"reward={_reward(told.model, told.out)}"}
    parts = _played(told, {**PARTS, "judge reward": reward}, BUDGETS[-1], "parts")
    write(RESULT, {"budgets": found, "parts": parts})


def _reward(model: str, out: Path) -> Path:
    """The run folder of a head that learnt from siblings and from values."""
    trees = played(World(), model, "multibranch", range(TREES), 0, out / "trees")
    pairs = out / "pairs.jsonl"
    write_pairs(pairs, [pair for trace in trees for pair in States([trace]).pairs()])
    return head(World(), model, pairs, replace(Plan(), judge_train=SAMPLED), out / "reward")


def _played(
    told: argparse.Namespace, strategies: dict[str, dict[str, Any]], tokens: int, name: str
) -> dict[str, Any]:
    folder = told.out / name
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "split": "test",
        "samples": told.samples,
        "concurrency": 128,
        "sampling": {"max_tokens": 80},
        "budget": {"tokens": tokens, "steps": 100},
        "models": {"tuned": {"model": told.model}},
        "strategies": strategies,
        "out": str(folder),
    }
    (folder / "eval.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    if code := run(["eval", str(folder / "eval.yaml")]):
        sys.exit(code)
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    rows = [{key: row[key] for key in KEPT} for row in summary["rows"]]
    return {"tokens": tokens, "rows": rows, "against_multibranch": summary["comparisons"]}


if __name__ == "__main__":
    main()
