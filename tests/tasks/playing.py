"""Episodes of any task without a model: a policy over the conversation, and what an answer does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tmbr.core.errors import ActionError
from tmbr.core.protocols import Session, Task, Taught
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step

Policy = Callable[[Sequence[Message]], Message]


@dataclass(frozen=True, slots=True)
class Played:
    """messages: the whole conversation, prompt first. session: as it was scored; it is closed."""

    messages: list[Message]
    actions: list[Action]
    steps: list[Step]
    session: Session
    score: Score

    @property
    def refused(self) -> list[Action]:
        pairs = zip(self.actions, self.steps, strict=True)
        return [action for action, step in pairs if not step.admissible]


def play(task: Task, sample: Sample, policy: Policy, note: str = "") -> Played:
    """One episode of a policy that always acts; `note` ends the prompt, as after a restart."""
    session = task.open(sample)
    messages = task.messages(sample, session.observation)
    if note:
        messages[-1] = Message(messages[-1].role, f"{messages[-1].content}\n{note}")
    actions: list[Action] = []
    steps: list[Step] = []
    try:
        while not steps or not steps[-1].done:
            said = policy(messages)
            actions.append(task.parse(Completion(said.content, said.tool_calls)))
            steps.append(session.step(actions[-1]))
            heard = Message("tool" if said.tool_calls else "user", steps[-1].observation)
            messages += [said, heard]
        return Played(messages, actions, steps, session, task.score(sample, session, steps))
    finally:
        session.close()


def led(task: Taught, sample: Sample) -> Played:
    """The walkthrough, played."""
    said = iter(task.walkthrough(sample))
    return play(task, sample, lambda _: next(said))


def key_of(task: Task, message: Message) -> str | None:
    """What a turn does, whatever it thinks; None where no action can be read."""
    try:
        return task.parse(Completion(message.content, message.tool_calls)).key
    except ActionError:
        return None
