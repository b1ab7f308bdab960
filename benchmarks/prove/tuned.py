"""The tuned embedded model under three budgets of tokens: five strategies, 100 test houses each.

    python -m benchmarks.prove.tuned [--model runs/quickstart/tune/model]

Needs the model that `make quickstart` makes. All strategies have their defaults. A run that was stopped
goes on; writes benchmarks/results/search_tuned.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.rows import RESULTS, write
from tmbr.cli import run

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
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="runs/quickstart/tune/model")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("runs/prove_tuned"))
    told = parser.parse_args()
    if not Path(told.model).is_dir():
        sys.exit(f"{told.model}: no such model; `make quickstart` makes it")
    found = [_played(told.model, told.samples, told.out, tokens) for tokens in BUDGETS]
    write(RESULT, found)


def _played(model: str, samples: int, out: Path, tokens: int) -> dict[str, Any]:
    folder = out / str(tokens)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "split": "test",
        "samples": samples,
        "concurrency": 128,
        "sampling": {"max_tokens": 80},
        "budget": {"tokens": tokens, "steps": 100},
        "models": {"tuned": {"model": model}},
        "strategies": STRATEGIES,
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
