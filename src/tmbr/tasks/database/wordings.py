"""The sentences of our own requests, and their readers: one list of patterns for both.

`{value}` and the like stand in single quotes; a column is named as the table has it.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: type of request -> its sentences.
WORDINGS: dict[str, tuple[str, ...]] = {
    "other": (
        "What is the {wanted} of the entry whose {column} is '{value}'?",
        "Look up the {wanted} where the {column} is '{value}'.",
    ),
    "counting": (
        "How many entries have '{value}' as their {column}?",
        "Count the entries whose {column} is '{value}'.",
    ),
    "comparison": (
        "List each {wanted} with a {column} above {value}.",
        "Which entries, by {wanted}, have a {column} greater than {value}?",
    ),
    "ranking": (
        "Which {wanted} has the {end} {column}?",
        "Name the {wanted} with the {end} {column}.",
    ),
    "aggregation-SUM": (
        "What is the total {wanted} of the entries whose {column} is '{value}'?",
        "Add up the {wanted} of all entries with '{value}' as {column}.",
    ),
    "aggregation-AVG": (
        "What is the average {wanted} of the entries whose {column} is '{value}'?",
        "Give the mean {wanted} of all entries with '{value}' as {column}.",
    ),
    "aggregation-MAX": (
        "What is the highest {wanted} among the entries whose {column} is '{value}'?",
        "How high does the {wanted} go where the {column} is '{value}'?",
    ),
    "aggregation-MIN": (
        "What is the lowest {wanted} among the entries whose {column} is '{value}'?",
        "How low does the {wanted} go where the {column} is '{value}'?",
    ),
    "INSERT": ("Add an entry: {pairs}.", "Enter a new row into the table: {pairs}."),
    "UPDATE": (
        "Set the {wanted} to '{new}' where the {column} is '{value}'.",
        "Correct the entry whose {column} is '{value}': its {wanted} is '{new}'.",
    ),
    "DELETE": (
        "Remove the entries whose {column} is '{value}'.",
        "Delete all rows with '{value}' as {column}.",
    ),
}
#: Which end of a ranking, and the order that finds it first.
ENDS = {"highest": "DESC", "lowest": "ASC"}
PAIR = "{column} '{value}'"


@lru_cache(maxsize=64)
def _pattern(wording: str) -> re.Pattern[str]:
    """A wording as a regular expression with a group for each part."""
    pieces = re.split(r"\{(\w+)\}", wording)
    made = "".join(
        f"(?P<{piece}>.+?)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
    )
    return re.compile(made + r"\Z", re.DOTALL)


def read(sentence: str) -> tuple[str, dict[str, str]] | None:
    """(type, parts) of a request; None when it is of no known form. A doubled quote is one quote."""
    for kind, wordings in WORDINGS.items():
        for wording in wordings:
            if found := _pattern(wording).match(sentence):
                return kind, {name: part.replace("''", "'") for name, part in found.groupdict().items()
                              } if kind != "INSERT" else found.groupdict()  # fmt: skip
    return None


def write(wording: str, **parts: str) -> str:
    """A wording with its parts; a quote inside a quoted value is doubled."""
    for name, part in parts.items():
        if name in ("value", "new"):
            parts[name] = part.replace("'", "''")
    return wording.format(**parts)


def read_pairs(text: str) -> dict[str, str]:
    """Column -> value of an INSERT's pairs."""
    found = re.findall(r"(?:\A|, )(.+?) '((?:[^']|'')*)'", text)
    return {column: value.replace("''", "'") for column, value in found}


def write_pairs(pairs: dict[str, str]) -> str:
    return ", ".join(write(PAIR, column=column, value=value) for column, value in pairs.items())
