"""The growing tree of one episode: what every strategy does with it.

It keeps the conversation of each node, asks the model, charges what was asked, and appends nodes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from tmbr.core.conversation import heard, saying
from tmbr.core.errors import ActionError
from tmbr.core.protocols import Episode, Judge, Model, World
from tmbr.core.trace import Judgement, Node, NodeKind, Trace, answer
from tmbr.core.types import (
    Action,
    Completion,
    Context,
    Message,
    Sampling,
    Step,
    Tool,
    Usage,
    derive_seed,
)
from tmbr.reasoning.prompts import prompt

#: One answer, the likeliest; and several that differ.
GREEDY = Sampling()
VARIED = Sampling(temperature=0.7)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sampled answer: an action, or why there is none."""

    completion: Completion
    action: Action | None
    error: str | None = None


@dataclass(slots=True)
class Part:
    """A stretch of an episode that has an end of its own: one subtask.

    start: the node that it goes on from, in `world`. prompt: its conversation; None goes on with the
    one that `start` ends, in which `note` is said. limit: turns. finished: asked after every turn.
    """

    start: int
    world: World
    prompt: list[Message] | None
    limit: int | None
    finished: Callable[[int], Awaitable[bool]]
    note: str = ""
    turns: int = 0
    complete: bool = False


