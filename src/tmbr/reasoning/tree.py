"""The growing tree of one episode: what every strategy does with it.

It keeps the conversation of each node, asks the model, charges what was asked, and appends nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tmbr.core.errors import ActionError
from tmbr.core.protocols import Episode, Judge, Model, World
from tmbr.core.types import (
    Action,
    Completion,
    Context,
    Judgement,
    Message,
    Node,
    NodeKind,
    Sampling,
    Step,
    Trace,
    answer,
    derive_seed,
)

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
class Tree:
    """A trace under construction. contexts: the conversation after each node and its answer."""

    episode: Episode
    model: Model
    seed: int
    contexts: list[Context] = field(default_factory=list)

    @property
    def trace(self) -> Trace:
        return self.episode.trace

    def plant(self, note: str = "") -> int:
        """Append the prompt as root nodes and return the last; `note` ends its last message."""
        messages = self.episode.messages()
        if note:
            last = messages[-1]
            messages[-1] = Message(last.role, f"{last.content}\n{note}")
        at: int | None = None
        for message in messages:
            before = self.contexts[at] if at is not None else None
            at = self.trace.add(Node(at, at, "root", message))
            self.contexts.append(Context(message, before))
        assert at is not None, "a task has at least one message"
        return at

    def spent(self) -> str | None:
        """The limit of the budget that is reached, or None."""
        return self.episode.budget.spent_by(self.trace.spent)

    async def ask(self, at: int, n: int, sampling: Sampling) -> list[Candidate]:
        """Sample `n` answers to the conversation that ends at a node."""
        seed = derive_seed(self.seed, self.trace.sample.id, at, self.trace.spent.calls)
        found = await self.model.complete(
            self.contexts[at], self.episode.world.tools, n, sampling, seed
        )
        self.trace.spent.calls += 1
        for completion in found:
            self.trace.spent.usage += completion.usage
        return [self._parsed(completion) for completion in found]

    def _parsed(self, completion: Completion) -> Candidate:
        try:
            return Candidate(completion, self.episode.parse(completion))
        except ActionError as error:
            return Candidate(completion, None, error.why)

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
        heard = answer(node)
        self.contexts.append(context.then(heard) if heard else context)
        return self.trace.add(node)

    def act(self, parent: int, candidate: Candidate, world: World) -> tuple[int, Step]:
        """Append a candidate and execute it for good."""
        index = self.grow(parent, candidate, None)
        return index, self.execute(index, world)

    def execute(self, index: int, world: World) -> Step:
        """Execute a node's action for good. One that ran out of context ends the episode."""
        node = self.trace.nodes[index]
        if node.completion is not None and node.completion.finish_reason == "context":
            step = Step("", done=True, status="agent context limit")
        else:
            step = world.step(node.action)
        self.answer(index, step)
        return step

    def answer(self, index: int, step: Step) -> None:
        """Put the world's answer into a node that was added before it was executed or revealed."""
        node = replace(self.trace.nodes[index], step=step)
        self.trace.nodes[index] = node
        heard = answer(node)
        said = self.contexts[index] if self.contexts[index].message is node.message else None
        if said is not None and heard is not None:
            self.contexts[index] = said.then(heard)

    async def judged(self, judge: Judge, nodes: Sequence[int]) -> list[Judgement]:
        """Ask the judge, record what it says, charge what it costs."""
        found = await judge.judge(self.trace, nodes)
        for judgement in found:
            self.trace.spent.usage += judgement.usage
            self.trace.spent.calls += judgement.usage.total > 0
        self.trace.judgements += found
        return found
