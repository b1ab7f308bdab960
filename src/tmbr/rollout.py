"""One episode: a strategy on a sample, blind to the score, then the verdict.

`Blind` is the only view of a world that a strategy gets. It charges every step, withholds the
outcome of lookahead, takes nothing back once a world has ended, and has no score to read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tmbr.begun import Begun
from tmbr.core.constraints import constrained
from tmbr.core.errors import EnvironmentFault, ModelFault
from tmbr.core.grammar import Constraint, Grammar
from tmbr.core.protocols import Judge, Model, Outcome, Session, Strategy, Task, World
from tmbr.core.store import resume_key
from tmbr.core.trace import Budget, Finish, Node, Run, Spent, Trace
from tmbr.core.types import Action, Completion, Message, Sample, Score, Status, Step, Tool


@dataclass(slots=True)
class _Ledger:
    """What all worlds of an episode share: what was spent of which budget, and where it ended.

    live: the sessions that are not closed yet, by identity.
    """

    spent: Spent
    budget: Budget
    end: Blind | None = None
    live: dict[int, Session] = field(default_factory=dict)

    def close(self) -> None:
        """Close what the strategy left open: at the end, and when a fault stops it anywhere."""
        while self.live:
            self.live.popitem()[1].close()


class Blind:
    """A session as a strategy may see it.

    A world that was only looked at has to be committed before anything else is done in it: how it goes
    on would tell whether it has ended. Raises RuntimeError for that, and for acting after the end.
    """

    __slots__ = ("__ledger", "__session", "__withheld")

    def __init__(self, session: Session, ledger: _Ledger, withheld: Step | None = None) -> None:
        self.__session = session
        self.__ledger = ledger
        self.__withheld = withheld
        ledger.live[id(session)] = session

    @property
    def observation(self) -> str:
        return self.__session.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self.__session.tools

    def step(self, action: Action | None) -> Step:
        self.__check(looked=False)
        self.__ledger.spent.steps += 1
        return self.__told(self.__session.step(action))

    def look(self, action: Action) -> tuple[Blind, Step] | None:
        self.__check(looked=False)
        spent, limit = self.__ledger.spent, self.__ledger.budget.steps
        if self.__session.ends(action):
            return None
        if limit is not None and spent.steps + spent.steps_on_forks >= limit:
            return None
        spent.steps_on_forks += 1
        fork = self.fork()
        fork.__withheld = step = fork.__session.step(action)
        return fork, replace(step, done=False, status=None)

    def commit(self) -> Step:
        self.__check(looked=True)
        step, self.__withheld = self.__withheld, None
        assert step is not None
        self.__ledger.spent.steps_on_forks -= 1
        self.__ledger.spent.steps += 1
        return self.__told(step)

    def fork(self) -> Blind:
        return Blind(self.__session.fork(), self.__ledger, self.__withheld)

    def close(self) -> None:
        if self.__ledger.live.pop(id(self.__session), None) is not None:
            self.__session.close()

    def __check(self, looked: bool) -> None:
        if self.__ledger.end is not None:
            raise RuntimeError("the episode has ended, and nothing is taken back")
        if looked and self.__withheld is None:
            raise RuntimeError("commit() reveals a look; this world was not looked at")
        if not looked and self.__withheld is not None:
            raise RuntimeError("this world was only looked at; commit() it first")

    def __told(self, step: Step) -> Step:
        if step.done:
            self.__ledger.end = self
        return step

    @staticmethod
    def session_of(world: World) -> Session:
        """The session behind a view: for the verdict, after the strategy has ended."""
        if not isinstance(world, Blind):
            raise TypeError("the strategy did not return a world that it was given")
        if world.__ledger.end not in (None, world):
            raise RuntimeError("the episode ended in another world than the one returned")
        return world.__session


@dataclass(slots=True)
class BlindEpisode:
    """The one `Episode` there is; see `tmbr.core.protocols.Episode`."""

    trace: Trace
    budget: Budget
    world: Blind
    start: int | None
    _task: Task
    _prompt: Sequence[Message]
    _opening: str
    _began: float = field(default_factory=time.monotonic)

    @property
    def rounds(self) -> int:
        return self._task.rounds

    def spent(self) -> str | None:
        return self.budget.spent_by(self.trace.spent, time.monotonic() - self._began)

    def messages(self) -> list[Message]:
        return list(self._prompt)

    def parse(self, completion: Completion) -> Action:
        return self._task.parse(completion)

    def grammar(self, constraint: Constraint, observation: str | None) -> Grammar:
        told = self._opening if observation is None else observation
        return constrained(self._task, constraint).grammar(constraint, told)


async def episode(
    sample: Sample,
    task: Task,
    strategy: Strategy,
    model: Model,
    judge: Judge | None,
    budget: Budget,
    run: Run,
    begun: Begun | None = None,
) -> Trace:
    """Play one sample to its end. Faults of model and world end it as a recorded `task error`.

    begun: where to go on from; raises DataError when the world is no longer what it was there.
    """
    trace = _begun_trace(sample, run, begun.nodes() if begun else [])
    try:
        session = task.open(sample)
        trace.tools = tuple(session.tools)
        try:
            opened = _Opened.begin(sample, task, session, trace, begun)
        except BaseException:
            session.close()
            raise
        await opened.solve(trace, session, strategy, model, judge, budget)
    except (ModelFault, EnvironmentFault) as fault:
        _faulted(trace, sample, fault)
    trace.sample = sample
    return trace


async def rollouts(
    begun: Begun,
    task: Task,
    strategy: Strategy,
    model: Model,
    judge: Judge | None,
    budget: Budget,
    runs: Sequence[Run],
) -> list[Trace]:
    """An episode for each run, all going on from one node of a trace: its world is opened and its
    branch replayed once, then forked. Faults and errors: as `episode`."""
    sample = begun.trace.sample
    first = _begun_trace(sample, runs[0], begun.nodes())
    session = task.open(sample)
    try:
        opened = _Opened.begin(sample, task, session, first, begun)
        traces = [_begun_trace(sample, run, first.nodes) for run in runs]

        async def play(trace: Trace) -> None:
            fork = session.fork()
            trace.tools = tuple(fork.tools)
            try:
                await opened.solve(trace, fork, strategy, model, judge, budget)
            except (ModelFault, EnvironmentFault) as fault:
                _faulted(trace, sample, fault)
            trace.sample = sample

        await asyncio.gather(*map(play, traces))
        return traces
    finally:
        session.close()


def _begun_trace(sample: Sample, run: Run, nodes: Sequence[Node]) -> Trace:
    """A trace that tells a strategy nothing of how its world was made, or what would be right."""
    hidden = replace(sample, setup={}, target=None)
    return Trace(id=resume_key(sample, run), sample=hidden, run=run, nodes=list(nodes))


@dataclass(frozen=True, slots=True)
class _Opened:
    """An episode that can begin. opening: what the world said first. start: the node to go on from."""

    sample: Sample
    task: Task
    prompt: Sequence[Message]
    opening: str
    start: int | None

    @classmethod
    def begin(
        cls, sample: Sample, task: Task, session: Session, trace: Trace, begun: Begun | None
    ) -> _Opened:
        opening = session.observation
        prompt = task.messages(sample, opening)
        start = begun.replay(trace, prompt, session) if begun else None
        return cls(sample, task, prompt, opening, start)

    async def solve(
        self,
        trace: Trace,
        session: Session,
        strategy: Strategy,
        model: Model,
        judge: Judge | None,
        budget: Budget,
    ) -> None:
        """Let the strategy go on in an open world, which is closed at the end, and give the verdict."""
        ledger = _Ledger(trace.spent, budget)
        try:
            world = Blind(session, ledger)
            blind = BlindEpisode(trace, budget, world, self.start, self.task, self.prompt, self.opening)
            end = await strategy.solve(blind, model, judge, trace.run.seed)
            trace.finish = _verdict(self.task, self.sample, trace, end)
        finally:
            ledger.close()


def _faulted(trace: Trace, sample: Sample, fault: Exception) -> None:
    if not trace.nodes:  # the world did not open: what was asked is all there is
        trace.add(Node(None, None, "root", Message("user", sample.instruction)))
    why = f"{type(fault).__name__}: {fault}"
    trace.finish = Finish(len(trace.nodes) - 1, Score(0.0, False), "task error", error=why)


def _verdict(task: Task, sample: Sample, trace: Trace, end: Outcome) -> Finish:
    steps = [node.step for node in map(trace.nodes.__getitem__, trace.branch(end.leaf)) if node.step]
    status: Status = (steps[-1].status if steps else None) or "task limit reached"
    score = task.score(sample, Blind.session_of(end.world), steps)
    return Finish(end.leaf, score, status, end.stop)
