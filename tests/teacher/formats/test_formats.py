"""What others' files look like, and what is said of what cannot be used."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.items import tool
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, ToolCall
from tmbr.teacher.formats.base import BadRow, Lost
from tmbr.teacher.formats.known import by_name, recognised

CALL = ToolCall("call_1", "look", '{"at": "shelf"}')
#: What each of the files below says, all in their own words.
CALLS = (
    Turn(Message("system", "You live here.")),
    Turn(Message("user", "Look.")),
    Turn(Message("assistant", "I look.", (CALL,)), 1.0),
    Turn(Message("tool", "A mug.", tool_call_id="call_1")),
    Turn(Message("assistant", "A mug is there."), 1.0),
)
LOOK = {"name": "look", "arguments": {"at": "shelf"}}
SYSTEM, USER = {"role": "system", "content": "You live here."}, {"role": "user", "content": "Look."}
ANSWER = {"role": "assistant", "content": "A mug is there."}
TOOLS = [tool("look")]
#: Deeper than any reader of JSON follows.
DEEP = "[" * 100_000

FOREIGN: list[tuple[str, dict[str, Any]]] = [
    (
        "messages",  # as OpenAI's fine-tuning takes it
        {
            "messages": [
                SYSTEM,
                USER,
                {
                    "role": "assistant",
                    "content": [{"type": "text", "text": "I "}, {"type": "text", "text": "look."}],
                    "refusal": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "look", "arguments": '{"at": "shelf"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "A mug."},
                ANSWER,
            ],
            "tools": TOOLS,
        },
    ),
    (
        "messages",  # TRL's: no ids, arguments as data, the tool's answer by name
        {
            "messages": [
                SYSTEM,
                USER,
                {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [{"type": "function", "function": LOOK}],
                },
                {"role": "tool", "name": "look", "content": "A mug."},
                ANSWER,
            ],
            "tools": TOOLS,
        },
    ),
    (
        "sharegpt",  # LLaMA-Factory's: the thought in front, tools as bare functions in text
        {
            "conversations": [
                {"from": "human", "value": "Look."},
                {"from": "function_call", "value": f"<think>I look.</think>{json.dumps(LOOK)}"},
                {"from": "observation", "value": "A mug."},
                {"from": "gpt", "value": "A mug is there."},
            ],
            "system": "You live here.",
            "tools": json.dumps([TOOLS[0]["function"]]),
        },
    ),
]


@pytest.mark.parametrize(("name", "record"), FOREIGN)
def test_files_of_others_say_the_same(name: str, record: dict[str, Any]) -> None:
    assert recognised(record, "file").name == name
    lost = Lost()
    assert by_name(name).read(record, "7", lost) == Row("7", CALLS, tuple(TOOLS))
    assert not lost.counts


def test_loss_is_read_as_others_write_it() -> None:
    shared = {
        "conversations": [  # AgentTuning's
            {"from": "human", "loss": None, "value": "a"},
            {"from": "gpt", "loss": False, "value": "OK"},
            {"from": "human", "loss": None, "value": "b"},
            {"from": "gpt", "loss": True, "value": "Act"},
        ]
    }
    row = by_name("sharegpt").read(shared, "1", Lost())
    assert [turn.loss for turn in row.turns] == [0, 0, 0, 1]  # type: ignore[union-attr]
    weights = {"messages": [USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}]}  # OpenAI's
    row = by_name("messages").read(weights, "1", Lost())
    assert [turn.loss for turn in row.turns] == [0, 0, 0, 1]  # type: ignore[union-attr]


def test_alpaca_with_input_system_and_history() -> None:
    record = {
        "instruction": "Translate.",
        "input": "mug",
        "output": "Becher",
        "system": "Be brief.",
        "history": [["Hello", "Hi"]],
        "category": "language",
    }
    lost = Lost()
    row = by_name("alpaca").read(record, "3", lost)
    assert [(turn.message.content, turn.loss) for turn in row.turns] == [  # type: ignore[union-attr]
        ("Be brief.", 0),
        ("Hello", 0),
        ("Hi", 1),
        ("Translate.\nmug", 0),
        ("Becher", 1),
    ]
    assert lost.counts == {"column 'category'": 1}


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "Look.", "chosen": "A mug.", "rejected": "No."},
        {
            "chosen": [USER, {"role": "assistant", "content": "A mug."}],
            "rejected": [USER, {"role": "assistant", "content": "No."}],
        },
    ],
)
def test_preferences_as_text_or_with_the_prompt_in_both(record: dict[str, Any]) -> None:
    form = recognised(record, "file")
    assert form.name == "trl-preference"
    asked = (Message("user", "Look."),)
    chosen, rejected = Message("assistant", "A mug."), Message("assistant", "No.")
    assert form.read(record, "1", Lost()) == Pair("1", asked, chosen, rejected)


@pytest.mark.parametrize(
    ("name", "record", "key", "why"),
    [
        (
            "messages",
            {"messages": [USER, {"role": "assistant", "content": None}]},
            "messages.1",
            "empty assistant turn",
        ),
        (
            "messages",
            {"messages": [USER, {"role": "assistant", "content": " \n"}]},
            "messages.1",
            "empty assistant turn",
        ),
        ("messages", {"messages": []}, "messages", "is empty"),
        (
            "messages",
            {"messages": [{"role": "robot", "content": ""}]},
            "messages.0.role",
            "not 'robot'",
        ),
        (
            "messages",
            {"messages": [{**USER, "loss": 1}]},
            "messages.0.loss",
            "belongs to assistant turns",
        ),
        ("messages", {"messages": [{**USER, "content": "\ud800"}]}, "messages.0.content", "surrogate"),
        ("messages", {"messages": [{"role": "tool", "content": "a"}]}, "messages.0", "answers no call"),
        (
            "messages",
            {"messages": [{**USER, "content": [{"type": "image_url"}]}]},
            "messages.0.content.0",
            "'image_url'",
        ),
        (
            "messages",
            {"messages": [USER, {**ANSWER, "tool_calls": [{"id": "a"}]}]},
            "messages.1.tool_calls.0.name",
            "missing",
        ),
        ("messages", {"messages": [USER, ANSWER], "tools": "[{"}, "tools", "is no JSON"),
        ("messages", {"messages": [USER, ANSWER], "tools": [{}]}, "tools.0", "has no name"),
        ("messages", {"messages": [USER, ANSWER], "tools": DEEP}, "tools", "is no JSON"),
        (
            "messages",
            {"messages": [USER, ANSWER], "tools": [{"name": "\ud800"}]},
            "tools.0",
            "surrogate",
        ),
        (
            "messages",  # as a Parquet file may hold it
            {"messages": [USER, ANSWER], "tools": [{"name": "a", "since": date(2024, 1, 1)}]},
            "tools.0",
            "as JSON",
        ),
        ("messages", {"id": "\ud800", "messages": [USER, ANSWER]}, "id", "surrogate"),
        (
            "messages",
            {"messages": [USER, {**ANSWER, "tool_calls": [{"id": "\ud800", "function": LOOK}]}]},
            "messages.1.tool_calls.0.id",
            "surrogate",
        ),
        (
            "messages",
            {"messages": [USER, {**ANSWER, "loss": 10**400}]},
            "messages.1.loss",
            "a number of at least 0",
        ),
        (
            "messages",
            {"messages": [USER, {**ANSWER, "weights": 3}]},
            "messages.1.weights",
            "must be a list, not 3",
        ),
        (
            "messages",
            {"messages": [USER, {**ANSWER, "weights": [[0, 1, float("inf")]]}]},
            "messages.1.weights",
            "is no span",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "gpt", "value": ""}]},
            "conversations.0",
            "empty assistant turn",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "bot", "value": ""}]},
            "conversations.0.from",
            "not 'bot'",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "function_call", "value": "look"}]},
            "conversations.0.value",
            "no call as JSON",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "function_call", "value": DEEP}]},
            "conversations.0.value",
            "no call as JSON",
        ),
        ("alpaca", {"instruction": "a", "output": ""}, "messages.1", "empty assistant turn"),
        ("alpaca", {"instruction": "a", "output": "b", "history": ["c"]}, "history", "list of"),
        ("prompt-response", {"prompt": "a", "response": " "}, "messages.1", "empty assistant turn"),
        ("prompt-response", {"prompt": "a"}, "response", "is missing"),
        ("text", {"text": 5}, "text", "must be text"),
        ("trl-prompt", {"prompt": [USER], "completion": []}, "completion", "is empty"),
        (
            "trl-preference",
            {"prompt": "a", "chosen": "b", "rejected": ""},
            "rejected.0",
            "empty assistant turn",
        ),
        (
            "pairs",
            {"messages": [USER], "chosen": ANSWER, "rejected": ANSWER, "margin": 2},
            "margin",
            "(0, 1]",
        ),
    ],
)
def test_a_bad_row_says_where_and_why(name: str, record: dict[str, Any], key: str, why: str) -> None:
    with pytest.raises(BadRow) as caught:
        by_name(name).read(record, "1", Lost())
    assert caught.value.key == key
    assert why in caught.value.why


ROW = Row("r", CALLS, tuple(TOOLS))
PLAIN = Row("p", (Turn(Message("user", "a")), Turn(Message("assistant", "b"), 1.0)))
UNTRAINED = Row("u", (*PLAIN.turns, Turn(Message("user", "c")), Turn(Message("assistant", "d"), 0.0)))
BROKEN = Row("b", (*CALLS[:2], Turn(Message("assistant", "", (ToolCall("c", "look", "{"),)), 1.0)))
SPANS = Row("w", (Turn(Message("user", "a")), Turn(Message("assistant", "b"), 1.0, ((0, 1, 2.0),))))
PAIR = Pair("p", (Message("user", "a"),), Message("assistant", "b"), Message("assistant", "c"))


@pytest.mark.parametrize(
    ("name", "item", "what"),
    [
        ("trl", UNTRAINED, "loss of its own for a turn"),
        ("trl", SPANS, "weights within a turn"),
        ("trl", BROKEN, "arguments that are no JSON object"),
        ("trl", PAIR, "answer that was rejected"),
        ("sharegpt", SPANS, "weights within a turn"),
        ("trl-prompt", UNTRAINED, "turn after the last answer"),
        ("trl-prompt", ROW, "turn between two answers that does not train"),
        ("prompt-response", Row("t", PLAIN.turns, tuple(TOOLS)), "tools"),
        ("prompt-response", Row("s", (CALLS[0], *PLAIN.turns)), "system message"),
    ],
)
def test_what_a_format_cannot_hold_is_an_error_or_is_counted(
    name: str, item: Row | Pair, what: str
) -> None:
    with pytest.raises(BadRow, match=f"holds no {what}"):
        by_name(name).write(item, Lost(strict=True))
    lost = Lost()
    by_name(name).write(item, lost)
    assert lost.counts[what] == 1


@pytest.mark.parametrize(
    ("name", "item", "why"),
    [
        ("alpaca", ROW, "calls or answers a tool"),
        ("alpaca", Row("a", (*PLAIN.turns, *PLAIN.turns[1:])), "questions and answers in turn"),
        ("prompt-response", Row("a", PLAIN.turns * 2), "has 2 questions"),
        ("text", PLAIN, "is a conversation"),
        ("trl-preference", ROW, "a row has one answer"),
        ("trl-prompt", Row("a", PLAIN.turns[:1]), "an answer that trains"),
    ],
)
def test_what_would_leave_nothing_is_always_an_error(name: str, item: Row | Pair, why: str) -> None:
    with pytest.raises(BadRow, match=why):
        by_name(name).write(item, Lost())


def test_unknown_formats_are_named() -> None:
    with pytest.raises(ConfigError, match="did you mean 'sharegpt'"):
        by_name("sharegtp")
    with pytest.raises(
        DataError, match=r"file: the keys of its first row \(a, b\) are of no known format"
    ):
        recognised({"a": 1, "b": 2}, "file")


def test_what_readers_of_others_expect() -> None:
    """Calls as data and names for TRL; a value that LLaMA-Factory takes apart for ShareGPT."""
    written = by_name("trl").write(ROW, Lost(strict=True))["messages"]
    assert written[2]["tool_calls"][0]["function"] == LOOK
    assert written[3] == {"role": "tool", "content": "A mug.", "tool_call_id": "call_1", "name": "look"}
    shared = by_name("sharegpt").write(ROW, Lost(strict=True))
    thought, _, call = shared["conversations"][1]["value"].partition("</think>")
    assert thought.strip() == "<think>\nI look."
    assert json.loads(call) == {"id": "call_1", **LOOK}
    assert json.loads(shared["tools"]) == TOOLS


def test_datasets_reads_what_is_written(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    from tmbr.teacher.formats.files import writing

    for suffix in (".jsonl", ".parquet"):
        path = tmp_path / f"rows{suffix}"
        with writing(path, by_name("messages")) as write:
            write(by_name("messages").write(ROW, Lost()), Lost())
        kind = "json" if suffix == ".jsonl" else "parquet"
        found = datasets.load_dataset(
            kind, data_files=str(path), split="train", cache_dir=str(tmp_path)
        )
        assert found[0]["messages"][2]["tool_calls"][0]["function"]["name"] == "look"
        assert found[0]["messages"][4]["loss"] == 1.0
