"""Step values by Monte-Carlo rollouts: from a node the rest is played several times, and the share of
successes is what the node is worth (Wang et al., Math-Shepherd, 2024).

The world is opened and replayed for a node and then forked, so a rollout costs only its own turns. The
score is read here because this is training data of the train split; no model sees it when it acts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from tmbr.begun import Begun
from tmbr.core.errors import DataError, EnvironmentFault
from tmbr.core.journal import Journal, each_record
from tmbr.core.protocols import Judge, Model, Strategy, Task
from tmbr.core.trace import Budget, Node, Run, Trace
from tmbr.core.types import derive_seed
from tmbr.rollout import rollouts
from tmbr.teacher.idle import replay

SCHEMA = "tmbr.step_values"
Which = Literal["siblings", "branch", "all"]


@dataclass(frozen=True, slots=True)
class StepValue:
    """What a node of a trace is worth. rollouts: how many were played; 0 where the world ended there.
    tokens: what they took. key: hash of the settings under which it was found."""

    trace: str
    node: int
    value: float
    rollouts: int
    tokens: int
    key: str


_VALUE = TypeAdapter(StepValue)


def _decode(line: bytes) -> StepValue:
    try:
        return _VALUE.validate_json(line)
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"]) from error


def each_step_value(path: Path) -> Iterator[StepValue]:
    """The step values of a file, in its order. Raises DataError."""
    return (value for _, _, value in each_record(path, SCHEMA, _decode))


def chosen(trace: Trace, which: Which, most: int | None, seed: int) -> list[int]:
    """Nodes to be valued, in their order; of more than `most` a sample by the seed.

    siblings: different actions sampled in one state. branch: the turns of the committed branch. all:
    every sampled action. What was refused, or dropped before it could be done, needs no rollouts.
    """
    acts = [
        index
        for index, node in enumerate(trace.nodes)
        if node.kind == "act" and node.sampled and node.action is not None and not _refused(node)
    ]
    if which == "branch":
        branch = set(trace.branch(trace.finish.leaf)) if trace.finish else set()
        acts = [index for index in acts if index in branch]
    elif which == "siblings":
        acts = [index for index in acts if _rivals(trace, index, acts)]
    if most is not None and len(acts) > most:
        acts = sorted(Random(derive_seed(seed, trace.id)).sample(acts, most))
    return acts


def _refused(node: Node) -> bool:
    return node.error is not None or (node.step is not None and node.step.admissible is False)


def _rivals(trace: Trace, index: int, acts: list[int]) -> bool:
    """Whether another action was sampled in the same state."""
    node = trace.nodes[index]
    return any(
        (other.parent, other.context) == (node.parent, node.context)
        and other.action is not None
        and node.action is not None
        and other.action.key != node.action.key
        for other in map(trace.nodes.__getitem__, acts)
    )


@dataclass(frozen=True, slots=True)
class Player:
    """Who plays the rest, how often, and within which budget. run: as the rollouts of one node are
    recorded, but for their seeds. key: hash of all that shapes a value."""

    task: Task
    strategy: Strategy
    model: Model
    judge: Judge | None
    budget: Budget
    run: Run
    rollouts: int
    key: str

    async def value(self, trace: Trace, node: int) -> StepValue | None:
        """What a node is worth; None when the world or every rollout ended in a fault, so that it is
        tried again.

        Raises DataError when the world is no longer what it was.
        """
        acts = [n for n in map(trace.nodes.__getitem__, trace.branch(node)) if n.kind == "act"]
        known = trace.nodes[node].step
        try:
            if known is None or known.done:  # whether it ends there, and how well, the world tells
                played = replay(self.task, trace.sample, [act.action for act in acts])
                if played.steps[-1].done:
                    return StepValue(trace.id, node, float(played.success), 0, 0, self.key)
            found = await rollouts(
                Begun(trace, node),
                self.task,
                self.strategy,
                self.model,
                self.judge,
                self.budget,
                [self._run(trace, node, index) for index in range(self.rollouts)],
            )
        except EnvironmentFault:
            return None
        ends = [t.finish for t in found if t.finish and t.finish.status != "task error"]
        if not ends:
            return None
        value = sum(end.score.success for end in ends) / len(ends)
        tokens = sum(t.spent.usage.total for t in found)
        return StepValue(trace.id, node, round(value, 6), len(ends), tokens, self.key)

    def _run(self, trace: Trace, node: int, index: int) -> Run:
        seed = derive_seed(self.run.seed, trace.id, node, index)
        return replace(self.run, seed=seed, data=trace.run.data)


@dataclass(frozen=True, slots=True)
class Valued:
    """valued: nodes that this call valued. known: that were valued before. failed: by faults only."""

    valued: int
    known: int
    failed: int


async def value_all(
    jobs: Iterable[tuple[Trace, int]],
    player: Player,
    path: Path,
    concurrency: int,
    heard: Callable[[StepValue], None],
) -> Valued:
    """Value nodes that the file at `path` does not hold under the same settings, so many at a time.

    Each is kept when it is found; the same call again goes on. Raises what is no fault of model or
    world.
    """
    done: set[tuple[str, int]] = set()

    def note(line: bytes) -> None:
        value = _decode(line)
        if value.key != player.key:
            raise DataError(
                f"{path}: holds values found under other settings; name another file by out=…"
            )
        done.add((value.trace, value.node))

    journal = Journal(path, SCHEMA, note)
    waiting = iter(jobs)
    counts = {"valued": 0, "known": 0, "failed": 0}

    async def work() -> None:
        for trace, node in waiting:
            if (trace.id, node) in done:
                counts["known"] += 1
                continue
            value = await player.value(trace, node)
            if value is None:
                counts["failed"] += 1
                continue
            journal.append(json.dumps(asdict(value)).encode())
            counts["valued"] += 1
            heard(value)
            await asyncio.sleep(0)  # a model that never waits would keep Ctrl-C from being heard

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        journal.close()
    return Valued(**counts)
