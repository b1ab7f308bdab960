"""Episodes without a model: actions given by hand, or a policy over the conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tmbr.core.protocols import Session
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step
from tmbr.tasks.webshop import Webshop

Policy = Callable[[Sequence[Message]], Message]


def search(keywords: str) -> Action:
    return Action("search_action", {"keywords": keywords})


def click(value: str) -> Action:
    return Action("click_action", {"value": value})


@dataclass(frozen=True, slots=True)
class Played:
    """messages: the whole conversation, prompt first."""

    messages: list[Message]
    actions: list[Action]
    steps: list[Step]
    score: Score

    @property
    def inadmissible(self) -> list[str]:
        pairs = zip(self.actions, self.steps, strict=True)
        return [action.key for action, step in pairs if not step.admissible]


def play(task: Webshop, sample: Sample, policy: Policy, note: str = "") -> Played:
    """One episode of a policy that always acts; `note` ends the prompt, as after a restart."""
    session: Session = task.open(sample)
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
