"""Playing episodes at the computer."""

from __future__ import annotations

from collections.abc import Callable

from tmbr.core.types import Action, Completion, Message, Sample, Step
from tmbr.tasks.operating_system import OperatingSystem
from tmbr.tasks.operating_system.forms import ANSWER, BASH, FINISH
from tmbr.tasks.operating_system.session import OperatingSystemSession

Policy = Callable[[list[Message]], Message]


def bash(script: str) -> Action:
    return Action(BASH, {"script": script})


def answer(text: str) -> Action:
    return Action(ANSWER, {"answer": text})


def finish() -> Action:
    return Action(FINISH, {"thought": "done"})


def opened(task: OperatingSystem, sample: Sample) -> OperatingSystemSession:
    session = task.open(sample)
    assert isinstance(session, OperatingSystemSession)
    return session


def play(task: OperatingSystem, sample: Sample, policy: Policy) -> tuple[bool, list[Step]]:
    """Play one episode; whether it was solved, and its steps."""
    session = opened(task, sample)
    try:
        messages, steps = task.messages(sample, session.observation), list[Step]()
        while not steps or not steps[-1].done:
            said = policy(messages)
            steps.append(session.step(task.parse(Completion(said.content, said.tool_calls))))
            role = "tool" if said.tool_calls else "user"
            messages += [said, Message(role, steps[-1].observation)]  # type: ignore[arg-type]
        return task.score(sample, session, steps).success, steps
    finally:
        session.close()
