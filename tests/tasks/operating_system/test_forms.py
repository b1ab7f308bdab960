"""Reading and writing actions in both forms."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import ActionError
from tmbr.core.types import Completion, ToolCall
from tmbr.tasks.operating_system.forms import ANSWER, ARGUMENT, BASH, FINISH, TextForm, ToolForm

TEXT, TOOL = TextForm(), ToolForm()


@pytest.mark.parametrize(
    ("said", "name", "argument"),
    [
        ("Thought: x\nAction: bash_action ls -l", BASH, "ls -l"),
        ("Action: bash_action\n```bash\nls\npwd\n```\nand more", BASH, "ls\npwd"),
        (
            "Action: bash_action for i in 1 2\ndo echo $i\ndone\nObservation: 1",
            BASH,
            "for i in 1 2\ndo echo $i\ndone",
        ),
        ("Action: answer_action: 42", ANSWER, "42"),
        ("Thought: x\nAction: finish_action", FINISH, ""),
        ("Action: finish_action\nThought: more", FINISH, ""),
    ],
)
def test_text_actions(said: str, name: str, argument: str) -> None:
    action = TEXT.read(Completion(said))
    assert (action.name, action.arguments) == (name, {ARGUMENT[name]: argument})


@pytest.mark.parametrize(
    "said", ["", "ls", "Action: bash_action", "Action: rm -rf /", "Action: answer_action "]
)
def test_text_without_an_action_is_malformed(said: str) -> None:
    with pytest.raises(ActionError) as error:
        TEXT.read(Completion(said))
    assert error.value.kind == "malformed"


def test_calls_need_their_tool_and_argument() -> None:
    for name, arguments in (
        (BASH, "{}"),
        (BASH, "no json"),
        ("bash", '{"script": "ls"}'),
        (ANSWER, '{"answer": 5}'),
    ):
        with pytest.raises(ActionError) as error:
            TOOL.read(Completion("", (ToolCall("1", name, arguments),)))
        assert error.value.kind == "arguments"
    with pytest.raises(ActionError):
        TOOL.read(Completion("ls"))


@given(st.sampled_from((BASH, ANSWER, FINISH)), st.text(max_size=80))
def test_what_is_written_as_a_call_is_read_back(name: str, argument: str) -> None:
    said = TOOL.write("so", name, argument)
    assert TOOL.read(Completion(said.content, said.tool_calls)).arguments == {ARGUMENT[name]: argument}


@given(st.text(max_size=200))
def test_any_text_is_an_action_or_an_action_error(text: str) -> None:
    for form in (TEXT, TOOL):
        with suppress(ActionError):
            form.read(Completion(text))
        with suppress(ActionError):
            form.read(Completion(f"Action: bash_action {text}", (ToolCall("1", BASH, text),)))
