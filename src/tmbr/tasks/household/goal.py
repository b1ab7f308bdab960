"""What a household task asks, read from its sentence.

The sentences are those of ALFWorld's task grammar (two or three wordings for each of six kinds).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Treatment = Literal["clean", "hot", "cool"]


@dataclass(frozen=True, slots=True)
class Goal:
    """thing: type of the object. place: type of the receptacle it goes to, None for the lamp task.
    lamp: type of the lamp to look under. count: how many things."""

    thing: str
    place: str | None = None
    treatment: Treatment | None = None
    lamp: str | None = None
    count: int = 1


_FORMS = (
    r"put (?:two|2) (?P<two>\w+) (?:in|on) (?P<place>\w+)",
    r"find two (?P<two>\w+) and put them (?:in|on) (?P<place>\w+)",
    r"(?P<verb>clean|heat|cool) some (?P<thing>\w+) and put it (?:in|on) (?P<place>\w+)",
    r"put an? (?P<adjective>clean|hot|cool) (?P<thing>\w+) (?:in|on) (?P<place>\w+)",
    r"put (?:some|a|an) (?P<thing>\w+) (?:in|on) (?P<place>\w+)",
    r"look at (?P<thing>\w+) under the (?P<lamp>\w+)",
    r"examine the (?P<thing>\w+) with the (?P<lamp>\w+)",
)
_TREATMENT: dict[str, Treatment] = {
    "clean": "clean",
    "heat": "hot",
    "hot": "hot",
    "cool": "cool",
}


def read_goal(sentence: str) -> Goal | None:
    """The goal of a task sentence, or None when it is of no known form."""
    for form in _FORMS:
        found = re.search(form, sentence)
        if not found:
            continue
        part = found.groupdict()
        asked = part.get("verb") or part.get("adjective")
        return Goal(
            thing=part.get("two") or part["thing"],
            place=part.get("place"),
            treatment=_TREATMENT[asked] if asked else None,
            lamp=part.get("lamp"),
            count=2 if part.get("two") else 1,
        )
    return None
