"""Searches and clicks given by hand."""

from __future__ import annotations

from tmbr.core.types import Action


def search(keywords: str) -> Action:
    return Action("search_action", {"keywords": keywords})


def click(value: str) -> Action:
    return Action("click_action", {"value": value})
