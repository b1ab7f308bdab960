"""Household commands given by hand."""

from __future__ import annotations

from collections.abc import Iterable

from tmbr.core.types import Action, Completion, Message
from tmbr.tasks.household import Household


def take(command: str) -> Action:
    return Action("take_action", {"action": command})


def written(actions: Iterable[Action]) -> list[str]:
    """The commands, as they were written."""
    return [action.arguments["action"] for action in actions]


def command_of(task: Household, message: Message) -> str:
    """Raises ActionError where there is none."""
    return task.parse(Completion(message.content, message.tool_calls)).arguments["action"]
