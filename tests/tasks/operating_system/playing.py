"""Actions at the computer given by hand."""

from __future__ import annotations

from tmbr.core.types import Action, Sample
from tmbr.tasks.operating_system import OperatingSystem
from tmbr.tasks.operating_system.forms import ANSWER, BASH, FINISH
from tmbr.tasks.operating_system.session import OperatingSystemSession


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
