"""Tool calls as actions: total over any input."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import ActionError
from tmbr.core.types import Action, Completion, ToolCall
from tmbr.tasks.calls import read_call, tool, write_call

ANSWER = tool("answer", "Give the answers.", answers={"type": "array", "items": {"type": "string"}})
SEARCH = tool("search", "Search.", words="What to look for.", page={"type": "integer"})
TOOLS = (ANSWER, SEARCH)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
)
arguments = st.text() | st.dictionaries(st.sampled_from(["answers", "words", "page", "x"]), values).map(
    json.dumps
)
calls = st.builds(ToolCall, st.just("c"), st.sampled_from(["answer", "search"]) | st.text(), arguments)


def read(completion: Completion) -> Action | ActionError:
    try:
        return read_call(completion, TOOLS)
    except ActionError as error:
        return error


@given(st.text(), st.lists(calls, max_size=2))
def test_any_completion_is_an_action_or_an_action_error(text: str, said: list[ToolCall]) -> None:
    action = read(Completion(text, tuple(said)))
    if isinstance(action, ActionError):
        assert action.kind == ("arguments" if said else "malformed")
        return
    assert action.name == said[0].name
    assert set(action.arguments) == ({"answers"} if action.name == "answer" else {"words", "page"})


@given(st.lists(st.text()), st.text(), st.integers())
def test_what_is_written_is_read(answers: list[str], words: str, page: int) -> None:
    for name, given_ in (("answer", {"answers": answers}), ("search", {"words": words, "page": page})):
        said = write_call("so", name, given_)
        action = read_call(Completion(said.content, said.tool_calls), TOOLS)
        read = {key: v if key == "words" else json.loads(v) for key, v in action.arguments.items()}
        assert (action.name, read) == (name, given_)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (ToolCall("c", "serch", "{}"), "did you mean 'search'"),
        (ToolCall("c", "search", "[1]"), "no JSON object"),
        (ToolCall("c", "search", "[" * 100_000), "no JSON object"),
        (ToolCall("c", "search", '{"words": "a"}'), "needs the argument 'page'"),
        (ToolCall("c", "search", '{"words": "a", "page": true}'), "must be of type integer"),
        (ToolCall("c", "search", '{"words": 1, "page": 1}'), "must be of type string"),
    ],
)
def test_what_does_not_fit_says_why(call: ToolCall, why: str) -> None:
    with pytest.raises(ActionError, match=why) as caught:
        read_call(Completion("", (call,)), TOOLS)
    assert caught.value.kind == "arguments"


def test_arguments_without_a_schema_are_dropped() -> None:
    call = ToolCall("c", "search", '{"words": "a", "page": 2, "more": 3}')
    assert read_call(Completion("t", (call,)), TOOLS) == Action(
        "search", {"words": "a", "page": "2"}, "t"
    )
