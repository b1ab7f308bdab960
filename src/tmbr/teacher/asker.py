"""What the question generator needs of a world: its content, and how a question becomes a sample.

Three worlds bring it (`tmbr.teacher.askers`); a team writes it for its own, see docs/teacher.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tmbr.core.types import Sample

#: How demanding a question is, from what solving it takes.
LEVELS = ("easy", "medium", "hard")


class Unfit(Exception):
    """A proposed question does not enter. stage: of the check that it failed; reason: one line."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = " ".join(reason.split())[:300]


@dataclass(frozen=True, slots=True)
class Content:
    """A world drawn at random, before anything is asked in it.

    text: as the question generator reads it. categories: of questions that it can have.
    """

    seed: int
    text: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What was proposed, made checkable. setup, target: as of a `Sample`.

    facts: the question with what of the world it stands on, by which near-duplicates are told.
    world: hash of the world's content.
    """

    instruction: str
    setup: Mapping[str, Any]
    target: Any
    category: str
    facts: str
    world: str


class Asker(Protocol):
    """A world about which questions can be generated."""

    @property
    def brief(self) -> str:
        """For the prompt: what a task is in this world, and the JSON object that proposes one."""
        ...

    @property
    def categories(self) -> Mapping[str, str]:
        """Each category, and in words what it wants."""
        ...

    def content(self, seed: int) -> Content:
        """The world of a seed; equal seeds give equal worlds."""
        ...

    def read(self, content: Content, said: Mapping[str, Any]) -> Question:
        """The question in an answer's JSON. Raises Unfit where it lacks something (`format`), names
        what is not there (`grounding`), cannot be executed (`execution`) or is true already
        (`start`)."""
        ...

    def level(self, question: Question, turns: int) -> str:
        """One of LEVELS; turns: of the solution by which it was verified."""
        ...

    def world(self, sample: Sample) -> str:
        """As `Question.world`, of a sample of the task: for decontamination."""
        ...


def read_json(text: str) -> dict[str, Any]:
    """The first JSON object in an answer, whatever stands around it. Raises Unfit."""
    if not text.strip():
        raise Unfit("format", "the answer is empty")
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            found, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(found, dict):
            _check_text(found)
            return found
    raise Unfit("format", "the answer holds no JSON object")


def _check_text(found: dict[str, Any]) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unfit("format", "the answer holds half a surrogate pair, which is no text") from None
    except RecursionError:
        raise Unfit("format", "the answer is nested too deeply") from None


def sentence(said: Mapping[str, Any]) -> str:
    """The question's wording, in one line. Raises Unfit."""
    told = said.get("question")
    if not isinstance(told, str) or not (line := " ".join(told.split())):
        raise Unfit("format", "there is no text under `question`")
    if len(line) > 600 or not line.isprintable():
        raise Unfit("format", "the question is longer than 600 characters, or not plain text")
    return line


def texts(said: Mapping[str, Any], *keys: str) -> list[str]:
    """Values that have to be texts. Raises Unfit."""
    for key in keys:
        if not isinstance(said.get(key), str) or not said[key].strip():
            raise Unfit("format", f"there is no text under `{key}`")
    return [said[key].strip() for key in keys]


def by_turns(turns: int, easy: int, medium: int) -> str:
    """The level of a question that takes so many turns: up to `easy`, up to `medium`, or more."""
    return LEVELS[0] if turns <= easy else LEVELS[1] if turns <= medium else LEVELS[2]
