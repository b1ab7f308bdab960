"""Does tuning pay, and which? The embedded base, step by step: `make prove-tune`.

    python -m benchmarks.prove.tune [--scale 1]
    python -m benchmarks.prove.tune --part household-0
    python -m benchmarks.prove.tune --part judge

From base to SFT on a few episodes of the expert in several passes, then one step on the other: DPO on
pairs of siblings from search trees, PPO, GRPO; the last two learn rows of the expert and of solved
trees along. The expert is scarce on purpose: where it is not, SFT is cheaper
and better than any of them. Two controls go along, step by step, with as many episodes played and as
many updates of as many rows as pairs or episodes:

    continued   SFT goes on with the expert's episodes
    rejection   the last model plays (in the first step the trees that DPO's pairs are from), and SFT
                goes on with what was solved, half and half with the expert's

All models are measured on validation and test samples; the step of DPO, PPO and GRPO that is held
against SFT and its controls is chosen on validation. `whole` is SFT on more episodes than the few that
leave the other steps something to learn; `coached` goes on from it by episodes of its own, in which the
expert mends its mistakes. What SFT does to wrong turns is read from all three, greedy (where the base
wanders and hardly errs) and at temperature 1.

The last part: a reward model against other judges (see `benchmarks.prove.judge`), of the first SFT
model of houses. A run that was stopped goes on. One seed takes hours, so what its models came to is
kept in benchmarks/results/tune_learning/ and never measured again by the same plan, on whatever
machine. tune_learning.json has the bars over all that is there, tune_judge.json the judges.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.prove import judge
from benchmarks.prove.loop import TEACHER, World, drawn, kept, mixed, played, tuned, won
from benchmarks.prove.tune_plan import (
    CHAINS,
    FIRST_RATE,
    LATER_RATE,
    PARTS,
    PATHS,
    PLANS,
    SETTINGS,
    WORLDS,
    Plan,
    update,
)
from benchmarks.prove.tune_report import CONTROLS, SFTS, STEPS, Measured, shares, verdicts
from benchmarks.rows import RESULTS, table, write
from tmbr.cli.policy import GrpoRun, PpoRun, tune_policy
from tmbr.cli.prefer import DpoRun, tune_dpo
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.rows import Row as Conversation
from tmbr.core.rows import write_rows
from tmbr.core.trace import Trace
from tmbr.evaluation.metrics import summary
from tmbr.teacher.preferences import States


@dataclass(frozen=True, slots=True)
class Start:
    """The expert's rows, the model tuned on them, and of its search trees rows of the solved ones and
    pairs. taught: file of all rows."""

    given: list[Conversation]
    sft: str
    solved: list[Conversation]
    pairs: list[Pair]
    taught: Path


@dataclass(frozen=True, slots=True)
class Lab:
    """Where and by which seed a chain is made."""

    world: World
    plan: Plan
    seed: int
    out: Path

    def play(self, model: str, strategy: str, samples: range, name: str, **how: Any) -> list[Trace]:
        return played(self.world, model, strategy, samples, self.seed, self.out / name, **how)

    def solved(self, model: str, samples: range, name: str, **how: Any) -> list[Conversation]:
        """Rows of what react solves."""
        return kept(self.out / name / "rows.jsonl", self.play(model, "react", samples, name, **how))

    def start(self) -> Start:
        plan, out = self.plan, self.out
        given = self.solved(TEACHER, range(plan.first), "expert")
        sft = tuned(self.world, "nano", given, FIRST_RATE, self.seed, out / "sft", epochs=plan.passes)
        trees = self.play(sft, "multibranch", range(plan.first, plan.first + plan.trees), "trees")
        pairs = [pair for trace in trees for pair in States([trace]).pairs()]
        write_pairs(out / "pairs.jsonl", pairs)
        solved = kept(out / "trees" / "rows.jsonl", trees)
        write_rows(taught := out / "taught.jsonl", [*given, *solved])
        return Start(given, sft, solved, pairs, taught)

    def measure(self, name: str, model: str) -> Measured:
        plan, folder = self.plan, self.out / "measured" / name
        sets: dict[str, tuple[str, int, str, float | None]] = {
            "validation": ("react", plan.validation, "validation", None),
            "react": ("react", plan.test, "test", None),
            "multibranch": ("multibranch", plan.searched, "test", None),
        }
        if name in ("base", *SFTS):
            sets["sampled"] = ("react", plan.test, "test", 1.0)
        found = {
            key: played(self.world, model, way, range(count), 0, folder / key, temperature, split)
            for key, (way, count, split, temperature) in sets.items()
        }
        return Measured(
            fmean(won(found["validation"])),
            won(found["react"]),
            won(found["multibranch"]),
            _wrong(found["react"]),
            _wrong(found["sampled"]) if "sampled" in found else None,
        )


def _wrong(traces: list[Trace]) -> float:
    (line,) = summary(traces, {})
    return float(line["malformed"] + line["inadmissible"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--part", choices=PARTS, help="one of them alone")
    parser.add_argument("--out", type=Path, default=Path("runs/prove_tune"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    told = parser.parse_args()
    plans = {world: plan.scaled(told.scale) for world, plan in PLANS.items()}
    for part in [told.part] if told.part else PARTS:
        if part == "judge":
            plan = plans["household"]
            found = {**_stamp(plan), **judged(plan, told.out)}
            write(told.results / "tune_judge.json", found)
        else:
            (told.results / "tune_learning").mkdir(exist_ok=True)
            world, seed = CHAINS[part]
            path = told.results / "tune_learning" / f"{part}.json"
            if measured(path, plans[world]) is None:
                lab = Lab(WORLDS[world], plans[world], seed, told.out / world / str(seed))
                models = {name: one.told() for name, one in chain(lab).items()}
                write(path, {**_stamp(lab.plan), "models": models})
            found = learning(plans, told.results / "tune_learning")
            write(told.results / "tune_learning.json", found)
        print(table(found["rows"]))


def _stamp(plan: Plan) -> dict[str, Any]:
    return {
        "command": f"python -m benchmarks.prove.tune {' '.join(sys.argv[1:])}".strip(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "date": time.strftime("%Y-%m-%d"),
        "plan": plan.told(),
    }


def measured(path: Path, plan: Plan) -> dict[str, Measured] | None:
    """What the models of a chain came to by this plan, where that was written down."""
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if found.get("plan") != plan.told():
        return None
    return {name: Measured.read(told) for name, told in found["models"].items()}


def gathered(plans: dict[str, Plan], folder: Path) -> dict[str, dict[str, dict[str, Measured]]]:
    """The models of all chains by these plans that are there, by world and chain."""
    chains: dict[str, dict[str, dict[str, Measured]]] = {}
    for name, (world, _) in CHAINS.items():
        if models := measured(folder / f"{name}.json", plans[world]):
            chains.setdefault(world, {})[name] = models
    return chains


def learning(plans: dict[str, Plan], folder: Path) -> dict[str, Any]:
    """Rows, and what each model came to, of all chains that are there."""
    chains = gathered(plans, folder)
    rows = [line for world, found in chains.items() for line in verdicts(world, [*found.values()])]
    told = {name: shares(one) for found in chains.values() for name, one in found.items()}
    return {"rows": rows, "models": told}


def judged(plan: Plan, out: Path) -> dict[str, Any]:
    """The reward model of the first SFT model of houses, against other judges."""
    lab = Lab(WORLDS["household"], plan, 0, out / "household" / "0")
    sft = lab.start().sft
    return judge.prove(lab.world, sft, lab.out / "pairs.jsonl", plan, out / "judge")


def chain(lab: Lab) -> dict[str, Measured]:
    """Every model of one seed by its name, measured."""
    plan, out, start = lab.plan, lab.out, lab.start()
    made = {"base": "nano", "sft": start.sft, **_whole(lab)}
    last = dict.fromkeys(("steps", *CONTROLS), start.sft)
    for step in STEPS:
        last["steps"] = made[step] = _stepped(lab, step, last["steps"], start)
        solved = start.solved
        if step != "dpo":
            name, samples = f"rejection-{step}/play", plan.unseen(step)
            solved = lab.solved(last["rejection"], samples, name, temperature=1.0)
        for control, new in (("continued", []), ("rejection", solved)):
            name = f"{control}-{step}"
            mix = mixed(start.given, new, plan.rows(step), random.Random(f"{lab.seed} {name}"))
            last[control] = made[name] = tuned(
                lab.world, last[control], mix, LATER_RATE, lab.seed, out / name, **update(step)
            )
    return {name: lab.measure(name, model) for name, model in made.items()}


def _whole(lab: Lab) -> dict[str, str]:
    """The base tuned on many episodes, and this one on by episodes of its own, half and half with all
    before them."""
    count = lab.plan.whole
    given = lab.solved(TEACHER, range(count), "whole/expert")
    learner = whole = tuned(
        lab.world, "nano", given, FIRST_RATE, lab.seed, lab.out / "whole", epochs=lab.plan.whole_passes
    )
    for number in range(1, lab.plan.coached + 1):
        houses = range(number * count, (number + 1) * count)
        name = f"coached-{number}"
        new = lab.solved(f"coached:{learner}", houses, f"{name}/play", temperature=1.0)
        mix = mixed(given, new, 2 * count, random.Random(f"{lab.seed} {name}"))
        learner = tuned(lab.world, learner, mix, LATER_RATE, lab.seed, lab.out / name)
        given = [*given, *new]
    return {"whole": whole, "coached": learner}


def _stepped(lab: Lab, step: str, model: str, start: Start) -> str:
    """The folder of the model after a step."""
    plan, folder = lab.plan, lab.out / step
    if step == "dpo":
        write_pairs(folder / "drawn.jsonl", drawn(start.pairs, plan.pairs, random.Random(lab.seed)))
        config = DpoRun(**SETTINGS[step], model=model, seed=lab.seed)
        return str(folder / "tune" / tune_dpo(config, folder / "drawn.jsonl", folder / "tune").folder)
    rollouts = {"task": lab.world.task, "max_tokens": lab.world.answer}
    rollouts |= {"concurrency": plan.episodes, "max_batch": plan.episodes}
    told = {**SETTINGS[step], "model": model, "seed": lab.seed, "rollouts": rollouts}
    told |= {"rounds": plan.rounds(step), "sft_rows": start.taught}
    run = (
        PpoRun(**told, samples=plan.episodes)
        if step == "ppo"
        else GrpoRun(**told, samples=plan.episodes // PATHS)
    )
    return str(folder / tune_policy(run, folder).folder)


if __name__ == "__main__":
    main()
