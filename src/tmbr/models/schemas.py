"""Tool calls as patterns: the JSON that a schema allows, in the one spelling that we ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tmbr.core.errors import ConfigError
from tmbr.core.grammar import SPACES, Grammar, Pattern, chars, either, literal, one_of
from tmbr.core.types import Completion, Tool, ToolCall

Schema = Mapping[str, Any]

_ESCAPE = literal("\\") + (
    chars(r'["\\/bfnrt]', 1, 1) | ("u00" + chars("[01]", 1, 1) + chars("[0-9a-f]", 1, 1))
)
# `</` is written `<\/`, so that no argument can hold the mark that ends a call.
_INSIDE = (
    chars(r'[^"\\<\x00-\x1f]', 1, 1)
    | _ESCAPE
    | (chars("[<]", 1) + (chars(r'[^"\\/<\x00-\x1f]', 1, 1) | _ESCAPE))
).times() + chars("[<]")
_STRING = '"' + _INSIDE + '"'
_FILLED = '"' + chars(rf'[^"\\<{SPACES}]', 1, 1) + _INSIDE + '"'
_WHOLE = literal("-").times(0, 1) + (literal("0") | (chars("[1-9]", 1, 1) + chars("[0-9]", 0, 15)))
_SCALARS = {
    "integer": _WHOLE,
    "number": _WHOLE + ("." + chars("[0-9]", 1, 15)).times(0, 1),
    "boolean": one_of(["true", "false"]),
    "null": literal("null"),
}


def call(tools: tuple[Tool, ...]) -> Pattern:
    """`{"name": …, "arguments": {…}}` for any of these tools. Raises ConfigError: see `value`."""
    return either(
        [
            f'{{"name": {written(told["name"])}, "arguments": '
            + value(told.get("parameters", {}))
            + "}"
            for told in (tool["function"] for tool in tools)
        ]
    )


def value(schema: Schema) -> Pattern:
    """The JSON of a value; an object's keys all, in the schema's order. `minLength` means: not blank.

    Raises ConfigError for what a schema may say beyond type, enum, items and properties.
    """
    if "enum" in schema:
        return one_of([written(one) for one in schema["enum"]])
    kind = schema.get("type", "object")
    if kind == "string":
        return _FILLED if schema.get("minLength") else _STRING
    if kind == "array" and "items" in schema:
        item = value(schema["items"])
        return "[" + (item + (", " + item).times()).times(0, 1) + "]"
    if kind == "object":
        made, between = literal("{"), ""
        for key, inner in schema.get("properties", {}).items():
            made = made + f"{between}{written(key)}: " + value(inner)
            between = ", "
        return made + "}"
    if kind in _SCALARS:
        return _SCALARS[kind]
    raise ConfigError(
        f"no grammar can be made of the schema {json.dumps(dict(schema))}: constrain none"
    )


def written(data: Any) -> str:
    """JSON in the spelling of the patterns here."""
    return json.dumps(data, ensure_ascii=False).replace("</", "<\\/")


def fits(grammar: Grammar, completion: Completion) -> bool:
    """Whether an answer is a turn of the grammar, however its JSON is spelt."""
    if completion.tool_calls:
        return len(completion.tool_calls) == 1 and _allowed(completion.tool_calls[0], grammar.tools)
    return grammar.text is not None and grammar.text.fits(completion.text.strip())


def _allowed(made: ToolCall, tools: tuple[Tool, ...]) -> bool:
    for told in (tool["function"] for tool in tools if tool["function"]["name"] == made.name):
        schema = told.get("parameters", {})
        try:
            given = json.loads(made.arguments)
            ordered = {key: given[key] for key in schema.get("properties", {})}
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        return len(ordered) == len(given) and value(schema).fits(written(ordered))
    return False
