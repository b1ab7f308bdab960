"""Two ways of talking with the computer: AgentBench's three tools, and the paper's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tmbr.core.errors import ActionError
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.tasks.calls import read_arguments, read_call, tool, write_call

BASH, FINISH, ANSWER = "bash_action", "finish_action", "answer_action"
ARGUMENT = {BASH: "script", FINISH: "thought", ANSWER: "answer"}
_FOLDER = Path(__file__).parent
#: An action goes on to the end of the turn, or to a line that is plainly no part of it.
_ACTION = re.compile(
    rf"^[ \t]*Action:[ \t]*({BASH}|{FINISH}|{ANSWER})\b[ \t]*:?\s*(.*?)\s*"
    r"(?=^[ \t]*(?:Thought|Action|Observation):|\Z)",
    re.MULTILINE | re.DOTALL,
)
_FENCE = re.compile(r"^```\w*\s*(.*?)\s*```", re.DOTALL)


class Form(Protocol):
    name: str
    prompt: str
    no_action: str
    tools: Sequence[Tool]

    def show(self, output: str) -> str: ...

    def read(self, completion: Completion) -> Action: ...

    def write(self, thought: str, name: str, argument: str) -> Message: ...

    def told(self, message: Message) -> tuple[str, str] | None: ...


class TextForm:
    """`Thought: …` and `Action: bash_action …`, `answer_action …` or `finish_action`."""

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    no_action = "No action was read. Answer with a Thought line and an Action line."
    tools: Sequence[Tool] = ()

    def show(self, output: str) -> str:
        return output.rstrip("\n") or "(no output)"

    def read(self, completion: Completion) -> Action:
        """The first action. Raises ActionError (malformed) when there is none."""
        found = _read(completion.text)
        if found is None:
            raise ActionError(
                "malformed", f"there is no line `Action: {BASH} …`, `{ANSWER} …` or `{FINISH}`"
            )
        return Action(found[0], {ARGUMENT[found[0]]: found[1]}, completion.text)

    def write(self, thought: str, name: str, argument: str) -> Message:
        told = "" if name == FINISH else f" {argument}"
        return Message("assistant", f"Thought: {thought}\nAction: {name}{told}")

    def told(self, message: Message) -> tuple[str, str] | None:
        """The action of a turn as (name, argument)."""
        return _read(message.content)


def _read(text: str) -> tuple[str, str] | None:
    found = _ACTION.search(text)
    if not found or not (found[2] or found[1] == FINISH):
        return None
    fenced = _FENCE.match(found[2])
    return found[1], fenced[1] if fenced else found[2]


class ToolForm:
    """AgentBench's function calling."""

    name = "agentbench"
    prompt = (_FOLDER / "agentbench.jinja").read_text()
    no_action = f"That was no tool call. Call {BASH}, {ANSWER} or {FINISH}."
    tools: Sequence[Tool] = (
        tool(BASH, "Run a script in the shell.", script="The script, for bash."),
        tool(FINISH, "End the work when what was asked for is done.", thought="Why it is done."),
        tool(ANSWER, "End the work with the answer to the question.", answer="The answer alone."),
    )

    def show(self, output: str) -> str:
        return f"The output of the OS:\n\n{output}" if output else "The output of the OS is empty."

    def read(self, completion: Completion) -> Action:
        """The first tool call. Raises ActionError when there is none or its arguments do not fit."""
        return read_call(completion, self.tools)

    def write(self, thought: str, name: str, argument: str) -> Message:
        return write_call(thought, name, {ARGUMENT[name]: argument})

    def told(self, message: Message) -> tuple[str, str] | None:
        if not message.tool_calls or message.tool_calls[0].name not in ARGUMENT:
            return None
        call = message.tool_calls[0]
        value = (read_arguments(call.arguments) or {}).get(ARGUMENT[call.name])
        return (call.name, value) if isinstance(value, str) else None


FORMS: dict[str, type[TextForm] | type[ToolForm]] = {"text": TextForm, "agentbench": ToolForm}
