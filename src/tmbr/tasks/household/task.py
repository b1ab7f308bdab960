"""The household task: samples, prompt, parsing, score, and the teachers that can play it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from random import Random
from typing import ClassVar

from tmbr.core.protocols import Session
from tmbr.core.types import Message, Sample, Score, Step
from tmbr.environments.household import GENERATOR, Game, Goal, TaskType, generate
from tmbr.tasks.base import GENERATED, FormTask, split_seed
from tmbr.tasks.household import data as files
from tmbr.tasks.household.expert import decide, imagine
from tmbr.tasks.household.forms import FORMS, Form
from tmbr.tasks.household.memory import kind, names, places
from tmbr.tasks.household.prior import Prior, common_sense
from tmbr.tasks.household.session import ROUNDS, HouseholdSession

#: Samples of each generated split.
SIZES = {"train": 20_000, "validation": 500, "test": 500}
#: Share of a learner's errors that are an imagined find, where something is looked for; and of the
#: others, an admissible walk or look without a reason.
IMAGINED = 0.6
ASTRAY = 0.3
#: Raise it when prompt, rules or wording change: it is part of every episode's resume key.
VERSION = "2"


class Household(FormTask[Form]):
    """data: `generated`, or a split of the benchmark's files. form: `text` or `agentbench`."""

    name, called, rounds = "household", "household", ROUNDS
    sources: ClassVar[tuple[str, ...]] = (GENERATED, *files.SPLITS)
    forms = FORMS
    sizes = SIZES

    def __init__(self, data: str = GENERATED, form: str = "text", root: Path | None = None) -> None:
        super().__init__(data, form, root)
        self.version = f"{VERSION}/{GENERATOR}/{form}"

    def samples(self, split: str) -> Sequence[Sample]:
        """All samples of a split; generated ones are made when they are opened.

        Raises ConfigError for an unknown split, DataError for files that are missing or broken.
        """
        if self.data != GENERATED:
            return files.samples(self.data, self.root)
        return self.generated(split, _generated)

    def game(self, sample: Sample) -> Game:
        """The game behind a sample."""
        if "game" in sample.setup:
            return _load(files.game_path(sample, self.root))
        if "goal" in sample.setup:
            return _asked(sample.setup["seed"], tuple(sample.setup["goal"]), sample.instruction)
        return _house(sample.setup["seed"])

    def open(self, sample: Sample) -> Session:
        return HouseholdSession(self.game(sample), self.form)

    @cached_property
    def prior(self) -> Prior:
        """What the expert knows of where things are kept."""
        return common_sense() if self.data == "generated" else files.train_prior(self.root)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        """AgentBench's score: 1 when the game is won."""
        won = isinstance(session, HouseholdSession) and session.won
        return Score(float(won), won)

    def expert(self, messages: Sequence[Message]) -> Message:
        """What the expert answers in this conversation, from what was said in it alone."""
        room, turns = self._told(messages)
        move = decide(room, turns, self.prior)
        return self.form.write(move.thought, move.command)

    def mistake(self, messages: Sequence[Message], rng: Random) -> Message:
        """A wrong move that is (nearly always) admissible: a walk to some other place, or a look."""
        room, turns = self._told(messages)
        wrong = [f"go to {place}" for place in places(room)]
        right = decide(room, turns, self.prior).command
        last = turns[-1][0] if turns else ""
        choice = rng.choice(sorted({"look", "inventory", *wrong} - {right, last}))
        return self.form.write("I try something else.", choice)

    def slip(self, messages: Sequence[Message], rng: Random) -> Message:
        """A learner's error: a find that is imagined, a name mistaken for another, or a walk astray.

        A plan stays as it is told: what comes after it is read from there.
        """
        room, turns = self._told(messages)
        right = decide(room, turns, self.prior)
        if (found := imagine(room, turns, rng)) and rng.random() < IMAGINED:
            return self.form.write(found.thought, found.command)
        said = names(right.command)
        if not said or rng.random() < ASTRAY:
            return self.mistake(messages, rng)
        wrong = rng.choice(said)
        near = {*places(room), *(name for _, answer in turns[-2:] for name in names(answer))}
        others = sorted({*near, *(f"{kind(wrong)} {number}" for number in (1, 2, 3))} - {wrong})
        other = rng.choice(others)
        plan = len(names(right.thought)) > 2
        thought = right.thought if plan else right.thought.replace(wrong, other)
        return self.form.write(thought, right.command.replace(wrong, other))

    def walkthrough(self, sample: Sample) -> list[Message]:
        """The privileged teacher: the game's own solution, as messages."""
        return [self.form.write("I know the way.", c) for c in self.game(sample).walkthrough]

    def _told(self, messages: Sequence[Message]) -> tuple[str, list[tuple[str, str]]]:
        """The first description of the room, and (command, answer) of each turn since."""
        room, turns = self.turns(messages)
        done = [action.arguments["action"].strip().lower() if action else "" for action, _ in turns]
        heard = [answer.split("\nAvailable actions:")[0] for _, answer in turns]
        return room.split("\nAvailable actions:")[0], list(zip(done, heard, strict=True))


@lru_cache(maxsize=100_000)
def _generated(split: str, index: int) -> Sample:
    seed = split_seed(split, index, SIZES)
    setup = {"seed": seed, "generator": GENERATOR}
    return Sample(f"generated-{split}-{index}", "household", split, _house(seed).instruction, setup)


@lru_cache(maxsize=512)
def _house(seed: int) -> Game:
    return generate(seed)


@lru_cache(maxsize=512)
def _asked(seed: int, goal: tuple[TaskType, str, str], instruction: str) -> Game:
    """A generated house in which something of one's own is asked; its solution nobody wrote down."""
    house = _house(seed)
    scene = replace(house.scene, goal=Goal(*goal))
    return Game(f"{house.name}, asked", scene, instruction, (), house.version)


@lru_cache(maxsize=512)
def _load(path: Path) -> Game:
    return Game.load(path, version="put")
