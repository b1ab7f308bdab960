"""JSONL files of conversations in the OpenAI chat shape, line by line, each checked by its class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from tmbr.core.errors import DataError
from tmbr.core.files import whole
from tmbr.core.types import Message, Role, ToolCall


class Line(BaseModel):
    """Base of all lines: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")

    @property
    def text(self) -> str:
        """As it stands in a file, its end included."""
        return self.model_dump_json(exclude_defaults=True) + "\n"


L = TypeVar("L", bound=Line)


def _named(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise ValueError('a tool is {"type": "function", "function": {"name": …, …}}')
    return tool


#: As the OpenAI chat shape has it.
ToolLine = Annotated[dict[str, Any], AfterValidator(_named)]


class FunctionLine(Line):
    name: str
    arguments: str


class CallLine(Line):
    id: str
    type: Literal["function"]
    function: FunctionLine


class MessageLine(Line):
    """One message as a line holds it."""

    role: Role
    content: str | None
    tool_calls: tuple[CallLine, ...] = ()
    tool_call_id: str | None = None

    @staticmethod
    def told(message: Message) -> MessageLine:
        calls = tuple(
            CallLine(
                id=call.id,
                type="function",
                function=FunctionLine(name=call.name, arguments=call.arguments),
            )
            for call in message.tool_calls
        )
        return MessageLine(
            role=message.role,
            content=message.content,
            tool_calls=calls,
            tool_call_id=message.tool_call_id,
        )

    def message(self) -> Message:
        calls = tuple(
            ToolCall(call.id, call.function.name, call.function.arguments) for call in self.tool_calls
        )
        return Message(self.role, self.content or "", calls, self.tool_call_id)


def read_lines(path: Path, kind: type[L], what: str) -> list[tuple[int, L]]:
    """Line numbers from 1 and what they hold. what: of which there must be some, and the mend.

    Raises DataError naming file, line and key.
    """
    found = list(each_line(path, kind, what))
    if not found:
        raise DataError(f"{path}: holds no {what}")
    return found


def each_line(path: Path, kind: type[L], what: str) -> Iterator[tuple[int, L]]:
    """As `read_lines`, one at a time; there may be none."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _read(path, number, line, kind)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as {what.partition(';')[0]}: {error}") from None


def _read(path: Path, number: int, line: str, kind: type[L]) -> L:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "row"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise DataError(f"{path}:{number}: {key}: {first['msg']}{more}") from None


def write_lines(path: Path, content: Iterable[Line]) -> int:
    """Write JSONL, whole or not at all; returns how many lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with whole(path) as aside, aside.open("w", encoding="utf-8") as file:
        for line in content:
            file.write(line.text)
            count += 1
    return count
