"""Does the data matter? What a base learns from it, and what it forgets: `make prove-data`.

    python -m benchmarks.prove.data [--scale 1] [--out runs/prove_data] [--seeds 0]

Each arm of recipes/data_ablation.yaml is built by `tmbr data build`, tuned on, and measured on test
houses and on general text that was held out. An arm that is done is kept, and one that was stopped
goes on. Writes benchmarks/results/data.json, docs/data_ablation.svg and the tables of
docs/data_ablation.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.prove.data_report import report
from benchmarks.prove.data_sources import collect, general
from benchmarks.rows import RESULTS, write
from tmbr.cli import run
from tmbr.cli.build import model_path
from tmbr.core.rows import read_rows
from tmbr.core.store import TraceStore, read_traces
from tmbr.core.types import digest
from tmbr.tuning import sft
from tmbr.tuning.config import SftConfig

RESULT = RESULTS / "data.json"
RECIPE = Path(__file__).parents[2] / "recipes/data_ablation.yaml"
KEPT = ("success", "ci95", "malformed", "inadmissible", "steps")
STRATEGIES = {
    "greedy": {"strategy": "react"},
    "sampled": {"strategy": "react", "sampling": {"temperature": 1.0}},
}


@dataclass(frozen=True, slots=True)
class Lab:
    """Where everything lies. scale: of all numbers in the recipe."""

    recipe: dict[str, Any]
    out: Path
    scale: float

    def number(self, told: int, least: int = 2) -> int:
        return max(least, round(told * self.scale))

    def source(self, name: str) -> Path:
        kind = "jsonl" if name in self.recipe["general"] else "traces.jsonl"
        return self.out / "sources" / f"{name}.{kind}"

    def held(self, kind: str) -> Path:
        return self.out / "sources" / f"{kind}.held.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("runs/prove_data"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--result", type=Path, default=RESULT)
    told = parser.parse_args()
    found = prove(Lab(yaml.safe_load(RECIPE.read_text("utf-8")), told.out, told.scale), told.seeds)
    write(told.result, found)
    if told.result == RESULT:
        report(found)


def prove(lab: Lab, seeds: list[int]) -> dict[str, Any]:
    """All arms and the base itself."""
    begun, told_seeds = time.time(), " ".join(map(str, seeds))
    _make_sources(lab)
    base = model_path(lab.recipe["tune"]["model"])
    lines = [{"group": "base", "arm": "base", "seed": 0, **_measured(lab, base, lab.out / "base")}]
    for group, arm, told in _arms(lab):
        for seed in seeds:
            line = {"group": group, "arm": arm, "seed": seed, **_arm(lab, told, seed)}
            print(json.dumps(line), flush=True)
            lines.append(line)
    return {
        "command": f"python -m benchmarks.prove.data --scale {lab.scale:g} --seeds {told_seeds}",
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "date": time.strftime("%Y-%m-%d"),
        "minutes": round((time.time() - begun) / 60, 1),
        "arms": lines,
    }


def _make_sources(lab: Lab) -> None:
    for name, told in lab.recipe["sources"].items():
        print(f"source {name}", flush=True)
        collect(lab.source(name), {**told, "episodes": lab.number(told["episodes"])})
    for kind, count in lab.recipe["general"].items():
        if not lab.source(kind).exists():
            print(f"source {kind}", flush=True)
            held_out = lab.number(lab.recipe["held_out"])
            general(kind, lab.source(kind), lab.held(kind), lab.number(count), held_out)


def _arms(lab: Lab) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for group, arms in lab.recipe["arms"].items():
        for arm, told in arms.items():
            yield group, arm, told


def _arm(lab: Lab, told: dict[str, Any], seed: int) -> dict[str, Any]:
    """Build, tune, measure. Equal arms of two groups are one."""
    folder = lab.out / "arms" / digest([told, seed, lab.recipe["tune"], lab.scale])
    kept = folder / "line.json"
    if kept.exists():
        stored: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return stored
    folder.mkdir(parents=True, exist_ok=True)
    config = dict(told)
    episodes = config.pop("episodes", None)
    config["traces"] = [str(_first(lab, name, episodes)) for name in told["traces"]]
    config["general"] = [{"path": str(lab.source(k)), "weight": 1} for k in told.get("general", [])]
    if "most_rows" in config:
        config["most_rows"] = lab.number(config["most_rows"])
    config |= {"out": str(folder / "data"), "seed": seed, "tokenizer": "nano"}
    (folder / "data.yaml").write_text(yaml.safe_dump(config))
    _tmbr("data", "build", str(folder / "data.yaml"))
    tune = {**lab.recipe["tune"], "model": model_path(lab.recipe["tune"]["model"]), "seed": seed}
    result = sft.run(SftConfig(**tune), folder / "data" / "rows.jsonl", folder / "tune")
    line = {
        "rows": result.rows,
        "trained_tokens": result.trained_tokens,
        "updates": result.updates,
        **_measured(lab, str(folder / "tune" / result.folder), folder),
    }
    kept.write_text(json.dumps(line))
    return line


def _first(lab: Lab, name: str, episodes: int | None) -> Path:
    """The first so many episodes of a source, as a file of their own."""
    if episodes is None:
        return lab.source(name)
    count = lab.number(episodes)
    path = lab.out / "sources" / f"{name}.{count}.traces.jsonl"
    if not path.exists():
        by_number = sorted(
            read_traces(lab.source(name)), key=lambda t: int(t.sample.id.rpartition("-")[2])
        )
        aside = path.with_suffix(".part")
        aside.unlink(missing_ok=True)
        with TraceStore(aside) as store:
            for trace in by_number[:count]:
                store.append(trace, 0.0)
        aside.replace(path)
    return path


def _measured(lab: Lab, model: str, folder: Path) -> dict[str, Any]:
    """Success and errors on test houses, and the loss on general text."""
    config = {
        "split": "test",
        "samples": lab.number(lab.recipe["samples"]),
        "concurrency": 128,
        "sampling": {"max_tokens": 80},
        "models": {"tuned": {"model": model}},
        "strategies": STRATEGIES,
        "out": str(folder / "eval"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "eval.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    _tmbr("eval", str(folder / "eval.yaml"))
    summary = json.loads((folder / "eval" / "summary.json").read_text("utf-8"))
    found = {row["strategy"]: {key: row[key] for key in KEPT} for row in summary["rows"]}
    losses = {kind: round(_loss(lab, model, kind), 4) for kind in lab.recipe["general"]}
    return {**{name: found[name] for name in STRATEGIES}, "general_loss": losses}


def _loss(lab: Lab, model: str, kind: str) -> float:
    """Nats a trained token of the rows that were held out."""
    import torch
    from torch.nn.functional import cross_entropy

    from tmbr.tuning.base import load_base
    from tmbr.tuning.masks import IGNORED, ChatTemplate, encode

    loaded, tokenizer = load_base(model, torch.float32)
    loaded.eval()
    total, count = 0.0, 0
    content = encode(
        read_rows(lab.held(kind)), ChatTemplate(tokenizer), lab.recipe["tune"]["max_length"]
    )
    with torch.inference_mode():
        for example in content.examples:
            logits = loaded(torch.tensor([example.input_ids])).logits[0, :-1]
            labels = torch.tensor(example.labels[1:])
            total += cross_entropy(logits.float(), labels, ignore_index=IGNORED, reduction="sum").item()
            count += int((labels != IGNORED).sum())
    return total / count


def _tmbr(*command: str) -> None:
    if code := run(command):
        sys.exit(code)


if __name__ == "__main__":
    main()
