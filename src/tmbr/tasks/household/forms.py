"""Two ways of talking with the household: AgentBench's tool call, and the paper's text.

A form says which tools there are, how an observation is shown, how an action is read and written, and
whether an inadmissible command is repaired.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tmbr.core.errors import ActionError
from tmbr.core.grammar import LINE, Constraint, Grammar
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.tasks import base
from tmbr.tasks.calls import narrowed, read_call, tool, write_call
from tmbr.tasks.written import read_line, turn

_FOLDER = Path(__file__).parent
_LISTED = "\nAvailable actions:\n"


class Form(base.Form, Protocol):
    name: str
    no_action: str

    def show(self, observation: str, admissible: Sequence[str]) -> str: ...

    def write(self, thought: str, command: str) -> Message: ...

    def repair(self, command: str, admissible: Sequence[str]) -> str: ...


class TextForm:
    """`Thought: …` and `Action: …`, one line each; commands are not listed and not repaired."""

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    no_action = "No action was read. Answer with a Thought line and an Action line."
    tools: Sequence[Tool] = ()
    constraints: Sequence[Constraint] = ("format",)

    def show(self, observation: str, admissible: Sequence[str]) -> str:  # noqa: ARG002
        return observation

    def read(self, completion: Completion) -> Action:
        return read_line(completion)

    def write(self, thought: str, command: str) -> Message:
        return Message("assistant", f"Thought: {thought}\nAction: {command}")

    def grammar(self, observation: str) -> Grammar:  # noqa: ARG002
        return turn(LINE)

    def repair(self, command: str, admissible: Sequence[str]) -> str:  # noqa: ARG002
        return command


class ToolForm:
    """AgentBench's function calling: one tool, commands listed, the closest command is taken."""

    name = "agentbench"
    prompt = (_FOLDER / "agentbench.jinja").read_text()
    no_action = "That was no call of take_action. Call it with one of the available actions."
    tools: Sequence[Tool] = (
        tool(
            "take_action",
            "Do one action in the household.",
            action="One of the available actions, letter for letter.",
        ),
    )
    constraints: Sequence[Constraint] = ("format", "admissible")

    def show(self, observation: str, admissible: Sequence[str]) -> str:
        return f"{observation}{_LISTED}" + "\n".join(admissible)

    def read(self, completion: Completion) -> Action:
        """The first tool call. Raises ActionError when there is none or its arguments do not fit."""
        action = read_call(completion, self.tools)
        if not action.arguments["action"].strip():
            raise ActionError("arguments", "the action is empty")
        return action

    def write(self, thought: str, command: str) -> Message:
        return write_call(thought, "take_action", {"action": command})

    def grammar(self, observation: str) -> Grammar:
        listed = [command for command in observation.rpartition(_LISTED)[2].split("\n") if command]
        only = {"enum": listed} if _LISTED in observation and listed else {"minLength": 1}
        return Grammar(tools=(narrowed(self.tools[0], "action", **only),))

    def repair(self, command: str, admissible: Sequence[str]) -> str:
        """AgentBench's closest-command rule: the highest BLEU above 0.01, else the command itself."""
        if command in admissible or not admissible:
            return command
        scores = [bleu(offered.split(), command.split()) for offered in admissible]
        best = max(range(len(scores)), key=scores.__getitem__)
        return admissible[best] if scores[best] > 0.01 else command


FORMS: dict[str, type[TextForm] | type[ToolForm]] = {"text": TextForm, "agentbench": ToolForm}


def bleu(reference: Sequence[str], candidate: Sequence[str]) -> float:
    """Sentence BLEU-4 of one reference with NLTK's smoothing method 4 (Chen and Cherry, 2014).

    NLTK itself is a heavy dependency for forty lines; a test compares the two.
    """
    overlaps = [_overlap(reference, candidate, n) for n in range(1, 5)]
    if overlaps[0][0] == 0:
        return 0.0
    logs = 0.0
    misses = 1
    for hits, total in overlaps:
        precision = hits / total
        if hits == 0 and len(candidate) > 1:
            precision = math.log(len(candidate)) / (2**misses * 5) / total
            misses += 1
        if precision > 0.0:  # a lone word has no longer n-grams, and NLTK leaves them out
            logs += math.log(precision) / 4
    short = len(candidate) <= len(reference)
    return math.exp(logs + (1 - len(reference) / len(candidate) if short else 0.0))


def _overlap(reference: Sequence[str], candidate: Sequence[str], n: int) -> tuple[int, int]:
    """Clipped n-gram matches, and the candidate's number of n-grams (at least 1)."""

    def grams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    ours = grams(candidate)
    return (ours & grams(reference)).total(), max(1, ours.total())
