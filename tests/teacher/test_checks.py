"""What would make a template or a model stumble, named by its key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.teacher.items import tool
from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, ToolCall
from tmbr.teacher.checks import problems
from tmbr.teacher.statistics import Statistics

USER, DONE = Message("user", "u"), Message("assistant", "done")
A, B = ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}")
CALL, BOTH = Message("assistant", "", (A,)), Message("assistant", "", (A, B))
TO_A, TO_B = (Message("tool", "t", tool_call_id=id) for id in "ab")


def row(*said: Message, loss: float = 1.0) -> Row:
    turns = tuple(Turn(message, loss if message.role == "assistant" else 0.0) for message in said)
    return Row("r", turns, (tool("look"),))


@pytest.mark.parametrize(
    "said",
    [
        (USER, CALL, TO_A, DONE),
        (USER, BOTH, TO_B, TO_A, USER, DONE),
        (Message("system", "s"), USER, CALL),  # an episode ends with its last call
        (DONE,),
    ],
)
def test_sound_rows_have_none(said: tuple[Message, ...]) -> None:
    assert list(problems(row(*said))) == []


@pytest.mark.parametrize(
    ("said", "key", "why"),
    [
        ((USER, USER, DONE), "messages.1.role", "user follows user"),
        ((USER, DONE, DONE), "messages.2.role", "assistant follows assistant"),
        ((USER, Message("system", "s"), DONE), "messages.1.role", "at the beginning"),
        ((USER, CALL, USER, DONE), "messages.1.tool_calls", "'a' is not answered"),
        ((USER, BOTH, TO_A), "messages.1.tool_calls", "'b' is not answered"),
        ((USER, CALL, TO_B, DONE), "messages.2.tool_call_id", "'b' is no call"),
        ((USER, CALL, TO_A, TO_A, DONE), "messages.3.tool_call_id", "'a' is no call"),
        (
            (USER, replace(CALL, tool_calls=(ToolCall("a", "look", "{"),))),
            "messages.1.tool_calls.0.function.arguments",
            "no JSON object: '{'",
        ),
        (
            (USER, replace(CALL, tool_calls=(ToolCall("a", "look", "[" * 100_000),))),
            "messages.1.tool_calls.0.function.arguments",
            "no JSON object: '[[[",
        ),
        (
            (USER, replace(CALL, tool_calls=(ToolCall("a", "fly", "{}"),))),
            "messages.1.tool_calls.0.function.name",
            "'fly' is not among",
        ),
        ((USER, replace(CALL, tool_calls=(A, A))), "messages.1.tool_calls", "two calls have one id"),
    ],
)
def test_each_problem_names_its_key(said: tuple[Message, ...], key: str, why: str) -> None:
    assert any(at == key and why in told for at, told in problems(row(*said)))


def test_rows_that_teach_nothing_and_pairs_that_compare_nothing() -> None:
    assert [why for _, why in problems(row(USER, DONE, loss=0.0))] == [
        "no turn carries loss, so nothing is learnt from this row"
    ]
    pair = Pair("p", (USER, DONE), CALL, CALL)
    assert [key for key, _ in problems(pair)] == [
        "messages.1",
        "chosen.tool_calls.0.function.name",
        "rejected.tool_calls.0.function.name",
        "rejected",
    ]


def test_statistics_count_what_is_there() -> None:
    found = Statistics(tokens=lambda text: len(text.split()))
    for item in (
        row(USER, CALL, TO_A, DONE),
        row(USER, CALL, TO_A, DONE),
        row(USER, DONE),
        Pair("p", (USER,), DONE, CALL),
    ):
        found.add(item)
    assert (found.rows, found.pairs, found.turns, found.duplicates) == (3, 1, 13, 1)
    assert found.roles == {"user": 4, "assistant": 7, "tool": 2}
    assert found.tools == {"look": 3}
    assert found.trained == 7
    assert found.tokens_trained == 4 + 3 * 2  # `done`; `look` and `{}`
    assert found.lengths == {8: 3, 4: 1}
