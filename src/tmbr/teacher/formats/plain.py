"""Formats without roles: Alpaca, prompt and response, text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message
from tmbr.teacher.formats.base import (
    BadRow,
    Format,
    Item,
    Kind,
    Lost,
    all_trained,
    as_row,
    as_text,
    filled,
    free,
    marks,
    named,
    text,
    unweighted,
)


class Alpaca(Format):
    """`{"instruction", "input", "output"}`, and where there are any `system` and `history`, which is
    `[[question, answer], …]` before; every answer trains."""

    name = "alpaca"
    summary = "Alpaca: instruction, input and output"
    columns: ClassVar[Mapping[str, Kind]] = {
        "id": "text",
        "source": "text",
        "system": "text",
        "history": "json",
        "instruction": "text",
        "input": "text",
        "output": "text",
    }

    def fits(self, record: Mapping[str, Any]) -> bool:
        return all(isinstance(record.get(key), str) for key in ("instruction", "output"))

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Row:
        plain = self.known(record, lost)
        told = text(plain, "system", "")
        asked = "\n".join(filter(None, (text(plain, "instruction"), text(plain, "input", ""))))
        turns = [Turn(Message("system", told))] if told else []
        for question, answer in [
            *_history(free(plain.get("history", []), "history")),
            (asked, text(plain, "output")),
        ]:
            turns += _exchange(question, answer)
        return Row(named(plain, id), filled(turns, "messages"), source=text(plain, "source", ""))

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        row = _without_tools(item, lost)
        told, exchanges = _exchanges(row.turns)
        if told == "":
            lost.drop("empty system message", "messages.0")
        if not all(question for question, _ in exchanges):
            raise BadRow("messages", "has an empty question")
        *history, (question, answer) = exchanges
        return {
            **marks(row),
            **({"system": told} if told else {}),
            **({"history": [list(pair) for pair in history]} if history else {}),
            "instruction": question,
            "input": "",
            "output": answer,
        }


class PromptResponse(Format):
    """`{"prompt", "response"}`, both text; `completion` is read as the response too."""

    name = "prompt-response"
    summary = "prompt and response (or completion), both text"
    columns: ClassVar[Mapping[str, Kind]] = {
        "id": "text",
        "source": "text",
        "prompt": "text",
        "response": "text",
        "completion": "text",
    }

    def fits(self, record: Mapping[str, Any]) -> bool:
        answers = [isinstance(record.get(key), str) for key in ("response", "completion")]
        return isinstance(record.get("prompt"), str) and any(answers)

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Row:
        plain = self.known(record, lost)
        key = "response" if "response" in plain or "completion" not in plain else "completion"
        turns = _exchange(text(plain, "prompt"), text(plain, key))
        return Row(named(plain, id), filled(turns, "messages"), source=text(plain, "source", ""))

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        row = _without_tools(item, lost)
        told, exchanges = _exchanges(row.turns)
        if told is not None:
            lost.drop("system message", "messages.0")
        if len(exchanges) != 1:
            raise BadRow("messages", f"has {len(exchanges)} questions; this format holds one")
        return {**marks(row), "prompt": exchanges[0][0], "response": exchanges[0][1]}


class Text(Format):
    """`{"text"}`, or a line of a .txt file: something said without having been asked."""

    name = "text"
    summary = "plain text, all of which trains"
    columns: ClassVar[Mapping[str, Kind]] = {"id": "text", "source": "text", "text": "text"}

    def fits(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record.get("text"), str)

    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Row:
        plain = self.known(record, lost)
        turns = filled([Turn(Message("assistant", text(plain, "text")), 1.0)], "text")
        return Row(named(plain, id), turns, source=text(plain, "source", ""))

    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        row = _without_tools(item, lost)
        roles = [turn.message.role for turn in row.turns]
        if roles != ["assistant"]:
            raise BadRow("messages", "is a conversation; this format holds one text")
        return {**marks(row), "text": row.turns[0].message.content}


def _exchange(question: str, answer: str) -> list[Turn]:
    return [Turn(Message("user", question)), Turn(Message("assistant", answer), 1.0)]


def _history(value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, list) or not all(
        isinstance(pair, list) and len(pair) == 2 for pair in value
    ):
        raise BadRow("history", "must be a list of [question, answer]")
    return [(as_text(a, "history"), as_text(b, "history")) for a, b in value]


def _without_tools(item: Item, lost: Lost) -> Row:
    """A row in which no tool is called, every answer trains, and nothing of this is lost in silence."""
    row = unweighted(as_row(item, lost), lost)
    for index, turn in enumerate(row.turns):
        if turn.message.tool_calls or turn.message.role == "tool":
            raise BadRow(f"messages.{index}", "calls or answers a tool; this format holds none")
    if row.tools:
        lost.drop("tools", "tools")
    all_trained(row.turns, lost)
    return row


def _exchanges(turns: Sequence[Turn]) -> tuple[str | None, list[tuple[str, str]]]:
    """The system message, None without one, and questions with their answers. Raises BadRow."""
    said = [turn.message for turn in turns]
    told = said.pop(0).content if said[0].role == "system" else None
    roles = [message.role for message in said]
    if not said or roles != ["user", "assistant"] * (len(said) // 2):
        raise BadRow(
            "messages", "must be questions and answers in turn; this format holds nothing else"
        )
    return told, [(a.content, b.content) for a, b in zip(said[::2], said[1::2], strict=True)]