@dataclass(slots=True)
class Tree:
    """A trace under construction. contexts: the conversation after each node and its answer.

    part: what of the episode this tree is grown for; None is all of it.
    """

    episode: Episode
    model: Model
    seed: int
    contexts: list[Context] = field(default_factory=list)
    part: Part | None = None

    def __post_init__(self) -> None:
        """Hear what is told before the first node of one's own, where the episode goes on from one."""
        for node in self.trace.nodes[len(self.contexts) :]:
            before = None if node.context is None else self.contexts[node.context]
            self.contexts.append(heard(before, node))

    @property
    def trace(self) -> Trace:
        return self.episode.trace

    @property
    def world(self) -> World:
        """Where the tree begins."""
        return self.part.world if self.part else self.episode.world

    def plant(self, note: str = "") -> int:
        """Append the prompt as root nodes and return the last; `note` ends its last message.

        What goes on from a node, an episode or a part of one, has its prompt: only `note` is said.
        """
        part = self.part
        said = "\n".join(filter(None, (part.note if part else "", note)))
        start = part.start if part else self.episode.start
        if start is not None and (part is None or part.prompt is None):
            if part is None and self.trace.nodes[start].kind not in ("root", "act"):
                said = said or prompt("go_on")  # a plan or a reflection does not ask for an action
            return self.tell(start, said, "plan") if said else start
        messages = list(part.prompt) if part and part.prompt else self.episode.messages()
        if said:
            last = messages[-1]
            messages[-1] = Message(last.role, f"{last.content}\n{said}")
        at: int | None = None
        for message in messages:
            context = Context(message, self.contexts[at] if at is not None else None)
            at = self._add(Node(start if at is None else at, at, "root", message), context)
        assert at is not None, "a task has at least one message"
        return at

    def spent(self) -> str | None:
        """The limit of the budget or of the part that is reached, or None."""
        if self.part and self.part.limit is not None and self.part.turns >= self.part.limit:
            return "part limit"
        return self.episode.spent()

    def longest(self, path_steps: int | None) -> int:
        """Turns after which a path is given up, by a setting, and before the world's rules end it."""
        most = self.episode.rounds - 1
        return most if path_steps is None else min(path_steps, most)

    @property
    def steps_left(self) -> bool:
        """Whether the budget has a step of the world left."""
        spent, limit = self.trace.spent, self.episode.budget.steps
        return limit is None or spent.steps + spent.steps_on_forks < limit

    async def over(self, at: int, step: Step) -> bool:
        """After a turn: whether the world has ended the episode, or this part of it is complete."""
        if step.done or self.part is None:
            return step.done
        self.part.turns += 1
        self.part.complete = await self.part.finished(at)
        return self.part.complete

    async def ask(self, at: int, n: int, sampling: Sampling) -> list[Candidate]:
        """Sample `n` answers to the conversation that ends at a node."""
        tools = self.episode.world.tools
        if sampling.constrain:
            grammar = self.episode.grammar(sampling.constrain, self._last_told(at))
            sampling = replace(sampling, grammar=grammar)
        return [self._parsed(made) for made in await self._complete(at, n, sampling, tools)]

    async def _complete(
        self, at: int, n: int, sampling: Sampling, tools: Sequence[Tool]
    ) -> list[Completion]:
        seed = derive_seed(self.seed, self.trace.sample.id, at, self.trace.spent.calls)
        found = await self.model.complete(self.contexts[at], tools, n, sampling, seed)
        self.trace.spent.calls += 1
        for completion in found:
            self.trace.spent.usage += completion.usage
        return found

    def _last_told(self, at: int) -> str | None:
        """What the world answered last on the way to a node; None before its first answer."""
        steps = (self.trace.nodes[index].step for index in reversed(self.trace.branch(at)))
        return next((step.observation for step in steps if step is not None), None)

    def charge(self, usage: Usage) -> None:
        """Pay for what was asked of a judge; one that costs nothing was not called."""
        self.trace.spent.usage += usage
        self.trace.spent.calls += usage.total > 0

    def _parsed(self, completion: Completion) -> Candidate:
        try:
            return Candidate(completion, self.episode.parse(completion))
        except ActionError as error:
            cut = completion.finish_reason == "context"
            return Candidate(completion, None, "no room" if cut else error.why)

    def tell(self, at: int, words: str, kind: NodeKind) -> int:
        """Append what is said to the model after a node; return its node."""
        message = Message("user", words)
        return self._add(Node(at, at, kind, message), saying(self.contexts[at], words))

    async def say(self, at: int, words: str, kind: NodeKind, sampling: Sampling = GREEDY) -> int:
        """Put a question to the model after a node; return the node of its answer, no action."""
        asked = self.tell(at, words, kind)
        (completion,) = await self._complete(asked, 1, sampling, ())
        message = Message("assistant", completion.text)
        node = Node(asked, asked, kind, message, sampled=True, completion=completion)
        return self._add(node, self.contexts[asked].then(message, completion.token_ids or None))

    def grow(
        self,
        parent: int,
        candidate: Candidate,
        step: Step | None,
        error: str | None = None,
        kind: NodeKind = "act",
    ) -> int:
        """Append a candidate under `parent` with the world's answer, if it was executed."""
        completion = candidate.completion
        node = Node(
            parent=parent,
            context=parent,
            kind=kind,
            message=completion.message(),
            sampled=True,
            action=candidate.action,
            error=error or candidate.error,
            step=step,
            completion=completion,
        )
        context = self.contexts[parent].then(node.message, completion.token_ids or None)
        told = answer(node)
        return self._add(node, context.then(told) if told else context)

    def _add(self, node: Node, context: Context) -> int:
        self.contexts.append(context)
        return self.trace.add(node)

    def act(self, parent: int, candidate: Candidate, world: World) -> tuple[int, Step]:
        """Append a candidate and execute it for good."""
        index = self.grow(parent, candidate, None)
        return index, self.execute(index, world)

    def execute(self, index: int, world: World) -> Step:
        """Execute a node's action for good. One that ran out of context ends the episode."""
        node = self.trace.nodes[index]
        if node.out_of_room:
            step = Step("", done=True, status="agent context limit")
        else:
            step = world.step(node.action)
        self.answer(index, step)
        return step

    def answer(self, index: int, step: Step) -> None:
        """Put the world's answer into a node that was added before it was executed or revealed."""
        node = replace(self.trace.nodes[index], step=step)
        self.trace.nodes[index] = node
        told = answer(node)
        said = self.contexts[index] if self.contexts[index].message is node.message else None
        if said is not None and told is not None:
            self.contexts[index] = said.then(told)

    async def judged(self, judge: Judge, nodes: Sequence[int]) -> list[Judgement]:
        """Ask the judge, record what it says, charge what it costs."""
        found = await judge.judge(self.trace, nodes)
        for judgement in found:
            self.charge(judgement.usage)
        self.trace.judgements += found
        return found
