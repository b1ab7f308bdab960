"""The two forms: parsers total over any input, and AgentBench's closest-command rule."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.reference.scenes import quirky
from tmbr.core.errors import ActionError
from tmbr.core.types import Action, Completion, ToolCall
from tmbr.tasks.household.forms import FORMS, TextForm, ToolForm, bleu

texts = st.text() | st.text("Action: \n\tlok").map(lambda text: f"Thought: x\n{text}")
arguments = st.text() | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["action", "a"]), inner),
).map(json.dumps)
calls = st.builds(ToolCall, st.just("c"), st.just("take_action") | st.text(), arguments)


def read(form: TextForm | ToolForm, completion: Completion) -> Action | ActionError:
    try:
        return form.read(completion)
    except ActionError as error:
        return error


@given(texts, st.lists(calls, max_size=2))
@example("", [ToolCall("c", "take_action", "[" * 100_000)])
@example("", [ToolCall("c", "take_action", '{"action": "\\ud800"}')])
def test_any_completion_is_an_action_or_an_action_error(text: str, calls: list[ToolCall]) -> None:
    for form in FORMS.values():
        found = read(form(), Completion(text, tuple(calls)))
        if isinstance(found, Action):
            assert found.name == "take_action"
            assert found.arguments["action"].strip()
            assert set(found.arguments) == {"action"}
        else:
            assert found.kind in ("malformed", "arguments")
            assert found.why


@pytest.mark.parametrize("form", FORMS)
@given(thought=st.text("abc .:", max_size=30), command=st.sampled_from(quirky().start().admissible))
def test_what_is_written_is_read(form: str, thought: str, command: str) -> None:
    said = FORMS[form]().write(thought, command)
    action = FORMS[form]().read(Completion(said.content, said.tool_calls))
    assert action.arguments == {"action": command}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Thought: so\nAction: look", "look"),
        ("Action: look\nAction: inventory", "look"),
        ("  Action:\tgo to bed 1  \nmore", "go to bed 1"),
        ("Action: look\r\n", "look"),
        ("Action:\nlook", None),
        ("Action: \n", None),
        ("my Action: look", None),
        ("action: look", None),
    ],
)
def test_the_text_form_reads_the_first_action_line(text: str, command: str | None) -> None:
    found = read(TextForm(), Completion(text))
    if command is None:
        assert isinstance(found, ActionError)
        assert found.kind == "malformed"
    else:
        assert isinstance(found, Action)
        assert found.arguments["action"].strip() == command


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (None, "malformed"),
        (("fly", '{"action": "look"}'), "arguments"),
        (("take_action", "look"), "arguments"),
        (("take_action", '{"action": 1}'), "arguments"),
        (("take_action", '{"action": " "}'), "arguments"),
        (("take_action", '["look"]'), "arguments"),
        (("take_action", '{"action": "look"}'), None),
    ],
)
def test_the_tool_form_reads_the_first_call(call: tuple[str, str] | None, kind: str | None) -> None:
    calls = (ToolCall("c", *call), ToolCall("d", "fly", "")) if call else ()
    found = read(ToolForm(), Completion("Action: look", calls))
    assert (found.kind if isinstance(found, ActionError) else None) == kind


OFFERED = ("go to cabinet 1", "go to cabinet 2", "inventory", "look", "take mug 1 from cabinet 1")


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("look", "look"),
        ("go to cabinet", "go to cabinet 1"),  # the first of the best
        ("go to the cabinet 2", "go to cabinet 2"),
        ("take the mug 1 from the cabinet 1", "take mug 1 from cabinet 1"),
        ("lok", "lok"),
        ("cabinet", "go to cabinet 1"),
        ("", ""),
    ],
)
def test_the_closest_command_is_taken(written: str, taken: str) -> None:
    assert ToolForm().repair(written, OFFERED) == taken
    assert TextForm().repair(written, OFFERED) == written
    assert ToolForm().repair(written, ()) == written


@pytest.mark.filterwarnings("ignore")
def test_bleu_is_nltks() -> None:
    reason = "nltk, which comes with the extra `reference`, is not installed"
    score = pytest.importorskip("nltk.translate.bleu_score", reason=reason)
    smooth = score.SmoothingFunction().method4
    rng = random.Random(0)
    words = ["go", "to", "take", "mug", "cabinet", "from", "1", "2", "3", "put", "in/on", "the"]
    for _ in range(3000):
        reference = rng.choices(words, k=rng.randint(1, 7))
        candidate = rng.choices(words, k=rng.randint(1, 9))
        if rng.random() < 0.5:
            candidate = [w if rng.random() < 0.8 else rng.choice(words) for w in reference]
        theirs = score.sentence_bleu([reference], candidate, smoothing_function=smooth)
        assert bleu(reference, candidate) == pytest.approx(theirs, abs=1e-12), (reference, candidate)
    assert bleu(["look"], []) == 0.0
