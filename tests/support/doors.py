"""The smallest task that is one: rooms with numbered doors, and only one way leads out.

Doors `a` and `b` are in every room; any other is inadmissible. A wrong door leads deeper into the
house and can only be undone by going back in time. `leave` ends the episode wherever the agent is.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tmbr.core.errors import ActionError, ModelFault
from tmbr.core.protocols import Episode, Judge, Model, Outcome, Session
from tmbr.core.trace import Budget, Node, Run, answer
from tmbr.core.types import (
    Access,
    Action,
    Completion,
    Context,
    Message,
    Sample,
    Sampling,
    Score,
    Scored,
    Status,
    Step,
    Tool,
    Usage,
    derive_seed,
)
from tmbr.runner import Job

LIMIT = 8
OPEN: Tool = {
    "type": "function",
    "function": {
        "name": "open",
        "description": "Open a door.",
        "parameters": {
            "type": "object",
            "properties": {"door": {"type": "string"}},
            "required": ["door"],
        },
    },
}
LEAVE: Tool = {
    "type": "function",
    "function": {"name": "leave", "description": "Give up here.", "parameters": {"type": "object"}},
}


@dataclass(slots=True)
class DoorsSession:
    """At `path` on the way out, which is `way`."""

    way: str
    path: str = ""
    steps: int = 0
    left: bool = False
    closed: bool = False

    @property
    def observation(self) -> str:
        return f"Behind you: {self.path or 'the hall'}. Doors: a, b."

    @property
    def tools(self) -> Sequence[Tool]:
        return [OPEN, LEAVE]

    def step(self, action: Action | None) -> Step:
        if self.closed:
            raise RuntimeError("this world was closed")
        self.steps += 1
        if action is None:
            return self._answer("Say `open a`, `open b` or `leave`.", None)
        if action.name == "leave":
            self.left = True
            return self._answer("You leave.", True)
        door = action.arguments.get("door", "")
        if door not in ("a", "b"):
            return self._answer("There is no such door.", False)
        self.path += door
        return self._answer(self.observation, True)

    def _answer(self, observation: str, admissible: bool | None) -> Step:
        over = self.left or self.path == self.way
        status: Status | None = (
            "completed" if over else "task limit reached" if self.steps >= LIMIT else None
        )
        return Step(observation, status is not None, status, admissible)

    def ends(self, action: Action) -> bool:
        return action.name == "leave"

    def fork(self) -> Session:
        return DoorsSession(self.way, self.path, self.steps, self.left)

    def state_key(self) -> str:
        return f"{self.path}{'!' if self.left else ''}"

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True, slots=True)
class DoorsTask:
    """Samples `0` … `count - 1`, each with its own way of two to four doors."""

    count: int = 8
    name: str = "doors"
    version: str = "1"
    rounds: int = LIMIT

    def samples(self, split: str) -> Sequence[Sample]:
        return [self._sample(split, index) for index in range(self.count)]

    def _sample(self, split: str, index: int) -> Sample:
        rng = random.Random(derive_seed(split, index))
        way = "".join(rng.choice("ab") for _ in range(rng.randint(2, 4)))
        return Sample(str(index), self.name, split, "Find the way out.", {"way": way}, way)

    def open(self, sample: Sample) -> Session:
        return DoorsSession(sample.setup["way"])

    def messages(self, sample: Sample, observation: str) -> list[Message]:
        return [Message("user", f"{sample.instruction} {observation}")]

    def parse(self, completion: Completion) -> Action:
        found = re.search(r"open (\w+)|leave", completion.text)
        if not found:
            raise ActionError("malformed", "neither `open` nor `leave`")
        if found[0] == "leave":
            return Action("leave", {}, completion.text)
        return Action("open", {"door": found[1]}, completion.text)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:
        out = session.state_key() == sample.target
        return Score(float(out), out, {"steps": len(branch)})


@dataclass(slots=True)
class Wanderer:
    """A model that opens doors by chance, now and then one that is not there or none at all.

    delay: seconds a completion takes. fails: how many of the first completions raise ModelFault.
    """

    name: str = "wanderer"
    delay: float = 0.0
    fails: int = 0
    context_limit: int = 10_000
    weights_version: str = "1"
    asked: int = field(default=0, init=False)

    async def complete(
        self,
        context: Context,
        tools: Sequence[Tool],  # noqa: ARG002
        n: int,
        sampling: Sampling,  # noqa: ARG002
        seed: int,
    ) -> list[Completion]:
        await asyncio.sleep(self.delay)
        self.asked += 1
        if self.asked <= self.fails:
            raise ModelFault("the endpoint is down; start it")
        said = [message.content for message in context.messages()]
        prompt = sum(map(len, said))
        words = ["open a", "open b", "open a", "open b", "open c", "hm"]
        texts = [random.Random(derive_seed(seed, index, said)).choice(words) for index in range(n)]
        return [Completion(text, usage=Usage(prompt, len(text), prompt // 2)) for text in texts]

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        """As likely as a short text is; what was asked is charged."""
        usage = Usage(self.count(context), len(continuations))
        return Scored(tuple(-float(len(text)) for text in continuations), usage)

    def count(self, context: Context) -> int:
        return sum(len(message.content) for message in context.messages())

    async def aclose(self) -> None:
        pass


@dataclass(slots=True)
class Walk:
    """The plainest strategy: one path, one completion a step, until the world or the budget ends it."""

    name: str = "walk"
    access: Access = "none"

    async def solve(
        self,
        episode: Episode,
        model: Model,
        judge: Judge | None,  # noqa: ARG002
        seed: int,
    ) -> Outcome:
        trace, world = episode.trace, episode.world
        at: int | None = None
        context: Context | None = None
        for message in episode.messages():
            at = trace.add(Node(at, at, "root", message))
            context = Context(message, context)
        assert at is not None
        assert context is not None
        while (stop := episode.spent()) is None:
            drawn = derive_seed(seed, trace.sample.id, len(trace.nodes), 0)
            completion = (await model.complete(context, world.tools, 1, Sampling(1.0), drawn))[0]
            trace.spent.calls += 1
            trace.spent.usage += completion.usage
            action, error = None, None
            try:
                action = episode.parse(completion)
            except ActionError as bad:
                error = bad.why
            step = world.step(action)
            node = Node(at, at, "act", completion.message(), True, action, error, step, completion)
            at = trace.add(node)
            heard = answer(node)
            assert heard is not None
            context = context.then(completion.message()).then(heard)
            if step.done:
                break
        return Outcome(at, world, stop)


def doors_jobs(
    model: Model | None = None, count: int = 8, seeds: Sequence[int] = (0,), steps: int | None = None
) -> list[Job]:
    """`Walk` over the first `count` samples; equal arguments give equal jobs."""
    task, model, walk = DoorsTask(count), model or Wanderer(), Walk()
    return [
        Job(
            sample,
            task,
            walk,
            model,
            None,
            Budget(steps=steps),
            Run("", task.name, model.name, walk.name, walk.access, seed, None, task.version),
        )
        for seed in seeds
        for sample in task.samples("test")
    ]
