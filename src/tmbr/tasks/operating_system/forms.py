"""Two ways of talking with the computer: AgentBench's three tools, and the paper's text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tmbr.core.grammar import LINE, Constraint, Grammar
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.tasks import base
from tmbr.tasks.calls import read_call, tool, write_call
from tmbr.tasks.written import Written

BASH, FINISH, ANSWER = "bash_action", "finish_action", "answer_action"
ARGUMENT = {BASH: "script", FINISH: "thought", ANSWER: "answer"}
_FOLDER = Path(__file__).parent
_WRITTEN = Written(ARGUMENT, frozenset({FINISH}))


class Form(base.Form, Protocol):
    name: str
    no_action: str

    def show(self, output: str) -> str: ...

    def write(self, thought: str, name: str, argument: str) -> Message: ...


class TextForm:
    """`Thought: …` and `Action: bash_action …`, `answer_action …` or `finish_action`."""

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    no_action = "No action was read. Answer with a Thought line and an Action line."
    tools: Sequence[Tool] = ()
    constraints: Sequence[Constraint] = ("format",)

    def show(self, output: str) -> str:
        return output.rstrip("\n") or "(no output)"

    def read(self, completion: Completion) -> Action:
        """The first action. Raises ActionError (malformed) when there is none."""
        return _WRITTEN.read(completion.text)

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        return _WRITTEN.grammar(**{ANSWER: LINE})

    def write(self, thought: str, name: str, argument: str) -> Message:
        return Message("assistant", _WRITTEN.write(thought, name, argument))


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
    constraints: Sequence[Constraint] = ("format",)

    def show(self, output: str) -> str:
        return f"The output of the OS:\n\n{output}" if output else "The output of the OS is empty."

    def read(self, completion: Completion) -> Action:
        """The first tool call. Raises ActionError when there is none or its arguments do not fit."""
        return read_call(completion, self.tools)

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        return Grammar(tools=tuple(self.tools))

    def write(self, thought: str, name: str, argument: str) -> Message:
        return write_call(thought, name, {ARGUMENT[name]: argument})


FORMS: dict[str, type[TextForm] | type[ToolForm]] = {"text": TextForm, "agentbench": ToolForm}
