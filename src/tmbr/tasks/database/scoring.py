"""AgentBench's verdict on a committed answer (AgentBench src/server/tasks/dbbench/result_processor.py).

Values are compared as texts after a cleaning: quotes and blanks around them go, a percent sign goes, or
else thousands' commas do, and what says "nothing" is 0. Two numbers are equal within 0.01.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

TOLERANCE = 0.01
_NOTHING = frozenset(("none", "null", "undefined", "nan", "inf", "infinity", "-inf", "-infinity", ""))


def matches(answer: Any, label: Any) -> bool:
    """Whether an answer (a list, or a text that may be a printed list) is the label."""
    ours, theirs = clean(answer), clean(label)
    if all(map(_is_number, [*ours, *theirs])):
        return _same_numbers(ours, theirs)
    if len(ours) == 1 and len(theirs) == 1:
        return ours == theirs
    return set(ours) == set(theirs)


def clean(answer: Any) -> list[str]:
    """The parts of an answer as they are compared."""
    if isinstance(answer, str):
        said = answer.strip()
        if not (said.startswith("[") and said.endswith("]")):
            return [_value(said)]
        answer = _printed(said)
    if not isinstance(answer, list | tuple):
        return [_value(answer)]
    return [_value(one[0] if isinstance(one, tuple) and len(one) == 1 else one) for one in answer]


def _printed(said: str) -> Sequence[Any]:
    """The items of a list that was written out; one that is not quite a list is split at its commas."""
    try:
        made = ast.literal_eval(said)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return _split(said[1:-1])
    return made if isinstance(made, list) else [made]


def _split(inner: str) -> list[str]:
    items, current, quoted = [], "", False
    for char in inner:
        if char in "\"'":
            quoted = not quoted
        elif char == "," and not quoted:
            items.append(current)
            current = ""
        else:
            current += char
    return [item for item in (*items, current) if item]


def _value(one: Any) -> str:
    said = str(one).strip().strip("'\"").strip()
    if said.endswith("%"):
        return said[:-1].strip()
    if "," in said and not said.startswith("[") and not said.endswith("]"):
        said = said.replace(",", "")
    return "0" if said.lower() in _NOTHING else said


def _is_number(said: str) -> bool:
    try:
        float(said)
    except ValueError:
        return False
    return True


def _same_numbers(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Each number of one side has its own of the other, in any order."""
    if len(ours) != len(theirs):
        return False
    left = list(map(float, theirs))
    for number in map(float, ours):
        found = [i for i, other in enumerate(left) if abs(number - other) <= TOLERANCE]
        if not found:
            return False
        del left[found[0]]
    return True
