"""Who may be asked for what. Implementers do not inherit; they only have the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Protocol

from tmbr.core.grammar import Constraint, Grammar
from tmbr.core.trace import Budget, Judgement, Trace
from tmbr.core.types import (
    Access,
    Action,
    Completion,
    Context,
    Message,
    Rewarded,
    Sample,
    Sampling,
    Score,
    Scored,
    Step,
    Tool,
    Usage,
)


class Session(Protocol):
    """One live world, owned by one strategy; synchronous.

    Fork contract: after a fork, equal actions give equal steps and scores; neither side disturbs the
    other; forks of forks work; closing one leaves the other alive.
    """

    @property
    def observation(self) -> str: ...

    @property
    def tools(self) -> Sequence[Tool]: ...

    def step(self, action: Action | None) -> Step:
        """Execute an action; None is a turn from which no action could be read.

        A bad action is an observation, never an exception. Raises EnvironmentFault when the world
        itself breaks.
        """
        ...

    def ends(self, action: Action) -> bool:
        """Whether this action ends the episode whatever the state: such a one is never looked at."""
        ...

    def fork(self) -> Session: ...

    def state_key(self) -> str:
        """The simulator's own state: for tests and rows marked `privileged`."""
        ...

    def close(self) -> None: ...


class Task(Protocol):
    """What is asked in a world, and how it is scored."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Changes when prompt, rules or world change: part of every episode's resume key."""
        ...

    @property
    def rounds(self) -> int:
        """Turns that the world's rules allow an episode; a branch that takes them all has failed."""
        ...

    def samples(self, split: str) -> Sequence[Sample]: ...

    def open(self, sample: Sample) -> Session: ...

    def messages(self, sample: Sample, observation: str) -> list[Message]: ...

    def parse(self, completion: Completion) -> Action:
        """Raises ActionError when no action can be read."""
        ...

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score: ...


class Constrainable(Task, Protocol):
    """A task that says which turns it can read, for a model that is to write no other."""

    @property
    def constraints(self) -> Sequence[Constraint]: ...

    def grammar(self, constraint: Constraint, observation: str) -> Grammar:
        """observation: what the world last told the agent, the one place for what is admissible."""
        ...


class Taught(Task, Protocol):
    """A task that brings its teachers. What they say follows from the conversation alone, except for
    the walkthrough, which knows the sample's solution."""

    #: Names of data that the task can take its samples from; `generated` is always there.
    sources: ClassVar[tuple[str, ...]]

    def expert(self, messages: Sequence[Message]) -> Message: ...

    def mistake(self, messages: Sequence[Message], rng: Random) -> Message:
        """A wrong turn that the world nearly always admits and that ends nothing."""
        ...

    def slip(self, messages: Sequence[Message], rng: Random) -> Message:
        """An error as a learner makes it, often refused."""
        ...

    def walkthrough(self, sample: Sample) -> list[Message]: ...


class Model(Protocol):
    """Who answers."""

    @property
    def name(self) -> str: ...

    @property
    def context_limit(self) -> int: ...

    @property
    def weights_version(self) -> str: ...

    async def complete(
        self, context: Context, tools: Sequence[Tool], n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        """Under `sampling.grammar` an answer is one of its turns, unless it was cut, or is a server's
        that takes no grammar. Raises ModelFault when no answer can be had."""
        ...

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        """How likely each continuation is. Raises ModelFault when that cannot be had."""
        ...

    def count(self, context: Context) -> int: ...

    async def aclose(self) -> None: ...


class RewardModel(Protocol):
    """A trained head that values conversations; see `tmbr tune reward`."""

    @property
    def name(self) -> str: ...

    @property
    def outcomes(self) -> bool:
        """Whether it was trained to see what the world said to the last answer."""
        ...

    async def rewards(
        self, conversations: Sequence[Sequence[Message]], tools: Sequence[Tool]
    ) -> list[Rewarded]:
        """One for each. Raises ModelFault when they cannot be read."""
        ...


class Payment(Protocol):
    """What was set aside for one request."""

    def settle(self, usage: Usage | None) -> None:
        """Pay what was used; None where nobody knows, and all that was set aside is taken as spent."""
        ...


class Purse(Protocol):
    """Who pays for a model's requests."""

    async def reserve(self, model: str, most: Usage) -> Payment:
        """Set aside what a request may cost at worst. Raises where that would pass the limit."""
        ...


class Judge(Protocol):
    """How promising is the branch that ends at each of these nodes? Values in [0, 1]."""

    @property
    def name(self) -> str: ...

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]: ...


class World(Protocol):
    """What a strategy may see of a session: see `tmbr.rollout.Blind`, which is the only one."""

    @property
    def observation(self) -> str: ...

    @property
    def tools(self) -> Sequence[Tool]: ...

    def step(self, action: Action | None) -> Step:
        """Commit an action here."""
        ...

    def look(self, action: Action) -> tuple[World, Step] | None:
        """Try an action on a fork; the outcome (`done`, `status`) is withheld until `commit`, before
        which nothing more can be done there.

        None when the action ends the episode by itself, or the budget has no step left.
        """
        ...

    def commit(self) -> Step:
        """Reveal what `look` withheld: this fork is now where the agent is."""
        ...

    def fork(self) -> World: ...

    def close(self) -> None: ...


class Episode(Protocol):
    """All that a strategy is given: no score, no target, no setup, no raw session."""

    @property
    def trace(self) -> Trace: ...

    @property
    def budget(self) -> Budget: ...

    @property
    def rounds(self) -> int:
        """As `Task.rounds`: the rules of a world are no secret."""
        ...

    @property
    def world(self) -> World: ...

    @property
    def start(self) -> int | None:
        """The node of `trace` from which it goes on, in `world`; None begins with the prompt."""
        ...

    def spent(self) -> str | None:
        """The limit of the budget that is reached, or None."""
        ...

    def messages(self) -> list[Message]:
        """The prompt, as it was when the world was opened."""
        ...

    def parse(self, completion: Completion) -> Action: ...

    def grammar(self, constraint: Constraint, observation: str | None) -> Grammar:
        """As `Constrainable.grammar`; None is the world's first observation. Raises ConfigError."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a strategy ended: the leaf to commit, the world there (it and all others that are still open
    are closed by the caller), and, where it was not the world that ended the episode, why it stopped.
    """

    leaf: int
    world: World
    stop: str | None = None


class Strategy(Protocol):
    """Turns an episode and a model into a tree with a committed leaf."""

    @property
    def name(self) -> str: ...

    @property
    def access(self) -> Access: ...

    async def solve(self, episode: Episode, model: Model, judge: Judge | None, seed: int) -> Outcome:
        """Grow `episode.trace` and say which leaf counts."""
        ...
