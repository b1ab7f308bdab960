"""The operating system task: samples, prompt, parsing, score, and the teachers that can play it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import ClassVar

from tmbr.core.errors import ConfigError
from tmbr.core.protocols import Session
from tmbr.core.types import Message, Sample, Score, Step
from tmbr.environments.operating_system import VARIABLE
from tmbr.tasks.base import GENERATED, FormTask, Turn, split_seed
from tmbr.tasks.operating_system import data as files
from tmbr.tasks.operating_system.expert import decide, printed
from tmbr.tasks.operating_system.forms import ANSWER, BASH, FINISH, FORMS, Form
from tmbr.tasks.operating_system.generate import GENERATOR, Problem, generate
from tmbr.tasks.operating_system.scoring import command
from tmbr.tasks.operating_system.session import ROUNDS, OperatingSystemSession

#: Samples of each generated split.
SIZES = {"train": 20_000, "validation": 500, "test": 500}
#: Share of a learner's errors that are a look without a reason.
ASTRAY = 0.3
#: Raise it when prompt, rules or wording change: it is part of every episode's resume key.
VERSION = "1"
_LOOKS = (
    "pwd",
    "ls -la",
    "ls /",
    "whoami; hostname",
    "df -h",
    "cat /etc/os-release",
    "date +%Y",
    "env",
)
_PATH = re.compile(r"/[\w./-]*\w")


class OperatingSystem(FormTask[Form]):
    """data: `generated`, or one of the benchmark's sets. form: `text` or `agentbench`. image: of
    Docker, in whose containers it is played; by default that of TMBR_DOCKER, else in own sandboxes."""

    name, called, rounds = "operating_system", "operating system", ROUNDS
    sources: ClassVar[tuple[str, ...]] = (GENERATED, *files.SPLITS)
    forms = FORMS
    sizes = SIZES

    def __init__(
        self,
        data: str = GENERATED,
        form: str = "text",
        root: Path | None = None,
        image: str | None = None,
    ) -> None:
        super().__init__(data, form, root)
        self._image = image or os.environ.get(VARIABLE) or None
        self.version = f"{VERSION}/{GENERATOR}/{form}{f'/{self._image}' if self._image else ''}"

    def samples(self, split: str) -> Sequence[Sample]:
        """All samples of a split; generated ones are made when they are asked for.

        Raises ConfigError for an unknown split, DataError for files that are missing or broken.
        """
        if self.data != GENERATED:
            return files.samples(self.data, self.root)
        return self.generated(split, _generated)

    def open(self, sample: Sample) -> Session:
        """Raises EnvironmentFault when one of the sample's scripts fails, ConfigError when this machine
        has no sandbox, or Docker no such image."""
        return OperatingSystemSession(sample, self.form, self._image)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        """AgentBench's score: 1 when the answer matches, or every check passed, at the end."""
        solved = isinstance(session, OperatingSystemSession) and bool(session.solved)
        return Score(float(solved), solved)

    def expert(self, messages: Sequence[Message]) -> Message:
        """What the expert answers in this conversation, from what was said in it alone."""
        move = decide(*self._told(messages))
        return self.form.write(move.thought, move.name, move.argument)

    def mistake(self, messages: Sequence[Message], rng: Random) -> Message:
        """A wrong move that the shell does and that changes nothing: a look at something else."""
        _, turns = self._told(messages)
        seen = {action.arguments.get("script") for action, _ in turns if action}
        return self.form.write("I look at something else.", BASH, rng.choice(sorted({*_LOOKS} - seen)))

    def slip(self, messages: Sequence[Message], rng: Random) -> Message:
        """A learner's error: the right script with one path a little wrong, or a look astray."""
        request, turns = self._told(messages)
        right = decide(request, turns)
        paths = sorted(set(_PATH.findall(right.argument)))
        if right.name != BASH or not paths or rng.random() < ASTRAY:
            return self.mistake(messages, rng)
        wrong = rng.choice(paths)
        other = rng.choice((f"{wrong}s", wrong[:-1], f"/root{wrong}"))
        return self.form.write(right.thought, BASH, right.argument.replace(wrong, other))

    def walkthrough(self, sample: Sample) -> list[Message]:
        """The privileged teacher: the sample's solution, and as its answer what is known or what the
        solution prints on a computer of its own; where the sample's files are drawn by chance, that is
        another. Raises ConfigError for a sample without a solution."""
        if "seed" in sample.setup:
            problem = _problem(sample.setup["seed"])
            script, answer = problem.solution, problem.answer
        elif "example" in sample.target:
            script, answer = _as_script(*sample.target["example"]), self._answer(sample)
        else:
            raise ConfigError(f"{sample.id} has no solution in its file")
        end = (ANSWER, answer) if answer is not None else (FINISH, "It is done.")
        return [
            self.form.write("I know the way.", BASH, script),
            self.form.write("That was it.", *end),
        ]

    def _answer(self, sample: Sample) -> str | None:
        """What is known as the answer, or else what the solution prints."""
        if "answer" in sample.target.get("match", ()):
            return str(sample.target["match"]["answer"])
        session = OperatingSystemSession(sample, self.form, self._image)
        try:
            output = session.computer.run(_as_script(*sample.target["example"]))
        finally:
            session.close()
        return printed(output.text) or None

    def _told(self, messages: Sequence[Message]) -> tuple[str, list[Turn]]:
        """The request as it was first put, and (action, answer) of each turn since."""
        first, turns = self.turns(messages)
        return first.rpartition("Request: ")[2], turns


def _as_script(language: str, code: str) -> str:
    """A script in any language as one for the login shell."""
    return code if language == "bash" else shlex.join(command(language, code))


@lru_cache(maxsize=100_000)
def _generated(split: str, index: int) -> Sample:
    seed = split_seed(split, index, SIZES)
    problem = _problem(seed)
    target: dict[str, object] = (
        {"match": {"answer": problem.answer, "strip": True}}
        if problem.answer is not None
        else {"check": [["bash", problem.check]]}
    )
    setup = {"seed": seed, "generator": GENERATOR, "init": [["bash", problem.init]], "start": None}
    name = f"generated-{split}-{index}"
    return Sample(name, "operating_system", split, problem.instruction, setup, target)


@lru_cache(maxsize=512)
def _problem(seed: int) -> Problem:
    return generate(seed)
