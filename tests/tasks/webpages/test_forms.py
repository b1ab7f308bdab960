"""Both forms read any text: an action, or an ActionError."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import ActionError
from tmbr.core.types import Completion, Message
from tmbr.tasks.webpages.forms import FORMS, AgentBenchForm, Choice, Form, TextForm, choice_of
from tmbr.tasks.webpages.question import read_question

lines = st.sampled_from(
    (
        "Answer: ",
        "Action: ",
        "Value: ",
        "A",
        "F",
        "Z",
        "CLICK",
        "TYPE",
        "SELECT",
        "NONE",
        "\n",
        " ",
        "Oslo",
    )
)
texts = st.text() | st.lists(lines, max_size=14).map("".join)
choices = st.builds(
    Choice,
    st.sampled_from("BCDEF"),
    st.sampled_from(("TYPE", "SELECT")),
    st.from_regex(r"[a-z0-9ü€]([a-z0-9 ü€:]*[a-z0-9ü€])?", fullmatch=True),
) | st.builds(Choice, st.sampled_from("BCDEF"), st.just("CLICK"))


def upstream(text: str) -> tuple[str, str]:
    """AgentBench's postprocess_action_llm, told again."""
    text = text.strip()
    answer = re.search(r"Answer: (A|B|C|D|E|F)", text)
    action = re.search(r"Action: (CLICK|SELECT|TYPE)", text)
    value = re.search(r"Value: (.*)$", text, re.MULTILINE)
    parts = [action[1] if action else "", value[1].strip() if value else ""]
    return answer[1] if answer else "A", " ".join(parts).strip()


@given(texts)
def test_any_text_is_read_as_agentbench_reads_it(text: str) -> None:
    choice = AgentBenchForm().choice(text)
    assert (choice.answer, choice.action) == upstream(text)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Answer: C\nAction: SELECT\nValue: Queen ", Choice("C", "SELECT", "Queen")),
        ("I think so. Answer: B. Action: CLICK", Choice("B", "CLICK", "")),
        ("Answer: G\nAnswer: D\nAction: TYPE", Choice("D", "TYPE", "")),
        ("Action: TYPE\nValue: first\nValue: second\nAnswer: E", Choice("E", "TYPE", "first")),
        ("C.\nAction: CLICK", Choice("A", "CLICK", "")),
        ("answer: b\naction: click", Choice()),
    ],
)
def test_the_first_match_of_each_line_counts(text: str, choice: Choice) -> None:
    assert AgentBenchForm().choice(text) == choice


def test_no_answer_is_no_action() -> None:
    for text in ("", "C.\nAction: CLICK", "Answer: G"):
        with pytest.raises(ActionError) as told:
            AgentBenchForm().read(Completion(text))
        assert told.value.kind == "malformed"
    assert choice_of(AgentBenchForm("Y").read(Completion("Answer: G"))).answer == "G"


@pytest.mark.parametrize(
    ("line", "choice"),
    [
        ("Action: CLICK B", Choice("B", "CLICK")),
        ("  Action:TYPE C  New York ", Choice("C", "TYPE", "New York")),
        ("Action: SELECT D 2", Choice("D", "SELECT", "2")),
        ("Action: CLICK B now", Choice("B", "CLICK")),
        ("Action: NONE", Choice()),
        ("Action: TYPE B", Choice("B", "TYPE", "")),
    ],
)
def test_the_text_form_reads_its_line(line: str, choice: Choice) -> None:
    action = TextForm().read(Completion(f"Thought: so\n{line}\nAction: CLICK E"))
    assert choice_of(action) == choice


@pytest.mark.parametrize(
    "line",
    ["Action: CLICK", "Action: CLICK Button", "Action: hover B", "CLICK B", "Action: NONEXT", ""],
)
def test_what_is_no_action_line_is_no_action(line: str) -> None:
    with pytest.raises(ActionError):
        TextForm().read(Completion(f"Thought: so\n{line}"))


@pytest.mark.parametrize("name", FORMS)
@given(texts)
def test_any_text_is_an_action_or_an_error(name: str, text: str) -> None:
    with suppress(ActionError):
        action = FORMS[name]().read(Completion(text))
        assert set(action.arguments) == {"answer", "action", "value"}
        assert choice_of(action).as_action(text) == action


@pytest.mark.parametrize("name", FORMS)
@given(choices)
def test_what_is_written_is_read_back(name: str, choice: Choice) -> None:
    form: Form = FORMS[name]()
    for said in (choice, Choice()):
        written = form.write("I think so.", said)
        assert choice_of(form.read(Completion(written.content))) == said


def test_long_texts_are_read_in_a_moment() -> None:
    for text in ("Action: " * 50_000, "Action:" + " " * 200_000, "Answer: " * 50_000, "\n" * 200_000):
        began = time.monotonic()
        for name in FORMS:
            with suppress(ActionError):
                FORMS[name]().read(Completion(text))
        assert time.monotonic() - began < 2


def test_three_worked_examples_come_first_and_are_right() -> None:
    messages = AgentBenchForm().messages("THE PAGE")
    assert [message.role for message in messages] == ["system", *("user", "assistant") * 3, "user"]
    assert messages[-1] == Message("user", "THE PAGE")
    answers = []
    for asked, answered in zip(messages[1:-1:2], messages[2::2], strict=False):
        question = read_question(asked.content)
        assert question is not None
        assert str(question) == asked.content
        answers.append(AgentBenchForm().choice(answered.content))
    assert answers == [Choice("C", "CLICK"), Choice("C", "TYPE", "Hull"), Choice()]
    (only,) = TextForm().messages("THE PAGE")
    assert only.content.endswith("THE PAGE")
