"""Mind2Web's metrics: of one step, and over many by step (micro) or by task (macro).

AgentBench reports the step success by step; the data's paper (Deng et al., 2023) averages by task, and
counts a task as done when all of its steps are right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tmbr.core.types import Score
from tmbr.environments.webpages import Chosen, WebStep

METRICS = ("element_accuracy", "operation_f1", "step_success")


def operation_f1(said: str, gold: str) -> float:
    """F1 of the sets of words, the operation among them."""
    ours, theirs = set(said.split()), set(gold.split())
    if not ours and not theirs:
        return 1.0
    both = len(ours & theirs)
    return 2 * both / (len(ours) + len(theirs))


def scored(chosen: Chosen | None, step: WebStep, reachable: bool) -> Score:
    """One step: success is the right element with the right operation and value.

    reachable: whether any right element was in the pool. A step without one, or without a choice at
    the end, scores zero.
    """
    element = action = 0.0
    if chosen is not None and reachable:
        element = float(chosen.id in {one.id for one in step.positives})
        action = operation_f1(chosen.action, step.target)
    success = element == 1.0 and action == 1.0
    return Score(
        float(success), success, dict(zip(METRICS, (element, action, float(success)), strict=True))
    )


def micro(details: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Each metric's mean over steps, from the scores' details; of no steps, 0."""
    steps = list(details)
    return {name: sum(step[name] for step in steps) / max(1, len(steps)) for name in METRICS}


def macro(details: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Each metric's mean over the tasks' means; `task_success` is the share of tasks all right.

    A task counts as right only when all of its steps were tried.
    """
    tasks: dict[str, list[Mapping[str, Any]]] = {}
    for detail in details:
        tasks.setdefault(detail["task"], []).append(detail)
    means = [micro(steps) for steps in tasks.values()]
    found = {name: sum(mean[name] for mean in means) / max(1, len(means)) for name in METRICS}
    right = [
        sum(step["step_success"] for step in steps) == steps[0]["steps"] for steps in tasks.values()
    ]
    return found | {"task_success": sum(right) / max(1, len(right))}
