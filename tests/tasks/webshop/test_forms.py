"""The two forms: parsers total over any input, and WebShop's way of reading an action."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tmbr.core.errors import ActionError
from tmbr.core.types import Action, Completion, ToolCall
from tmbr.tasks.webshop.forms import ARGUMENTS, FORMS, TextForm, ToolForm, parse_action

texts = st.text() | st.text("Action: searchclick[]\n").map(lambda text: f"Thought: x\n{text}")
arguments = st.text() | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["keywords", "value"]), inner),
).map(json.dumps)
calls = st.builds(ToolCall, st.just("c"), st.sampled_from([*ARGUMENTS, "buy"]) | st.text(), arguments)


def read(form: TextForm | ToolForm, completion: Completion) -> Action | ActionError:
    try:
        return form.read(completion)
    except ActionError as error:
        return error


@given(texts, st.lists(calls, max_size=2))
@example("Action: search[" + "[" * 100_000, [])
@example("", [ToolCall("c", "search_action", '{"keywords": "\\ud800"}')])
def test_any_completion_is_an_action_or_an_action_error(text: str, calls: list[ToolCall]) -> None:
    for form in FORMS.values():
        found = read(form(), Completion(text, tuple(calls)))
        if isinstance(found, Action):
            assert list(found.arguments) == [ARGUMENTS[found.name]]
        else:
            assert found.kind in ("malformed", "arguments")
            assert found.why


@given(st.text("ab[]\n.") | st.text("click[]\n"))
def test_actions_are_read_as_webshops_pattern_reads_them(text: str) -> None:
    found = re.match(r"(.+)\[(.+)\]", text)
    assert parse_action(text) == ((found[1], found[2]) if found else (text, None))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ARGUMENTS)
@given(thought=st.text("abc .:", max_size=30), argument=st.text("abc12 <>|'.", min_size=1))
def test_what_is_written_is_read(form: str, name: str, thought: str, argument: str) -> None:
    said = FORMS[form]().write(thought, name, argument)
    action = FORMS[form]().read(Completion(said.content, said.tool_calls))
    assert (action.name, dict(action.arguments)) == (name, {ARGUMENTS[name]: argument})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Thought: so\nAction: search[red shoes]", ("search_action", "red shoes")),
        ("Action: click[Buy Now]\nAction: click[x]", ("click_action", "Buy Now")),
        ("  Action:\tclick[< Prev] please ", ("click_action", "< Prev")),
        ("Action: search[]", None),
        ("Action: search red shoes", None),
        ("Action: buy[x]", None),
        ("Action:\nsearch[x]", None),
        ("search[x]", None),
    ],
)
def test_the_text_form_reads_the_first_action_line(text: str, found: tuple[str, str] | None) -> None:
    action = read(TextForm(), Completion(text))
    if found is None:
        assert isinstance(action, ActionError)
        assert action.kind == "malformed"
    else:
        assert isinstance(action, Action)
        assert (action.name, *action.arguments.values()) == found


def test_prompts_name_what_there_is() -> None:
    assert all(word in TextForm.prompt for word in ("search[", "click[", "Thought:", "Action:"))
    assert all(word in ToolForm.prompt for word in ARGUMENTS)
    assert TextForm.prompt.endswith("\n\n")
