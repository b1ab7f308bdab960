"""Episodes without a model: calls given by hand, or a policy over the conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tmbr.core.types import Action, Completion, Message, Sample, Score, Step
from tmbr.environments.knowledge_graph import read_calls
from tmbr.tasks.knowledge_graph import KnowledgeGraph
from tmbr.tasks.knowledge_graph.forms import ANSWER

Policy = Callable[[Sequence[Message]], Message]


def call(text: str) -> Action:
    """`count(#0)`, or a variable alone for the final answer."""
    if text.startswith("#"):
        return Action(ANSWER, {"variable": text})
    (read,) = read_calls([text])
    return Action(read.name, read.named)


@dataclass(frozen=True, slots=True)
class Played:
    """messages: the whole conversation, prompt first."""

    messages: list[Message]
    actions: list[Action]
    steps: list[Step]
    score: Score

    @property
    def refused(self) -> list[str]:
        pairs = zip(self.actions, self.steps, strict=True)
        return [f"{action.key}: {step.observation}" for action, step in pairs if not step.admissible]


def play(task: KnowledgeGraph, sample: Sample, policy: Policy, note: str = "") -> Played:
    """One episode of a policy that always acts; `note` ends the prompt, as after a restart."""
    session = task.open(sample)
    messages = task.messages(sample, session.observation)
    if note:
        messages[-1] = Message(messages[-1].role, f"{messages[-1].content}\n{note}")
    actions: list[Action] = []
    steps: list[Step] = []
    while not steps or not steps[-1].done:
        said = policy(messages)
        actions.append(task.parse(Completion(said.content, said.tool_calls)))
        steps.append(session.step(actions[-1]))
        heard = Message("tool" if said.tool_calls else "user", steps[-1].observation)
        messages += [said, heard]
    return Played(messages, actions, steps, task.score(sample, session, steps))


def led(task: KnowledgeGraph, sample: Sample) -> Played:
    """The walkthrough, played."""
    said = iter(task.walkthrough(sample))
    return play(task, sample, lambda _: next(said))
