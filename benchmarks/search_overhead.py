"""What search itself costs: a model and a world that take no time, so that only the machinery is left.

    python -m benchmarks.search_overhead

Trees of 100 to 100,000 nodes are grown by `multibranch` and `mcts`, whose paths are given up after 20
steps so that they go back all the time. Fails above 0.2 ms a node, or where a node of the largest tree
costs twice that of a small one. Writes benchmarks/results/search_overhead.json.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from statistics import median, quantiles

from benchmarks.rows import RESULTS, Row, row, verdict, write
from tmbr.core.errors import ActionError
from tmbr.core.protocols import Session
from tmbr.core.trace import Budget, Run
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step, Tool, derive_seed
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.strategies import strategy
from tmbr.rollout import episode

NODES = (100, 1_000, 10_000, 100_000)
BRANCHES, PATH = 4, 20
MOST_MS, MOST_GROWTH = 0.2, 2.0


@dataclass(slots=True)
class Place:
    """Somewhere in an endless maze."""

    path: str = ""
    observation: str = "A fork in the way."
    tools: Sequence[Tool] = ()

    def step(self, action: Action | None) -> Step:
        self.path = f"{self.path[-8:]}{action.arguments['way'] if action else '?'}"
        self.observation = f"Behind you: {self.path}."
        return Step(self.observation, admissible=True)

    def ends(self, action: Action) -> bool:  # noqa: ARG002
        return False

    def fork(self) -> Session:
        return Place(self.path, self.observation)

    def state_key(self) -> str:
        return self.path

    def close(self) -> None:
        return


class Maze:
    """It has no end: the budget ends it."""

    name, version, rounds = "maze", "1", 10**9

    def samples(self, split: str) -> Sequence[Sample]:
        return [Sample("maze", self.name, split, "Walk.", {})]

    def open(self, sample: Sample) -> Session:  # noqa: ARG002
        return Place()

    def messages(self, sample: Sample, observation: str) -> list[Message]:
        return [Message("user", f"{sample.instruction} {observation}")]

    def parse(self, completion: Completion) -> Action:
        found = re.fullmatch(r"go (\w+)", completion.text)
        if not found:
            raise ActionError("malformed", "say `go WAY`")
        return Action("go", {"way": found[1]}, completion.text)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        return Score(0.0, False)


def grow(name: str, nodes: int) -> tuple[float, list[float]]:
    """Seconds of a whole episode of so many nodes, and milliseconds between two questions."""
    asked: list[float] = []

    def answers(_: Sequence[Message], n: int, seed: int) -> list[str]:
        asked.append(time.perf_counter())
        rng = Random(derive_seed(seed, "ways"))
        return [f"go {rng.choice('abcdefgh')}" for _ in range(n)]

    task, made = Maze(), strategy(name, branches=BRANCHES, path_steps=PATH)
    budget = Budget(calls=nodes // BRANCHES)
    run = Run("", task.name, "scripted", name, "fork", 0)
    model = ScriptedModel(answers)
    begun = time.perf_counter()
    trace = asyncio.run(episode(task.samples("test")[0], task, made, model, None, budget, run))
    seconds = time.perf_counter() - begun
    return seconds / len(trace.nodes), [1000 * (b - a) for a, b in pairwise(asked)]


def main() -> None:
    rows: list[Row] = []
    grow("multibranch", NODES[0])  # what is imported and cached once is there now
    for name in ("multibranch", "mcts"):
        cost: list[float] = []
        for nodes in NODES:
            each, decisions = grow(name, nodes)
            cost.append(1000 * each)
            rows.append(row(f"{name}, {nodes:,} nodes: a node", cost[-1], "ms", f"<= {MOST_MS:g}"))
        high = quantiles(decisions, n=20)[18]
        rows.append(row(f"{name}, {NODES[-1]:,} nodes: a decision, p50", median(decisions), "ms"))
        rows.append(row(f"{name}, {NODES[-1]:,} nodes: a decision, p95", high, "ms"))
        growth = cost[-1] / cost[1]
        label = f"{name}: a node of {NODES[-1]:,} to one of {NODES[1]:,}"
        rows.append(row(label, growth, bar=f"<= {MOST_GROWTH:g}"))
    write(RESULTS / "search_overhead.json", rows)
    verdict(rows)


if __name__ == "__main__":
    main()
