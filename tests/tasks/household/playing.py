"""Episodes without a model: commands given by hand, or a policy over the conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tmbr.core.protocols import Session
from tmbr.core.types import Action, Completion, Message, Sample, Step
from tmbr.tasks.household import Household

Policy = Callable[[Sequence[Message]], Message]


def take(command: str) -> Action:
    return Action("take_action", {"action": command})


@dataclass(frozen=True, slots=True)
class Played:
    """messages: the whole conversation, prompt first."""

    messages: list[Message]
    commands: list[str]
    steps: list[Step]

    @property
    def inadmissible(self) -> list[str]:
        pairs = zip(self.commands, self.steps, strict=True)
        return [command for command, step in pairs if not step.admissible]


def play(task: Household, sample: Sample, policy: Policy, note: str = "") -> Played:
    """One episode of a policy that always acts; `note` ends the prompt, as after a restart."""
    session: Session = task.open(sample)
    messages = task.messages(sample, session.observation)
    if note:
        messages[-1] = Message(messages[-1].role, f"{messages[-1].content}\n{note}")
    played = Played(messages, [], [])
    while not played.steps or not played.steps[-1].done:
        said = policy(messages)
        action = task.parse(Completion(said.content, said.tool_calls))
        played.commands.append(action.arguments["action"])
        played.steps.append(session.step(action))
        heard = Message("tool" if said.tool_calls else "user", played.steps[-1].observation)
        messages += [said, heard]
    return played
