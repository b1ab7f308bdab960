"""Two ways of talking with the knowledge graph: AgentBench's tool calls, and the paper's text.

In both the answer is a text, `Final Answer: #n`: AgentBench has no tool for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tmbr.core.errors import ActionError, nearest
from tmbr.core.grammar import CONTROL, Constraint, Grammar, Pattern, chars, either, line
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.environments.knowledge_graph import TOOLS
from tmbr.tasks import base
from tmbr.tasks.calls import read_call, tool, write_call
from tmbr.tasks.written import turn

#: The action that ends an episode.
ANSWER = "final_answer"
_FOLDER = Path(__file__).parent
_ANSWER = re.compile(r"(?:Find|Final) Answer: #(\d+)")
_ACTION = re.compile(r"^[ \t]*Action:[ \t]*(\w+)[ \t]*\((.*)\)[ \t]*$", re.MULTILINE)
# After a thought without a colon, in which nothing else can be read.
_FINAL = "Final Answer: #" + chars("[0-9]", 1, 2)


class Form(base.Form, Protocol):
    name: str

    def write(self, thought: str, name: str, arguments: Mapping[str, str]) -> Message: ...


class TextForm:
    """`Thought: …` and `Action: tool(argument, argument)`, one line each."""

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    tools: Sequence[Tool] = ()
    constraints: Sequence[Constraint] = ("format",)

    def read(self, completion: Completion) -> Action:
        """The first `Action:` line, else the final answer. Raises ActionError where neither is."""
        found = _ACTION.search(completion.text)
        if not found:
            return _read_answer(completion.text)
        name, written = found[1], found[2]
        if name not in TOOLS:
            raise ActionError("arguments", f"there is no tool {name!r}; {nearest(name, TOOLS)}")
        wanted = TOOLS[name][1]
        # Names of entities have commas; relations, attributes and variables have none.
        parts = [part.strip() for part in written.rsplit(",", len(wanted) - 1)]
        if len(parts) != len(wanted) or not all(parts):
            raise ActionError("arguments", f"{name} takes {', '.join(wanted)}")
        return Action(name, dict(zip(wanted, parts, strict=True)), completion.text)

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        calls = turn(either([_call(name, wanted) for name, (_, wanted) in TOOLS.items()])).text
        assert calls is not None
        return Grammar(calls | ("Thought: " + line(but=":") + "\n" + _FINAL))

    def write(self, thought: str, name: str, arguments: Mapping[str, str]) -> Message:
        if name == ANSWER:
            return Message("assistant", f"Thought: {thought}\n{_answer(arguments)}")
        called = f"{name}({', '.join(arguments.values())})"
        return Message("assistant", f"Thought: {thought}\nAction: {called}")


class ToolForm:
    """AgentBench's function calling."""

    name = "agentbench"
    prompt = (_FOLDER / "agentbench.jinja").read_text()
    tools: Sequence[Tool] = (
        tool(
            "get_relations",
            "List the relations that lead on from an entity or a variable.",
            variable="An entity of the question or a variable such as #0.",
        ),
        tool(
            "get_neighbors",
            "Make a variable of all that a relation leads to.",
            variable="An entity of the question or a variable such as #0.",
            relation="A relation that get_relations lists for it.",
        ),
        tool(
            "intersection",
            "Make a variable of what is in two variables of equal type.",
            variable1="A variable such as #0.",
            variable2="Another variable of the same type.",
        ),
        tool(
            "get_attributes",
            "List the numerical attributes of a variable's members.",
            variable="A variable such as #0.",
        ),
        tool(
            "argmax",
            "Make a variable of the members that have the greatest value of an attribute.",
            variable="A variable such as #0.",
            attribute="An attribute that get_attributes lists for it.",
        ),
        tool(
            "argmin",
            "Make a variable of the members that have the least value of an attribute.",
            variable="A variable such as #0.",
            attribute="An attribute that get_attributes lists for it.",
        ),
        tool(
            "count",
            "Make a variable of the number of a variable's members.",
            variable="A variable such as #0.",
        ),
    )
    constraints: Sequence[Constraint] = ("format",)

    def read(self, completion: Completion) -> Action:
        """The first tool call, else the final answer. Raises ActionError where neither is."""
        if completion.tool_calls:
            return read_call(completion, self.tools)
        return _read_answer(completion.text)

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        return Grammar(chars(rf"[^:<{CONTROL}]") + _FINAL, tuple(self.tools))

    def write(self, thought: str, name: str, arguments: Mapping[str, str]) -> Message:
        if name == ANSWER:
            return Message("assistant", f"{thought} {_answer(arguments)}")
        return write_call(thought, name, arguments)


def _read_answer(text: str) -> Action:
    """As AgentBench reads it: before any observation that the model makes up, the first number."""
    found = _ANSWER.search(text.split("Observation:")[0].replace("\\_", "_"))
    if not found:
        raise ActionError("malformed", "there is neither a call nor a line `Final Answer: #n`")
    return Action(ANSWER, {"variable": f"#{found[1]}"}, text)


def _call(name: str, wanted: Sequence[str]) -> Pattern:
    """Only the first argument, an entity's name, may have commas."""
    made = f"{name}(" + line()
    for _ in wanted[1:]:
        made = made + ", " + line(but=",")
    return made + ")"


def _answer(arguments: Mapping[str, str]) -> str:
    return f"Final Answer: {arguments['variable']}"


FORMS: dict[str, type[TextForm] | type[ToolForm]] = {"text": TextForm, "agentbench": ToolForm}
