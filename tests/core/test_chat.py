"""A conversation as chat templates are given it."""

from __future__ import annotations

import pytest

from tmbr.core.chat import template_message
from tmbr.core.types import Message, ToolCall


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ('{"at": "shelf"}', {"at": "shelf"}),
        ("{at: shelf", "{at: shelf"),
        ("[" * 100_000, "[" * 100_000),  # deeper than a reader of JSON follows
    ],
)
def test_arguments_are_data_where_they_can_be_read(written: str, given: object) -> None:
    message = Message("assistant", "", (ToolCall("a", "look", written),))
    assert template_message(message)["tool_calls"][0]["function"]["arguments"] == given
