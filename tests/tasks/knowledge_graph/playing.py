"""Calls given by hand."""

from __future__ import annotations

from tmbr.core.types import Action
from tmbr.environments.knowledge_graph import read_calls
from tmbr.tasks.knowledge_graph.forms import ANSWER


def call(text: str) -> Action:
    """`count(#0)`, or a variable alone for the final answer."""
    if text.startswith("#"):
        return Action(ANSWER, {"variable": text})
    (read,) = read_calls([text])
    return Action(read.name, read.named)
