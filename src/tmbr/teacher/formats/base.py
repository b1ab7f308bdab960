"""What a format is: how one record of a file becomes a row or a pair, and the way back."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, Turn

#: What a record holds: a conversation to learn from, or two answers to one.
Item = Row | Pair
#: What a column holds: text, a number, messages in OpenAI's or ShareGPT's shape, or any JSON.
Kind = Literal["text", "number", "messages", "shared", "json"]


class BadRow(Exception):
    """A record that cannot be used; it is counted and told, and the next one is read."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key
        self.why = why


@dataclass(slots=True)
class Lost:
    """What of one record is left behind, counted by name.

    strict: a record of which a format would lose something that matters for training is a bad one
    instead.
    """

    strict: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def drop(self, what: str, key: str) -> None:
        """Something that the format written cannot hold. Raises BadRow if that is not allowed."""
        if self.strict:
            raise BadRow(key, f"this format holds no {what}; `--lossy` leaves it out")
        self.counts[what] += 1

    def passed_over(self, keys: Iterable[str], where: str = "column") -> None:
        """Keys of a record that was read that mean nothing here."""
        self.counts.update(f"{where} {key!r}" for key in keys)


class Readable(ABC):
    """One shape of records that can be read.

    name: as `--from` and `--to` say it. summary: for people. columns: what a record may have, and of
    which kind, in the order in which it is written; other columns are passed over and counted.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    columns: ClassVar[Mapping[str, Kind]]

    @abstractmethod
    def fits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record looks like one of this format; decides which format a file has."""

    @abstractmethod
    def read(self, record: Mapping[str, Any], id: str, lost: Lost) -> Item | None:
        """What a record holds, None where there is nothing to learn from in it. Raises BadRow.

        id: what a record without one is called.
        """

    def known(self, record: Mapping[str, Any], lost: Lost) -> dict[str, Any]:
        """The columns that mean something here, without nulls; the others are counted."""
        lost.passed_over(key for key in record if key not in self.columns)
        return {key: record[key] for key in self.columns if record.get(key) is not None}


class Format(Readable):
    """One that can be written too."""

    @abstractmethod
    def write(self, item: Item, lost: Lost) -> dict[str, Any]:
        """The record of an item; JSON data. Raises BadRow for what the format cannot hold."""


def named(record: Mapping[str, Any], id: str) -> str:
    """The record's own id, which may be a number. Raises BadRow."""
    own = record.get("id")
    return as_text(str(own), "id") if isinstance(own, str | int) and own != "" else id


def text(record: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """A column of text. Raises BadRow when it is absent without a default, or is none."""
    value = record.get(key, default)
    if value is None:
        raise BadRow(key, "is missing")
    return as_text(value, key)


def as_text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise BadRow(key, f"must be text, not {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRow(key, "holds half a surrogate pair, which is no text") from None
    return value


def free(value: Any, key: str) -> Any:
    """JSON data, or what JSON text holds: free JSON is text in Parquet, and in ShareGPT's tools."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadRow(key, f"is no JSON: {error}") from None


def as_json(value: Any, key: str) -> str:
    """JSON text of data, which may come from a Parquet file that holds more. Raises BadRow."""
    try:
        return as_text(json.dumps(value, ensure_ascii=False), key)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRow(key, f"cannot be written as JSON: {error}") from None


def items_of(value: Any, key: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The mappings in a list, each with its key. Raises BadRow."""
    if not isinstance(value, list | tuple):
        raise BadRow(key, f"must be a list, not {shown(value)}")
    for index, part in enumerate(value):
        if not isinstance(part, Mapping):
            raise BadRow(f"{key}.{index}", f"must be an object, not {shown(part)}")
    return [(f"{key}.{index}", part) for index, part in enumerate(value)]


def shown(value: Any) -> str:
    """A value in a message, in a few words."""
    written = repr(value)
    return written if len(written) <= 40 else f"{written[:40]}…"


def filled(turns: Iterable[Turn], key: str) -> tuple[Turn, ...]:
    """The same turns. Raises BadRow for none, and for an assistant turn that says and calls nothing."""
    found = tuple(turns)
    if not found:
        raise BadRow(key, "is empty")
    for index, turn in enumerate(found):
        message = turn.message
        if message.role == "assistant" and not message.content.strip() and not message.tool_calls:
            raise BadRow(
                f"{key}.{index}", "is an empty assistant turn: it neither says nor calls anything"
            )
    return found


def as_row(item: Item, lost: Lost) -> Row:
    """A row; of a pair the answer that was chosen, the other one counted as lost."""
    if isinstance(item, Row):
        return item
    lost.drop("answer that was rejected", "rejected")
    prompt = [Turn(message) for message in item.prompt]
    return Row(item.id, (*prompt, Turn(item.chosen, 1.0)), item.tools)


def as_pair(item: Item) -> Pair:
    if isinstance(item, Row):
        raise BadRow("rejected", "is missing: a row has one answer, a pair has two")
    return item


def unweighted(row: Row, lost: Lost) -> Row:
    """The row without weights inside of turns, which only tmbr's own format holds."""
    for index, turn in enumerate(row.turns):
        if turn.weights:
            lost.drop("weights within a turn", f"messages.{index}.weights")
    if not any(turn.weights for turn in row.turns):
        return row
    return replace(row, turns=tuple(replace(turn, weights=()) for turn in row.turns))


def all_trained(turns: Iterable[Turn], lost: Lost, first: int = 0) -> None:
    """For a format in which every assistant turn trains, and trains the same. first: their index."""
    for index, turn in enumerate(turns, first):
        if turn.message.role == "assistant" and turn.loss != 1:
            lost.drop("loss of its own for a turn", f"messages.{index}.loss")


def marks(item: Row) -> dict[str, Any]:
    """The columns that any format may have beside its own: id, and source where there is one."""
    return {"id": item.id, **({"source": item.source} if item.source else {})}
