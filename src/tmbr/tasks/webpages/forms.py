"""Two ways of answering a question: AgentBench's three lines, and the paper's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tmbr.core.errors import ActionError
from tmbr.core.grammar import LINE, Constraint, Grammar, Pattern, line, literal, one_of
from tmbr.core.types import Action, Completion, Message, Tool
from tmbr.tasks import base
from tmbr.tasks.webpages.question import NONE, letter, read_question
from tmbr.tasks.written import turn

#: The one action of this world.
CHOOSE = "choose"
_FOLDER = Path(__file__).parent
_DONE = re.compile(r"Action: (CLICK|SELECT|TYPE)")
_VALUE = re.compile(r"Value: (.*)$", re.MULTILINE)
_LINE = re.compile(
    r"^[ \t]*Action:[ \t]*(?:(NONE)\b|(CLICK|TYPE|SELECT)[ \t]+([A-Z])(?![^ \t\n])(.*))", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Choice:
    """answer: a letter. operation: empty where none was read."""

    answer: str = NONE
    operation: str = ""
    value: str = ""

    @property
    def action(self) -> str:
        """Operation and value, as operation F1 compares them."""
        return f"{self.operation} {self.value}".strip()

    def as_action(self, raw: str) -> Action:
        return Action(
            CHOOSE, {"answer": self.answer, "action": self.operation, "value": self.value}, raw
        )


def choice_of(action: Action) -> Choice:
    said = action.arguments
    return Choice(said.get("answer", NONE), said.get("action", ""), said.get("value", ""))


class Form(base.Form, Protocol):
    name: str
    no_action: str

    def messages(self, observation: str) -> list[Message]: ...

    def write(self, thought: str, choice: Choice) -> Message: ...


class AgentBenchForm:
    """`Answer: B`, `Action: TYPE`, `Value: …`, after three worked examples.

    last: the last letter that is one; AgentBench's questions go to F, those on live pages further.
    """

    name = "agentbench"
    prompt = (_FOLDER / "agentbench.jinja").read_text()
    examples = (_FOLDER / "examples.txt").read_text()
    no_action = "No answer was read. Write a line Answer: with the letter of your choice."
    tools: Sequence[Tool] = ()
    constraints: Sequence[Constraint] = ("format", "admissible")

    def __init__(self, last: str = "F") -> None:
        self._last = last
        self._answer = re.compile(f"Answer: ([{NONE}-{last}])")

    def choice(self, text: str) -> Choice:
        """As AgentBench reads any text: the first match of each line counts, A where no answer is."""
        answer, done, value = self._answer.search(text), _DONE.search(text), _VALUE.search(text)
        return Choice(
            answer[1] if answer else NONE, done[1] if done else "", value[1].strip() if value else ""
        )

    def messages(self, observation: str) -> list[Message]:
        told = [Message("system", self.prompt.strip())]
        for example in self.examples.strip().split("\n\n\n"):
            asked, answered = example.split("\n\n")
            told += [Message("user", asked), Message("assistant", answered)]
        return [*told, Message("user", observation)]

    def read(self, completion: Completion) -> Action:
        """Raises ActionError where no answer is: the world then takes it as A."""
        if not self._answer.search(completion.text):
            raise ActionError("malformed", "there is no line `Answer: …` with a letter")
        return self.choice(completion.text).as_action(completion.text)

    def grammar(self, observation: str) -> Grammar:
        before = (line(but=":") + "\n").times(0, 1)
        typed = one_of(["TYPE", "SELECT"]) + "\nValue: " + LINE
        answer = literal(f"Answer: {NONE}")
        if letters := _letters(observation, self._last):
            answer = answer | ("Answer: " + letters + "\nAction: " + (literal("CLICK") | typed))
        return Grammar(before + answer)

    def write(self, thought: str, choice: Choice) -> Message:
        lines = [thought, f"Answer: {choice.answer}"]
        if choice.answer != NONE:
            lines += [f"Action: {choice.operation}"]
        if choice.value:
            lines += [f"Value: {choice.value}"]
        return Message("assistant", "\n".join(lines))


class TextForm:
    """`Thought: …` and `Action: CLICK B`, `TYPE B text`, `SELECT B option` or `NONE`."""

    name = "text"
    prompt = (_FOLDER / "text.jinja").read_text()
    no_action = "No action was read. Answer with a Thought line and an Action line."
    tools: Sequence[Tool] = ()
    constraints: Sequence[Constraint] = ("format", "admissible")

    def messages(self, observation: str) -> list[Message]:
        return [Message("user", f"{self.prompt}{observation}")]

    def read(self, completion: Completion) -> Action:
        """The first `Action:` line. Raises ActionError (malformed) when there is none."""
        found = _LINE.search(completion.text)
        if not found:
            raise ActionError("malformed", "there is no line `Action: CLICK B` or the like")
        if found[1]:
            return Choice().as_action(completion.text)
        value = "" if found[2] == "CLICK" else found[4].strip()
        return Choice(found[3], found[2], value).as_action(completion.text)

    def grammar(self, observation: str) -> Grammar:
        action = literal("NONE")
        if letters := _letters(observation, "Z"):
            typed = one_of(["TYPE ", "SELECT "]) + letters + " " + LINE
            action = action | ("CLICK " + letters) | typed
        return turn(action)

    def write(self, thought: str, choice: Choice) -> Message:
        done = " ".join(filter(None, (choice.operation, choice.answer, choice.value)))
        told = "NONE" if choice.answer == NONE else done
        return Message("assistant", f"Thought: {thought}\nAction: {told}")


def _letters(observation: str, last: str) -> Pattern | None:
    """The letters of the choices in a question; without one, all that there can be."""
    asked = read_question(observation)
    count = ord(last) - ord(NONE) if asked is None else len(asked.choices)
    return one_of(map(letter, range(count))) if count else None


FORMS: dict[str, type[TextForm] | type[AgentBenchForm]] = {
    "text": TextForm,
    "agentbench": AgentBenchForm,
}
