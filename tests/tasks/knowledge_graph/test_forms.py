"""How calls and answers are read and written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import ActionError
from tmbr.core.types import Completion, ToolCall
from tmbr.environments.knowledge_graph import TOOLS
from tmbr.tasks.knowledge_graph.forms import ANSWER, FORMS, TextForm, ToolForm

TEXT, TOOL = TextForm(), ToolForm()


def called(name: str, arguments: object, text: str = "") -> Completion:
    said = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return Completion(text, (ToolCall("1", name, said),))


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("Action: count(#0)", "count", ["#0"]),
        ("Thought: x\n  Action:  argmax ( #0 , a.b.c )  \nmore", "argmax", ["#0", "a.b.c"]),
        ("Action: get_relations(Did you? (Yes, I did))", "get_relations", ["Did you? (Yes, I did)"]),
        ("Action: get_neighbors(A, B, and C, a.b.c)", "get_neighbors", ["A, B, and C", "a.b.c"]),
        ("Action: count(#0)\nAction: count(#1)", "count", ["#0"]),
        ("Final Answer: #7\nAction: count(#1)", "count", ["#1"]),
    ],
)
def test_a_line_of_text_is_a_call(text: str, name: str, arguments: list[str]) -> None:
    action = TEXT.read(Completion(text))
    assert (action.name, list(action.arguments.values())) == (name, arguments)
    assert list(action.arguments) == list(TOOLS[name][1])


@pytest.mark.parametrize("form", [TEXT, TOOL], ids=lambda form: form.name)
@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("Final Answer: #3", "#3"),
        ("So it is. Find Answer: #12. Final Answer: #3", "#12"),
        ("Final\\_ Answer: #1 Final Answer: #2", "#2"),
        ("Final Answer: #1\nObservation: Final Answer: #2", "#1"),
    ],
)
def test_a_final_answer_is_read_as_agentbench_reads_it(
    form: TextForm | ToolForm, text: str, variable: str
) -> None:
    action = form.read(Completion(text))
    assert (action.name, dict(action.arguments)) == (ANSWER, {"variable": variable})


@pytest.mark.parametrize("form", [TEXT, TOOL], ids=lambda form: form.name)
@pytest.mark.parametrize(
    "text", ["", "final answer: #3", "Final Answer: 3", "Observation: Final Answer: #2", "count(#0)"]
)
def test_what_is_neither_is_malformed(form: TextForm | ToolForm, text: str) -> None:
    with pytest.raises(ActionError) as caught:
        form.read(Completion(text))
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize(
    "text", ["Action: fly(#0)", "Action: argmax(#0)", "Action: count()", "Action: union(#0, #1)"]
)
def test_a_text_call_that_does_not_fit_is_told_apart(text: str) -> None:
    with pytest.raises(ActionError) as caught:
        TEXT.read(Completion(text))
    assert caught.value.kind == "arguments"


def test_a_tool_call_goes_before_an_answer_beside_it() -> None:
    action = TOOL.read(called("count", {"variable": "#0"}, "Final Answer: #3"))
    assert (action.name, dict(action.arguments)) == ("count", {"variable": "#0"})


@pytest.mark.parametrize(
    "completion",
    [
        called("union", {"variable1": "#0", "variable2": "#1"}),
        called("argmax", {"variable": "#0"}),
        called("count", {"variable": 0}),
        called("count", "{"),
    ],
)
def test_a_tool_call_that_does_not_fit_is_told_apart(completion: Completion) -> None:
    with pytest.raises(ActionError) as caught:
        TOOL.read(completion)
    assert caught.value.kind == "arguments"


def test_the_tools_are_agentbenchs() -> None:
    told = {tool["function"]["name"]: tool["function"]["parameters"] for tool in TOOL.tools}
    assert {name: tuple(p["required"]) for name, p in told.items()} == {
        name: parameters for name, (_, parameters) in TOOLS.items()
    }
    assert TEXT.tools == ()


words = st.from_regex(r"[^\s#,()][^\n\r,]{0,10}[^\s,()]", fullmatch=True)


@pytest.mark.parametrize("form", [TEXT, TOOL], ids=lambda form: form.name)
@given(st.sampled_from(sorted(TOOLS)), words, words, st.integers(0, 99))
def test_what_is_written_is_read_back(
    form: TextForm | ToolForm, name: str, one: str, other: str, number: int
) -> None:
    arguments = dict(zip(TOOLS[name][1], (one.strip(), other.strip()), strict=False))
    told = form.write("I think.", name, arguments)
    said = form.read(Completion(told.content, told.tool_calls))
    assert (said.name, dict(said.arguments)) == (name, arguments)
    told = form.write("Done.", ANSWER, {"variable": f"#{number}"})
    answer = form.read(Completion(told.content, told.tool_calls))
    assert (answer.name, answer.arguments["variable"]) == (ANSWER, f"#{number}")


@pytest.mark.parametrize("form", FORMS)
@given(st.text() | st.text().map("Action: count({})".format), st.text(), st.text())
def test_any_output_is_an_action_or_an_error(form: str, text: str, name: str, arguments: str) -> None:
    reader = FORMS[form]()
    for completion in (Completion(text), called(name, arguments, text), called("count", arguments)):
        try:
            action = reader.read(completion)
        except ActionError:
            continue
        assert action.name in (*TOOLS, ANSWER)
