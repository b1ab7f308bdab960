"""What is asked of an agent: a page, the task, what was done so far, and elements to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

NONE = "A"
_PAGE, _TASK, _BEFORE = "Page: ", "Task: ", "Previous actions:"
_CHOICES, _NOTHING = "Which element comes next?", "None of the above"


@dataclass(frozen=True, slots=True)
class Question:
    """page: as text, on one line. choices: what is told of each element; B is the first."""

    page: str
    task: str
    history: tuple[str, ...]
    choices: tuple[str, ...]

    def __str__(self) -> str:
        letters = [f"{letter(at)}. {told}" for at, told in enumerate(self.choices)]
        before = self.history or ("None",)
        return "\n".join(
            (
                _PAGE + self.page,
                _TASK + " ".join(self.task.split()),
                _BEFORE,
                *before,
                _CHOICES,
                f"{NONE}. {_NOTHING}",
                *letters,
            )
        )


def letter(place: int) -> str:
    """B for the first choice."""
    return chr(ord(NONE) + 1 + place)


def place(answer: str, choices: Sequence[object]) -> int | None:
    """The place of a letter among the choices; None for "none of the above" and what is not there."""
    at = ord(answer) - ord(NONE) - 1
    return at if 0 <= at < len(choices) else None


@lru_cache(maxsize=4096)
def read_question(text: str) -> Question | None:
    """The question in a message, None where there is none; what stands around it is left out."""
    lines = text.split("\n")
    starts = [at for at, line in enumerate(lines) if line.startswith(_PAGE)]
    lines = lines[starts[-1] if starts else 0 :]
    try:
        task = next(at for at, line in enumerate(lines) if line.startswith(_TASK))
        end = next(at for at, line in enumerate(lines) if line == _CHOICES)
    except StopIteration:
        return None
    history = tuple(line for line in lines[task + 2 : end] if line != "None")
    told: list[str] = []
    for line in lines[end + 2 :]:
        if line[:3] != f"{letter(len(told))}. ":
            break
        told.append(line[3:])
    page = lines[0].removeprefix(_PAGE)
    return Question(page, lines[task].removeprefix(_TASK), history, tuple(told))
