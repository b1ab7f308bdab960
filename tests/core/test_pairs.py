"""Pairs and values come back as they were written; a bad line is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.errors import DataError
from tmbr.core.pairs import Pair, Valued, read_pairs, read_valued, write_pairs, write_valued
from tmbr.core.types import Message, ToolCall

TOOL = {"type": "function", "function": {"name": "go", "parameters": {"type": "object"}}}
text = st.text(max_size=20)
calls = st.builds(ToolCall, text, text, text)
answers = st.builds(Message, st.just("assistant"), text, st.lists(calls, max_size=2).map(tuple))
heard = st.builds(Message, st.sampled_from(["system", "user"]), text)
prompts = st.lists(heard | answers, min_size=1, max_size=4).map(tuple)
tools = st.sampled_from([(), (TOOL,)])
ids = st.text(min_size=1, max_size=9)
pairs = st.builds(Pair, ids, prompts, answers, answers, tools, st.floats(0.01, 1))
valued = st.builds(Valued, ids, prompts, st.floats(0, 1), tools)


@given(st.lists(pairs, min_size=1, max_size=4))
def test_pairs_come_back(tmp_path_factory: pytest.TempPathFactory, content: list[Pair]) -> None:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    assert write_pairs(path, content) == len(content)
    assert read_pairs(path) == content


@given(st.lists(valued, min_size=1, max_size=4))
def test_values_come_back(tmp_path_factory: pytest.TempPathFactory, content: list[Valued]) -> None:
    path = tmp_path_factory.mktemp("values") / "values.jsonl"
    assert write_valued(path, content) == len(content)
    assert read_valued(path) == content


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"messages": [], "value": 1}', "messages: List should have at least 1 item"),
        ('{"messages": [{"role": "user", "content": "a"}], "value": 2}', "value: Input should be less"),
        ('{"messages": [{"role": "user", "content": "a"}]}', "value: Field required"),
        ("{", "row: Invalid JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "values.jsonl"
    write_valued(path, [Valued("a", (Message("user", "b"),), 0.5)])
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError) as error:
        read_valued(path)
    assert str(error.value).startswith(f"{path}:2: {why}")
