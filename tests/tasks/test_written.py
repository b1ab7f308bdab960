"""Actions with a text of its own: what is written is read back, and where such a text ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import ActionError
from tmbr.tasks.written import Written

WRITTEN = Written({"run": "script", "stop": "why", "say": "answer"}, bare=frozenset({"stop"}))
texts = st.text(min_size=1, max_size=60).map(str.strip).filter(bool)


@given(st.sampled_from(["run", "say"]), texts.filter(lambda t: "```" not in t and ":" not in t))
def test_what_is_written_is_read_back(name: str, text: str) -> None:
    found = WRITTEN.read(WRITTEN.write("I think.", name, text))
    assert (found.name, dict(found.arguments)) == (name, {WRITTEN.arguments[name]: text})


@pytest.mark.parametrize(
    ("turn", "name", "text"),
    [
        ("Action: run ls\nThought: and now", "run", "ls"),
        ("Action: run a\nb\nObservation: c", "run", "a\nb"),
        ("Thought: so\nAction: run: ls", "run", "ls"),
        ("Action: run\n```bash\nls\npwd\n```\nThat is it.", "run", "ls\npwd"),
        ("Action: say 1\nAction: run ls", "say", "1"),
        ("Action: stop", "stop", ""),
    ],
)
def test_a_text_goes_on_to_what_is_plainly_no_part_of_it(turn: str, name: str, text: str) -> None:
    found = WRITTEN.read(turn)
    assert (found.name, found.arguments[WRITTEN.arguments[name]]) == (name, text)


@pytest.mark.parametrize("turn", ["", "run ls", "Action: run", "Action: runs ls", "Action: walk north"])
def test_the_error_names_every_tool(turn: str) -> None:
    with pytest.raises(ActionError) as error:
        WRITTEN.read(turn)
    assert error.value.kind == "malformed"
    told = "there is no line `Action: run …`, `Action: stop` or `Action: say …`"
    assert error.value.why == told


@given(st.text(max_size=300))
def test_any_text_is_an_action_or_an_error(text: str) -> None:
    try:
        found = WRITTEN.read(text).name
    except ActionError as error:
        found = error.kind
    assert found in {*WRITTEN.arguments, "malformed"}
