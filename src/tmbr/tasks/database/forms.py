"""Two ways of talking with the database: AgentBench's two tools, and the paper's text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tmbr.core.errors import ActionError
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.tasks.calls import read_arguments, read_call, tool, write_call

RUN, COMMIT = "execute_sql", "commit_final_answer"
_ARGUMENT = {RUN: "query", COMMIT: "answers"}
_FOLDER = Path(__file__).parent
#: An action goes on to the end of the turn, or to a line that is plainly no part of it.
_ACTION = re.compile(
    rf"^[ \t]*Action:[ \t]*({RUN}|{COMMIT})\b[ \t]*:?\s*(.*?)\s*"
    r"(?=^[ \t]*(?:Thought|Action|Observation):|\Z)",
    re.MULTILINE | re.DOTALL,
)
_FENCE = re.compile(r"^```\w*\s*(.*?)\s*```", re.DOTALL)


class Form(Protocol):
    name: str
    prompt: str
    no_action: str
    tools: Sequence[Tool]

    def read(self, completion: Completion) -> Action: ...

    def write(self, thought: str, name: str, argument: str) -> Message: ...

    def told(self, message: Message) -> tuple[str, str] | None: ...


class TextForm:
    """`Thought: …` and `Action: execute_sql …` or `Action: commit_final_answer […]`."""

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    no_action = "No action was read. Answer with a Thought line and an Action line."
    tools: Sequence[Tool] = ()

    def read(self, completion: Completion) -> Action:
        """The first action. Raises ActionError (malformed) when there is none."""
        found = _read(completion.text)
        if found is None:
            raise ActionError(
                "malformed", f"there is no line `Action: {RUN} …` or `Action: {COMMIT} …`"
            )
        return Action(found[0], {_ARGUMENT[found[0]]: found[1]}, completion.text)

    def write(self, thought: str, name: str, argument: str) -> Message:
        return Message("assistant", f"Thought: {thought}\nAction: {name} {argument}")

    def told(self, message: Message) -> tuple[str, str] | None:
        """The action of a turn as (name, argument)."""
        return _read(message.content)


def _read(text: str) -> tuple[str, str] | None:
    found = _ACTION.search(text)
    if not found or not found[2]:
        return None
    fenced = _FENCE.match(found[2])
    return found[1], fenced[1] if fenced else found[2]


class ToolForm:
    """AgentBench's function calling."""

    name = "agentbench"
    prompt = (_FOLDER / "agentbench.jinja").read_text()
    no_action = f"That was no tool call. Call {RUN} or {COMMIT}."
    tools: Sequence[Tool] = (
        tool(RUN, "Run one MySQL statement.", query="The statement."),
        tool(
            COMMIT,
            "End the work with the final answer.",
            answers={
                "type": "array",
                "items": {"type": "string"},
                "description": "The parts of the answer; any list after a change of the data.",
            },
        ),
    )

    def read(self, completion: Completion) -> Action:
        """The first tool call. Raises ActionError when there is none or its arguments do not fit."""
        return read_call(completion, self.tools)

    def write(self, thought: str, name: str, argument: str) -> Message:
        value = json.loads(argument) if name == COMMIT else argument
        return write_call(thought, name, {_ARGUMENT[name]: value})

    def told(self, message: Message) -> tuple[str, str] | None:
        if not message.tool_calls or message.tool_calls[0].name not in _ARGUMENT:
            return None
        call = message.tool_calls[0]
        value = (read_arguments(call.arguments) or {}).get(_ARGUMENT[call.name])
        if value is None:
            return None
        return call.name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


FORMS: dict[str, type[TextForm] | type[ToolForm]] = {"text": TextForm, "agentbench": ToolForm}


def answers(argument: str) -> list[str] | str:
    """What was committed: a list where the text is one in JSON, otherwise the text itself."""
    try:
        made = json.loads(argument)
    except (ValueError, RecursionError):
        return argument
    return made if isinstance(made, list) else argument
