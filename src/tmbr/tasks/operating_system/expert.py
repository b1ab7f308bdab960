"""The expert for the generated problems: what it says follows from the conversation alone."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from tmbr.tasks.base import Turn
from tmbr.tasks.operating_system.forms import ANSWER, BASH, FINISH
from tmbr.tasks.operating_system.generate import QUESTIONS, SOLUTIONS
from tmbr.tasks.operating_system.wordings import read


@dataclass(frozen=True, slots=True)
class Move:
    thought: str
    name: str
    argument: str


def decide(request: str, turns: Sequence[Turn]) -> Move:
    """The next move: look, then ask for the value or do the job, then answer with what was printed.

    A request of no known form is looked at and given up.
    """
    told = read(request)
    if told is None:
        if turns:
            return Move("I do not know how to do this.", FINISH, "I do not know how to do this.")
        return Move("I look where I am.", BASH, "pwd; ls -la")
    kind, parts = told
    look, solve = _look(parts), SOLUTIONS[kind](parts)
    ran = {a.arguments["script"]: heard for a, heard in turns if a and a.name == BASH}
    if look not in ran:
        return Move("I look at what is there first.", BASH, look)
    if solve not in ran:
        goal = "I let the shell find the value." if kind in QUESTIONS else "I do what was asked for."
        return Move(goal, BASH, solve)
    if kind in QUESTIONS:
        return Move("The shell has printed the answer.", ANSWER, printed(ran[solve]))
    return Move("The job is done.", FINISH, "The job is done.")


def _look(parts: dict[str, str]) -> str:
    if "file" in parts:
        return f"ls -l {shlex.quote(parts['file'])}; head -n 5 {shlex.quote(parts['file'])}"
    return f"find {shlex.quote(parts['folder'])} -type f | head -n 12"


def printed(heard: str) -> str:
    """The last line of an output, which is where a script prints its answer."""
    lines = heard.strip().splitlines()
    return lines[-1].strip() if lines else ""
