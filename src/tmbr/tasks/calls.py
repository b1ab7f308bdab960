"""Tool calls as actions: one reader and one writer for every task that talks by function calling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tmbr.core.errors import ActionError, nearest
from tmbr.core.types import Action, Completion, Message, Tool, ToolCall


def tool(name: str, description: str, /, **parameters: str | Mapping[str, Any]) -> Tool:
    """A tool in the OpenAI function schema. A parameter is its description, then a string is wanted,
    or a JSON schema; all are required."""
    properties = {
        key: {"type": "string", "description": told} if isinstance(told, str) else dict(told)
        for key, told in parameters.items()
    }
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            },
        },
    }


def narrowed(told: Tool, key: str, **more: Any) -> Tool:
    """The same tool, one parameter of which may be less: `enum` its values, `minLength` not blank."""
    function = told["function"]
    parameters = function["parameters"]
    properties = {**parameters["properties"], key: {**parameters["properties"][key], **more}}
    return {**told, "function": {**function, "parameters": {**parameters, "properties": properties}}}


def read_call(completion: Completion, tools: Sequence[Tool]) -> Action:
    """The first tool call. An argument that the schema wants as anything but a string is kept as JSON.

    Raises ActionError when there is no call, its tool is none of `tools`, or an argument is missing or
    of another type than the schema's. Arguments that no schema names are dropped.
    """
    if not completion.tool_calls:
        raise ActionError("malformed", "there is no tool call")
    call = completion.tool_calls[0]
    known = {told["function"]["name"]: told["function"]["parameters"] for told in tools}
    if call.name not in known:
        raise ActionError("arguments", f"there is no tool {call.name!r}; {nearest(call.name, known)}")
    given = read_arguments(call.arguments)
    if given is None:
        raise ActionError("arguments", f"the arguments of {call.name} are no JSON object")
    wanted = known[call.name]["properties"]
    arguments = {key: _argument(call.name, key, given, wanted[key]) for key in wanted}
    return Action(call.name, arguments, completion.text)


def read_arguments(text: str) -> dict[str, Any] | None:
    """The arguments of a call as data, or None when they are no JSON object."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None


def write_call(thought: str, name: str, arguments: Mapping[str, Any]) -> Message:
    """An assistant turn with one call."""
    return Message("assistant", thought, (ToolCall("call_0", name, json.dumps(dict(arguments))),))


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "array": list,
    "object": dict,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def _argument(name: str, key: str, given: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if key not in given:
        raise ActionError("arguments", f"{name} needs the argument {key!r}")
    value, wanted = given[key], schema["type"]
    if not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
        raise ActionError("arguments", f"{key!r} of {name} must be of type {wanted}")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
