"""One episode: a strategy on a sample, blind to the score, then the verdict.

`Blind` is the only view of a world that a strategy gets. It charges every step, withholds the
outcome of lookahead, and has no score to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tmbr.core.errors import EnvironmentFault, ModelFault
from tmbr.core.protocols import Judge, Model, Outcome, Session, Strategy, Task, World
from tmbr.core.store import resume_key
from tmbr.core.types import (
    Action,
    Budget,
    Completion,
    Finish,
    Message,
    Run,
    Sample,
    Score,
    Status,
    Step,
    Tool,
    Trace,
)


class Blind:
    """A session as a strategy may see it."""

    __slots__ = ("__budget", "__session", "__trace", "__withheld")

    def __init__(self, session: Session, trace: Trace, budget: Budget) -> None:
        self.__session = session
        self.__trace = trace
        self.__budget = budget
        self.__withheld: Step | None = None

    @property
    def observation(self) -> str:
        return self.__session.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self.__session.tools

    def step(self, action: Action | None) -> Step:
        self.__trace.spent.steps += 1
        return self.__session.step(action)

    def look(self, action: Action) -> tuple[Blind, Step] | None:
        spent = self.__trace.spent
        limit = self.__budget.steps
        if self.__session.ends(action):
            return None
        if limit is not None and spent.steps + spent.steps_on_forks >= limit:
            return None
        spent.steps_on_forks += 1
        fork = self.fork()
        step = fork.__session.step(action)
        fork.__withheld = step
        return fork, replace(step, done=False, status=None)

    def commit(self) -> Step:
        if self.__withheld is None:
            raise RuntimeError("commit() reveals a look; this world was not looked at")
        step, self.__withheld = self.__withheld, None
        self.__trace.spent.steps_on_forks -= 1
        self.__trace.spent.steps += 1
        return step

    def fork(self) -> Blind:
        return Blind(self.__session.fork(), self.__trace, self.__budget)

    def close(self) -> None:
        self.__session.close()

    @staticmethod
    def session_of(world: World) -> Session:
        """The session behind a view: for the verdict, after the strategy has ended."""
        if not isinstance(world, Blind):
            raise TypeError("the strategy did not return a world that it was given")
        return world.__session


@dataclass(slots=True)
class BlindEpisode:
    """The one `Episode` there is; see `tmbr.core.protocols.Episode`."""

    trace: Trace
    budget: Budget
    world: Blind
    _task: Task
    _sample: Sample

    def messages(self) -> list[Message]:
        return self._task.messages(self._sample, self.world.observation)

    def parse(self, completion: Completion) -> Action:
        return self._task.parse(completion)


async def episode(
    sample: Sample,
    task: Task,
    strategy: Strategy,
    model: Model,
    judge: Judge | None,
    budget: Budget,
    run: Run,
) -> Trace:
    """Play one sample to its end. Faults of model and world end it as a recorded `task error`."""
    hidden = replace(sample, target=None)
    trace = Trace(id=resume_key(sample, run), sample=hidden, run=run)
    try:
        session = task.open(sample)
        trace.tools = tuple(session.tools)
        try:
            blind = BlindEpisode(trace, budget, Blind(session, trace, budget), task, sample)
            end = await strategy.solve(blind, model, judge, run.seed)
            try:
                trace.finish = _verdict(task, sample, trace, end)
            finally:
                end.world.close()
        finally:
            session.close()
    except (ModelFault, EnvironmentFault) as fault:
        leaf = max(len(trace.nodes) - 1, 0)
        why = f"{type(fault).__name__}: {fault}"
        trace.finish = Finish(leaf, Score(0.0, False), "task error", error=why)
    trace.sample = sample
    return trace


def _verdict(task: Task, sample: Sample, trace: Trace, end: Outcome) -> Finish:
    steps = [node.step for node in map(trace.nodes.__getitem__, trace.branch(end.leaf)) if node.step]
    status: Status = (steps[-1].status if steps else None) or "task limit reached"
    score = task.score(sample, Blind.session_of(end.world), steps)
    return Finish(end.leaf, score, status, end.stop)
