"""Two ways of talking with the database: AgentBench's two tools, and the paper's text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tmbr.core.grammar import CONTROL, Constraint, Grammar, chars
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.tasks import base
from tmbr.tasks.calls import read_call, tool, write_call
from tmbr.tasks.written import Written

RUN, COMMIT = "execute_sql", "commit_final_answer"
_ARGUMENT = {RUN: "query", COMMIT: "answers"}
_FOLDER = Path(__file__).parent
_WRITTEN = Written(_ARGUMENT)
_PART = '"' + chars(rf'[^"\\{CONTROL}]') + '"'
_PARTS = "[" + (_PART + (", " + _PART).times()).times(0, 1) + "]"


class Form(base.Form, Protocol):
    name: str
    no_action: str

    def write(self, thought: str, name: str, argument: str) -> Message: ...


class TextForm:
    """`Thought: …` and `Action: execute_sql …` or `Action: commit_final_answer […]`."""

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    no_action = "No action was read. Answer with a Thought line and an Action line."
    tools: Sequence[Tool] = ()
    constraints: Sequence[Constraint] = ("format",)

    def read(self, completion: Completion) -> Action:
        """The first action. Raises ActionError (malformed) when there is none."""
        return _WRITTEN.read(completion.text)

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        return _WRITTEN.grammar(**{COMMIT: _PARTS})

    def write(self, thought: str, name: str, argument: str) -> Message:
        return Message("assistant", _WRITTEN.write(thought, name, argument))


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
    constraints: Sequence[Constraint] = ("format",)

    def read(self, completion: Completion) -> Action:
        """The first tool call. Raises ActionError when there is none or its arguments do not fit."""
        return read_call(completion, self.tools)

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        return Grammar(tools=tuple(self.tools))

    def write(self, thought: str, name: str, argument: str) -> Message:
        value = json.loads(argument) if name == COMMIT else argument
        return write_call(thought, name, {_ARGUMENT[name]: value})


FORMS: dict[str, type[TextForm] | type[ToolForm]] = {"text": TextForm, "agentbench": ToolForm}


def answers(argument: str) -> list[str] | str:
    """What was committed: a list where the text is one in JSON, otherwise the text itself."""
    try:
        made = json.loads(argument)
    except (ValueError, RecursionError):
        return argument
    return made if isinstance(made, list) else argument
