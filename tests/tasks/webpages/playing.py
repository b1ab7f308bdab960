"""Choices given by hand, and which recorded steps can be got right."""

from __future__ import annotations

from tmbr.core.types import Action
from tmbr.environments.webpages import BATCH
from tmbr.tasks.webpages.forms import Choice
from tmbr.tasks.webpages.session import Recorded


def choose(answer: str, operation: str = "CLICK", value: str = "") -> Action:
    return Choice(answer, operation, value).as_action("")


def winnable(asked: Recorded) -> bool:
    """Whether the right answers get a step right: its pool has a right element, and that is asked for,
    which the last of six candidates is not (when none of the first five is taken, it is left over)."""
    positives = {one.id for one in asked.step.positives}
    left_over = len(asked.pool.pool) == BATCH + 1 and positives.isdisjoint(asked.pool.batch)
    return asked.reachable and not left_over
