"""Two ways of talking with the shop: AgentBench's tool calls, and the paper's text.

In both an action is `search[keywords]` or `click[value]` in the end, and is read as WebShop reads it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tmbr.core.errors import ActionError
from tmbr.core.grammar import CONTROL, Constraint, Grammar, chars, one_of
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.environments.webshop.pages import View
from tmbr.tasks import base
from tmbr.tasks.calls import narrowed, read_call, tool, write_call
from tmbr.tasks.written import turn

#: The tools, with the name of their argument.
SEARCH, CLICK = "search_action", "click_action"
ARGUMENTS = {SEARCH: "keywords", CLICK: "value"}
_NAMES = {"search": SEARCH, "click": CLICK}
_FOLDER = Path(__file__).parent
_ACTION = re.compile(r"^[ \t]*Action:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
#: What is shown of an action that is repeated before its answer.
_SHOWN = 500
_LISTED = "Available Actions:\n"


class Form(base.Form, Protocol):
    name: str
    no_action: str

    def show(self, view: View, written: str | None) -> str: ...

    def refuse(self, view: View) -> str: ...

    def write(self, thought: str, name: str, argument: str) -> Message: ...


class TextForm:
    """`Thought: …` and `Action: search[…]` or `Action: click[…]`, one line each.

    What can be clicked is not listed beside the page: all of it stands on the page.
    """

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    no_action = "No action was read. Answer with a Thought line and an Action line."
    tools: Sequence[Tool] = ()
    constraints: Sequence[Constraint] = ("format",)

    def show(self, view: View, written: str | None) -> str:  # noqa: ARG002
        return view.observation

    def refuse(self, view: View) -> str:  # noqa: ARG002
        return self.no_action

    def read(self, completion: Completion) -> Action:
        """The first `Action:` line. Raises ActionError where there is none or it is no action."""
        found = _ACTION.search(completion.text)
        if not found:
            raise ActionError("malformed", "there is no line `Action: …`")
        name, argument = parse_action(found[1])
        if name not in _NAMES or argument is None:
            raise ActionError("malformed", "the action is neither search[…] nor click[…]")
        tool_name = _NAMES[name]
        return Action(tool_name, {ARGUMENTS[tool_name]: argument}, completion.text)

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        return turn(one_of(f"{name}[" for name in _NAMES) + chars(rf"[^\[\]{CONTROL}]", 1) + "]")

    def write(self, thought: str, name: str, argument: str) -> Message:
        return Message("assistant", f"Thought: {thought}\nAction: {written_as(name, argument)}")


class ToolForm:
    """AgentBench's function calling: two tools, and what can be clicked is listed below the page."""

    name = "agentbench"
    prompt = (_FOLDER / "agentbench.jinja").read_text()
    no_action = "There was no call of a tool. Call search_action or click_action."
    tools: Sequence[Tool] = (
        tool(SEARCH, "Search the shop.", keywords="What to look for, in words of your choice."),
        tool(
            CLICK, "Click on something of this page.", value="One of the clickables, letter for letter."
        ),
    )
    constraints: Sequence[Constraint] = ("format", "admissible")

    def show(self, view: View, written: str | None) -> str:
        if written is None:
            return f"The initial observation:\n{view.observation}\n\n{_available(view)}"
        return f"Action: {written[:_SHOWN]}\n\nObservation:\n{view.observation}\n\n{_available(view)}"

    def refuse(self, view: View) -> str:
        return f"Observation:\n{self.no_action}\n\n{_available(view)}"

    def read(self, completion: Completion) -> Action:
        """The first tool call. Raises ActionError when there is none or its arguments do not fit."""
        return read_call(completion, self.tools)

    def grammar(self, observation: str) -> Grammar:
        search, click = self.tools
        if _LISTED not in observation:
            return Grammar(tools=(search, click))
        listed = ast.literal_eval(observation.rpartition(_LISTED)[2].split("\n")[0])
        clicks = [narrowed(click, "value", enum=listed["clickables"])] if listed["clickables"] else []
        searches = [search] if listed["has_search_bar"] or not clicks else []
        return Grammar(tools=(*searches, *clicks))

    def write(self, thought: str, name: str, argument: str) -> Message:
        return write_call(thought, name, {ARGUMENTS[name]: argument})


FORMS: dict[str, type[TextForm] | type[ToolForm]] = {"text": TextForm, "agentbench": ToolForm}


def written_as(name: str, argument: str) -> str:
    """`search[keywords]` or `click[value]`."""
    return f"{name.removesuffix('_action')}[{argument}]"


def parse_action(text: str) -> tuple[str, str | None]:
    """Name and argument, as WebShop's `(.+)\\[(.+)\\]` reads them; None where it does not match.

    That is greedy and of one line: the argument is what stands between the last `[` that has something
    after it and the last `]` of the first line. So what has a bracket in its name cannot be clicked.
    """
    line = text.split("\n", 1)[0]
    end = line.rfind("]")
    start = line.rfind("[", 0, max(end - 1, 0))
    return (line[:start], line[start + 1 : end]) if start > 0 else (text, None)


def _available(view: View) -> str:
    listed = {"has_search_bar": view.has_search_bar, "clickables": list(view.clickables)}
    return f"{_LISTED}{listed}"
