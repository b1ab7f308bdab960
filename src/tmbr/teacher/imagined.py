"""A world that only a model can play, told in a YAML file: no program stands behind it.

It is a task without samples of its own, and the asker of its questions. Nothing in it can be executed:
a question enters when several playings agree, and an episode ends where the played world says solved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Annotated, Any

from pydantic import Field

from tmbr.config import Config, Positive
from tmbr.config_file import load
from tmbr.core.errors import ConfigError
from tmbr.core.protocols import Session
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step, Tool, digest
from tmbr.tasks.written import read_line
from tmbr.teacher.asker import Content, Question, Unfit, by_turns, sentence, texts
from tmbr.teacher.prompts import prompt


class Drawn(Config):
    """What a world may hold of one kind."""

    #: How many of them are drawn …
    some: Positive
    #: … of these.
    of: Annotated[tuple[str, ...], Field(min_length=1)]


class WorldConfig(Config):
    """A world in words."""

    #: Its name, which the traces carry as their task.
    name: str
    #: Its rules, for all three roles.
    about: str
    #: What an agent can do, in words; capitals stand for names.
    actions: Annotated[tuple[str, ...], Field(min_length=1)]
    #: Turns of an episode at most.
    rounds: Positive = 20
    #: What the agent is told first.
    first: str
    #: kind -> what of it a world is drawn from.
    holds: Annotated[dict[str, Drawn], Field(min_length=1)]
    #: category -> what it wants, for the question generator.
    questions: Annotated[dict[str, str], Field(min_length=1)]


class Imagined:
    """path: of the YAML file. Raises ConfigError, with the line at fault."""

    def __init__(self, path: Path) -> None:
        self._told = load(WorldConfig, path, [])
        for kind, drawn in self._told.holds.items():
            if drawn.some > len(drawn.of):
                raise ConfigError(
                    f"{path}: holds.{kind}: {drawn.some} cannot be drawn of {len(drawn.of)}"
                )
        self.name = self._told.name
        self.rounds = self._told.rounds
        self.version = digest(self._told.model_dump(mode="json"))
        self.categories: Mapping[str, str] = self._told.questions
        self.brief = prompt("imagined_question")

    def content(self, seed: int) -> Content:
        rng = Random(seed)
        held = {kind: rng.sample(drawn.of, drawn.some) for kind, drawn in self._told.holds.items()}
        lines = [self._told.about.strip(), f"What can be done: {'; '.join(self._told.actions)}."]
        lines += [f"{kind}: {', '.join(names)}" for kind, names in held.items()]
        return Content(seed, "\n".join(lines), tuple(self.categories))

    def read(self, content: Content, said: Mapping[str, Any]) -> Question:
        told = sentence(said)
        category, solved = texts(said, "category", "solved_when")
        if category not in self.categories:
            raise Unfit("format", f"there is no category {category!r}")
        held = content.text.partition("What can be done")[2]
        for name in self._names:
            if _says(told, name) and not _says(held, name):
                raise Unfit("grounding", f"there is no {name} in its world")
        if not any(_says(told, name) for name in self._names):
            raise Unfit("grounding", "it names nothing that its world holds")
        facts = f"{told}\n{solved}\n{content.text}"
        world = digest(content.text)
        return Question(told, {"world": content.text}, solved, category, facts, world)

    def level(self, question: Question, turns: int) -> str:  # noqa: ARG002
        return by_turns(turns, self.rounds // 4, self.rounds // 2)

    def world(self, sample: Sample) -> str:
        return digest(sample.setup["world"])

    def samples(self, split: str) -> Sequence[Sample]:  # noqa: ARG002
        """None: what is asked here is made by a teacher."""
        return ()

    def open(self, sample: Sample) -> Session:  # noqa: ARG002
        return Unplayed(self._told.first)

    def messages(self, sample: Sample, observation: str) -> list[Message]:
        told = prompt("imagined_agent", world=self._told, instruction=sample.instruction)
        return [Message("user", f"{told}\n\n{observation}")]

    def parse(self, completion: Completion) -> Action:
        return read_line(completion)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        """What the played world said last."""
        solved = bool(branch) and branch[-1].status == "completed"
        return Score(float(solved), solved, {"said by": "the played world"})

    @cached_property
    def _names(self) -> list[str]:
        return sorted({name for drawn in self._told.holds.values() for name in drawn.of})


class Unplayed:
    """What is there before a model plays: the first thing said, and nothing that answers."""

    tools: Sequence[Tool] = ()

    def __init__(self, first: str) -> None:
        self.observation = first

    def step(self, action: Action | None) -> Step:  # noqa: ARG002
        return Step("")

    def ends(self, action: Action) -> bool:  # noqa: ARG002
        return False

    def fork(self) -> Unplayed:
        return Unplayed(self.observation)

    def state_key(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing is held."""


def _says(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None
