"""Episodes without a model: a policy over the conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tmbr.core.protocols import Session
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step
from tmbr.environments.webpages import BATCH
from tmbr.tasks.webpages import WebPages
from tmbr.tasks.webpages.forms import Choice
from tmbr.tasks.webpages.session import Recorded

Policy = Callable[[Sequence[Message]], Message]


def choose(answer: str, operation: str = "CLICK", value: str = "") -> Action:
    return Choice(answer, operation, value).as_action("")


@dataclass(frozen=True, slots=True)
class Played:
    """messages: the whole conversation, prompt first."""

    messages: list[Message]
    actions: list[Action]
    steps: list[Step]
    session: Session
    score: Score

    @property
    def refused(self) -> list[str]:
        pairs = zip(self.actions, self.steps, strict=True)
        return [action.key for action, step in pairs if not step.admissible]


def play(task: WebPages, sample: Sample, policy: Policy) -> Played:
    """One episode of a policy that always acts."""
    session = task.open(sample)
    messages = task.messages(sample, session.observation)
    actions: list[Action] = []
    steps: list[Step] = []
    while not steps or not steps[-1].done:
        said = policy(messages)
        actions.append(task.parse(Completion(said.content, said.tool_calls)))
        steps.append(session.step(actions[-1]))
        messages += [said, Message("user", steps[-1].observation)]
    return Played(messages, actions, steps, session, task.score(sample, session, steps))


def led(task: WebPages, sample: Sample) -> Played:
    """The walkthrough, played."""
    said = iter(task.walkthrough(sample))
    return play(task, sample, lambda _: next(said))


def winnable(asked: Recorded) -> bool:
    """Whether the right answers get a step right: its pool has a right element, and that is asked for,
    which the last of six candidates is not (when none of the first five is taken, it is left over)."""
    positives = {one.id for one in asked.step.positives}
    left_over = len(asked.pool.pool) == BATCH + 1 and positives.isdisjoint(asked.pool.batch)
    return asked.reachable and not left_over
