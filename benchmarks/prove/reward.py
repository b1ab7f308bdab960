"""Does a trained head know a good branch better than rules, and than the model's own word?

    python -m benchmarks.prove.reward [--model runs/quickstart/tune/model]

Needs the model that `make quickstart` makes. It plays train and validation houses with sampled answers;
a head on an adapter of it learns from the train ones, and all judges are asked about the validation
ones. A run that was stopped goes on; writes benchmarks/results/reward.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.rows import RESULTS, row, write
from tmbr.cli import run

RESULT = RESULTS / "reward.json"
#: Answers that are sampled fail often enough for a judge to have something to say.
PLAYED = ("sampling.temperature=1.0", "concurrency=16")
TUNED = ("dtype=fp32", "epochs=2", "batch_size=16", "learning_rate=1e-3", "max_length=1024")
JUDGES = ("rules", "confidence", "default", "self")
KEPT = ("strategy", "judge", "n", "success", "turns", "solved", "auc", "auc_ci95", "auc_early")
KEPT += (
    "auc_late",
    "kept",
    "kept_right",
    "kept_right_ci95",
    "ece",
    "brier",
    "tokens",
    "calls",
    "seconds",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="runs/quickstart/tune/model")
    parser.add_argument("--train", type=int, default=40)
    parser.add_argument("--validation", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("runs/prove_reward"))
    told = parser.parse_args()
    if not Path(told.model).is_dir():
        sys.exit(f"{told.model}: no such model; `make quickstart` makes it")
    train = _played(told.model, "train", told.train, told.out)
    validation = _played(told.model, "validation", told.validation, told.out)
    head = told.out / "head"
    _done("tune", "reward", "--model", told.model, "--data", train, "--out", head, *TUNED)
    specs = [part for name in (*JUDGES, f"reward={head}") for part in ("--judge", name)]
    _done("judges", validation, "--model", told.model, *specs)
    rows = json.loads((validation.parent / "judges.json").read_text("utf-8"))["rows"]
    kept = [{key: one[key] for key in KEPT} for one in rows]
    for one in kept:
        one["judge"] = one["judge"].partition("=")[0]
    tuned = json.loads((head / "result.json").read_text("utf-8"))
    lists = {key: len(tuned[key]) for key in ("dropped", "alike")}
    write(
        RESULT,
        {
            "command": f"python -m benchmarks.prove.reward --train {told.train}"
            f" --validation {told.validation}",
            "machine": f"{platform.machine()}, shared with other work: seconds are an upper bound",
            "date": time.strftime("%Y-%m-%d"),
            "head": {**tuned, **lists},
            "bars": _bars(kept),
            "rows": kept,
        },
    )


def _played(model: str, split: str, samples: int, out: Path) -> Path:
    folder = out / split
    ways = ("--strategy", "react", "--strategy", "multibranch")
    _done(
        "eval",
        f"split={split}",
        *PLAYED,
        "--model",
        model,
        *ways,
        "--samples",
        samples,
        "--out",
        folder,
    )
    return folder / "traces.jsonl"


def _done(*words: Any) -> None:
    if code := run([str(word) for word in words]):
        sys.exit(code)


def _bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """AUC of the head on paths that no judge has steered, beside each other judge's."""
    auc = {one["judge"]: one["auc"] for one in rows if one["strategy"] == "react"}
    return [
        row(f"AUC of reward less {name}'s", auc["reward"] - auc[name], bar="> 0")
        for name in ("rules", "self")
    ]


if __name__ == "__main__":
    main()
