"""The fork contract of DESIGN, tried on any task: what `tmbr task check` runs.

Random walks are made of what the task's teachers say, of random calls of its tools, and of turns
without an action; each is repeated on forks and compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tmbr.core.errors import ActionError, DataError, EnvironmentFault
from tmbr.core.protocols import Session, Task
from tmbr.core.types import Action, Completion, Message, Sample, Step, derive_seed

STEPS = 6
_WORD = re.compile(r"\w+")
Walk = list[tuple[Action | None, Step]]


class Broken(Exception):
    """The contract does not hold; says where."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One clause of the contract; why: the first walk that broke it, or None when none did."""

    clause: str
    why: str | None


@dataclass(slots=True)
class Walker:
    """Walks a world by chance, and keeps the conversation that its teachers must hear."""

    task: Any
    sample: Sample
    rng: Random
    messages: list[Message] = field(default_factory=list)

    def go(self, session: Session, steps: int = STEPS) -> Walk:
        walk: Walk = []
        for _ in range(steps):
            said, action = self._next(session)
            step = session.step(action)
            walk.append((action, step))
            self.messages += [said, Message("tool" if said.tool_calls else "user", step.observation)]
            if step.done:
                break
        return walk

    def _next(self, session: Session) -> tuple[Message, Action | None]:
        """A teacher's turn, a random call, or a turn without an action."""
        teachers = [name for name in ("expert", "mistake", "slip") if hasattr(self.task, name)]
        chance = self.rng.random()
        if teachers and chance < 0.6:
            said = self._taught(self.rng.choice(teachers))
            try:
                return said, self.task.parse(Completion(said.content, said.tool_calls))
            except ActionError:
                return said, None
        if session.tools and chance < 0.9:
            words = [*_WORD.findall(session.observation), "1", "#0"]
            return Message("assistant", "by chance"), _call(self.rng, session.tools, words)
        return Message("assistant", "nothing"), None

    def _taught(self, teacher: str) -> Message:
        rest = () if teacher == "expert" else (self.rng,)
        said: Message = getattr(self.task, teacher)(self.messages, *rest)
        return said


def check(task: Task, split: str, walks: int = 20, seed: int = 0) -> Iterator[Finding]:
    """Try each clause on so many walks through the first samples of a split. Raises DataError where it
    has none."""
    samples = task.samples(split)[:walks]
    if not samples:
        raise DataError(f"{task.name}: no samples in the split {split!r}")
    for clause, holds in CLAUSES.items():
        why = None
        for number in range(walks):
            sample = samples[number % len(samples)]
            try:
                holds(task, sample, Random(derive_seed(seed, clause, number)))
            except (Broken, EnvironmentFault) as error:
                why = f"sample {sample.id}: {error}"
            except Exception as error:  # whatever a user's world raises is what the user must hear
                why = f"sample {sample.id}: {type(error).__name__}: {error}"
            if why:
                break
        yield Finding(clause, why)


def _walker(task: Task, sample: Sample, session: Session, rng: Random) -> Walker:
    return Walker(task, sample, rng, list(task.messages(sample, session.observation)))


def _same(session: Session, walk: Walk) -> None:
    """Repeat a walk. Raises Broken where an answer is another."""
    for number, (action, before) in enumerate(walk, 1):
        step = session.step(action)
        if step != before:
            raise Broken(
                f"action {number} of {_told(walk)} was answered {step.observation!r}, and"
                f" {before.observation!r} before"
            )


def _equal_openings(task: Task, sample: Sample, rng: Random) -> None:
    first, second = task.open(sample), task.open(sample)
    if first.observation != second.observation:
        raise Broken("two openings show different first observations")
    _same(second, _walker(task, sample, first, rng).go(first))
    first.close()
    second.close()


def _equal_after_fork(task: Task, sample: Sample, rng: Random) -> None:
    origin = task.open(sample)
    walker = _walker(task, sample, origin, rng)
    before = walker.go(origin, rng.randrange(STEPS))
    if before and before[-1][1].done:
        return
    left, right = origin.fork(), origin.fork().fork()
    walk = walker.go(left)
    _same(right, walk)
    _same(origin, walk)
    scores = [task.score(sample, side, [step for _, step in walk]) for side in (left, right, origin)]
    if scores.count(scores[0]) < len(scores):
        raise Broken(f"after {_told(walk)} forks and origin have the scores {scores}")
    for side in (left, right, origin):
        side.close()


def _undisturbed(task: Task, sample: Sample, rng: Random) -> None:
    """A fork that goes its own way leaves the origin as it was, and the other way round."""
    origin, twin = task.open(sample), task.open(sample)
    fork, late = origin.fork(), origin.fork()
    _walker(task, sample, twin, Random(rng.random())).go(fork)
    walk = _walker(task, sample, twin, rng).go(twin)
    _same(origin, walk)
    _same(late, walk)
    for side in (origin, twin, fork, late):
        side.close()


def _close_alone(task: Task, sample: Sample, rng: Random) -> None:
    origin, twin = task.open(sample), task.open(sample)
    forks = [origin.fork() for _ in range(3)]
    walk = _walker(task, sample, twin, rng).go(twin)
    forks[0].close()
    _same(forks[1], walk)
    origin.close()
    _same(forks[2], walk)
    for side in (*forks[1:], twin):
        side.close()


def _ends(task: Task, sample: Sample, rng: Random) -> None:
    session = task.open(sample)
    walker = _walker(task, sample, session, rng)
    for _ in range(STEPS):
        _, action = walker._next(session)
        if action is not None and session.ends(action):
            if not session.fork().step(action).done:
                raise Broken(f"ends({_name(action)}) is true, and the episode goes on after it")
        elif session.step(action).done:
            break
    session.close()


Clause = Callable[[Task, Sample, Random], None]
CLAUSES: Mapping[str, Clause] = {
    "equal openings are equal worlds": _equal_openings,
    "equal actions after a fork give equal steps and scores": _equal_after_fork,
    "neither side of a fork disturbs the other": _undisturbed,
    "closing one leaves the others alive": _close_alone,
    "what ends an episode by itself ends it": _ends,
}


def _call(rng: Random, tools: Sequence[Mapping[str, Any]], words: Sequence[str]) -> Action:
    """A call of some tool; its arguments are words that the world has just used."""
    told = rng.choice(tools)["function"]
    arguments = {}
    for key, schema in told.get("parameters", {}).get("properties", {}).items():
        word = str(rng.choice(schema.get("enum", words)))
        arguments[key] = word if schema.get("type", "string") == "string" else json.dumps([word])
    return Action(told["name"], arguments)


def _told(walk: Walk) -> str:
    return "[" + ", ".join(_name(action) for action, _ in walk) + "]"


def _name(action: Action | None) -> str:
    if action is None:
        return "no action"
    return " ".join([action.name, *action.arguments.values()])
