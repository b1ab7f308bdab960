"""How the generated problems are put into words, and how the expert reads them back."""

from __future__ import annotations

import re
from functools import lru_cache

WORDINGS: dict[str, tuple[str, ...]] = {
    "count files": (
        "How many files below {folder} have names that end in .{ending}?",
        "Count the .{ending} files in {folder} and all folders inside it.",
    ),
    "count lines": (
        "In how many lines of the files below {folder} does the word {word} occur?",
        "Count the lines with {word} in all files of {folder}, folders inside it included.",
    ),
    "total size": (
        "How many bytes do all .{ending} files below {folder} have together?",
        "Add up the sizes in bytes of the .{ending} files in {folder} and the folders inside it.",
    ),
    "find file": (
        "Somewhere below {folder} is a file called {name}. Which folder is it in? Give the full path.",
        "Give the full path of the folder below {folder} that holds {name}.",
    ),
    "find text": (
        "Which file below {folder} contains the text {text}? Give the full path.",
        "One file in {folder} or the folders inside it mentions {text}. Give its full path.",
    ),
    "largest": (
        "What is the name, without folders, of the largest file below {folder}?",
        "Which file is the largest of all in {folder} and the folders inside it? Give the bare name.",
    ),
    "ledger": (
        "Each line of {file} is a name, sold or bought, and a count. How many has {who} {did} in all?",
        "The file {file} lists trades as name, sold or bought, count. Add up what {who} {did}.",
    ),
    "setting": (
        "What is the value of {key} in {file}? Lines that begin with # do not count.",
        "Give the value that {file} sets for {key}; comments begin with #.",
    ),
    "permissions": (
        "Set the permissions of all .{ending} files below {folder} to {mode}, and change no others.",
        "Give every .{ending} file in {folder} and the folders inside it the mode {mode}.",
    ),
    "move": (
        "Move all .{ending} files from anywhere below {folder} straight into {target}; make that"
        " folder.",
        "Make the folder {target} and move every .{ending} file in or below {folder} there.",
    ),
    "replace": (
        "In all files below {folder} replace the word {old} by {new}.",
        "Every {old} in the files of {folder}, folders inside it included, shall become {new}.",
    ),
    "link": (
        "Make a symbolic link {target} that points to {file}.",
        "Let {target} be a symbolic link to {file}.",
    ),
}


def write(wording: str, **parts: str) -> str:
    """A wording with its parts."""
    return wording.format(**parts)


def read(sentence: str) -> tuple[str, dict[str, str]] | None:
    """(kind, parts) of a request; None when it is of no known form."""
    for kind, wordings in WORDINGS.items():
        for wording in wordings:
            if found := _pattern(wording).search(sentence):
                return kind, found.groupdict()
    return None


@lru_cache(maxsize=64)
def _pattern(wording: str) -> re.Pattern[str]:
    """A wording as a regular expression with a group for each part."""
    pieces = re.split(r"\{(\w+)\}", wording)
    made = "".join(
        f"(?P<{piece}>.+?)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
    )
    return re.compile(made + r"\Z", re.DOTALL)
