"""The web pages task: samples, prompt, parsing, score, and the teachers that can play it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache, partial
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import ClassVar

from tmbr.core.protocols import Session
from tmbr.core.types import Message, Sample, Score, Step
from tmbr.environments.webpages import Chosen, WebTask
from tmbr.environments.webpages.sites import (
    FAMILIES,
    GENERATOR,
    TAKES,
    Done,
    Visit,
    generate,
    play,
    record,
)
from tmbr.tasks.base import GENERATED, FormTask, split_seed
from tmbr.tasks.samples import Lazy
from tmbr.tasks.webpages import data as files
from tmbr.tasks.webpages.errors import mistake, slip
from tmbr.tasks.webpages.expert import Move, decide
from tmbr.tasks.webpages.forms import FORMS, AgentBenchForm, Choice, Form
from tmbr.tasks.webpages.metrics import scored
from tmbr.tasks.webpages.question import Question, letter, read_question
from tmbr.tasks.webpages.session import LETTERS, QUESTIONS, ROUNDS, Recorded, StepSession, VisitSession

#: Sites of each generated split: each gives one live sample, or as many as its way has steps.
SIZES = {"train": 2_000, "validation": 100, "test": 100}
LIVE = {"train": 20_000, "validation": 500, "test": 500}
#: Raise it when prompt, rules or wording change: it is part of every episode's resume key.
VERSION = "1"


class WebPages(FormTask[Form]):
    """data: `generated` (our own sites, live), `generated-steps` (recorded steps on them), or one of
    Mind2Web's test sets. form: `text` or `agentbench`."""

    name, called = "webpages", "web pages"
    sources: ClassVar[tuple[str, ...]] = (GENERATED, "generated-steps", *files.SPLITS)
    forms = FORMS
    sizes = LIVE

    def __init__(self, data: str = GENERATED, form: str = "text", root: Path | None = None) -> None:
        super().__init__(data, form, root)
        self.live = data == GENERATED
        self.rounds = ROUNDS if self.live else QUESTIONS
        if self.live and form == "agentbench":  # more can be chosen than five candidates
            self.form = AgentBenchForm(letter(LETTERS - 1))
        self.version = f"{VERSION}/{GENERATOR}/{form}"

    def samples(self, split: str) -> Sequence[Sample]:
        """All samples of a split; generated ones are made when they are asked for.

        Raises ConfigError for an unknown split, DataError for files that are missing or broken.
        """
        if self.live:
            return self.generated(split, _visit_sample)
        if self.data in files.SPLITS:
            return files.samples(self.data, self.root)
        self.check(split, SIZES)
        return Lazy(_ends(split)[-1], partial(_step_sample, split))

    def visit(self, sample: Sample) -> Visit:
        """The site behind a generated sample."""
        return _visit(sample.setup["seed"])

    def recorded(self, sample: Sample) -> Recorded:
        """The step behind a sample of recorded steps; see `data.asked` for what it raises."""
        if "seed" in sample.setup:
            return files.asked(_web_task(sample.setup["seed"]), sample.setup["step"], None)
        return files.recorded(sample, self.root)

    def open(self, sample: Sample) -> Session:
        if self.live:
            return VisitSession(self.visit(sample), self.form)
        return StepSession(self.recorded(sample), self.form)

    def messages(self, sample: Sample, observation: str) -> list[Message]:  # noqa: ARG002
        return self.form.messages(observation)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        """A recorded step: Mind2Web's step success, the other metrics in the detail, for `micro` and
        `macro`. A live site: whether what was asked for, and nothing else, was committed."""
        if isinstance(session, VisitSession):
            committed = session.state.outcome is not None
            return Score(float(session.reached), session.reached, {"committed": committed})
        assert isinstance(session, StepSession)
        asked = session.recorded
        score = scored(session.chosen, asked.step, asked.reachable)
        told = {"task": asked.task.id, "steps": len(asked.task.steps), "ranker": asked.ranker}
        return Score(score.value, score.success, {**score.detail, **told})

    def expert(self, messages: Sequence[Message]) -> Message:
        """What the expert answers in this conversation, from what was said in it alone."""
        return self._write(decide(_questions(messages), self.live))

    def mistake(self, messages: Sequence[Message], rng: Random) -> Message:
        """A wrong choice. On a live site it changes the page, ends nothing and can be mended."""
        return self._write(mistake(_questions(messages), self.live, rng))

    def slip(self, messages: Sequence[Message], rng: Random) -> Message:
        """A learner's error: the right thing with a wrong operation or value, or a wrong choice."""
        return self._write(slip(_questions(messages), self.live, rng))

    def walkthrough(self, sample: Sample) -> list[Message]:
        """The privileged teacher: the gold actions, as messages."""
        if self.live:
            return [self._led(_answer_to(done)) for done in play(self.visit(sample))]
        return [self._led(choice) for choice in gold_choices(self.recorded(sample))]

    def _led(self, choice: Choice) -> Message:
        return self.form.write("I know the way.", choice)

    def _write(self, move: Move) -> Message:
        return self.form.write(move.thought, move.choice)


def gold_choices(asked: Recorded) -> list[Choice]:
    """The right answer to each question of a step: a positive where one is listed, else none."""
    positives = {one.id for one in asked.step.positives}
    rounds = asked.pool
    said: list[Choice] = []
    while not said or not rounds.over:
        _, ids = asked.question(rounds)
        at = next((at for at, node in enumerate(ids) if node in positives), None)
        step = asked.step
        value = "" if step.operation == "CLICK" else step.value
        said.append(Choice() if at is None else Choice(letter(at), step.operation, value))
        rounds = rounds.answer(None if at is None else Chosen(ids[at], said[-1].action))
    return said


def _answer_to(done: Done) -> Choice:
    at = list(done.state.page.controls).index(done.node)
    return Choice(letter(at), TAKES[done.control.kind], done.value)


def _questions(messages: Sequence[Message]) -> list[Question]:
    """All questions of a conversation, worked examples among them; the last is open."""
    read = (read_question(message.content) for message in messages if message.role == "user")
    return [question for question in read if question is not None]


@lru_cache(maxsize=100_000)
def _visit_sample(split: str, index: int) -> Sample:
    seed = site_seed(split, index)
    setup = {"seed": seed, "generator": GENERATOR}
    return Sample(f"generated-{split}-{index}", "webpages", split, _visit(seed).instruction, setup)


@lru_cache(maxsize=100_000)
def _step_sample(split: str, index: int) -> Sample:
    ends = _ends(split)
    number = bisect_right(ends, index)
    seed, step = site_seed(split, number), index - (ends[number - 1] if number else 0)
    setup = {"seed": seed, "step": step, "generator": GENERATOR}
    told = f"generated-steps-{split}-{number}-{step}"
    return Sample(told, "webpages", split, _visit(seed).instruction, setup)


@cache
def _ends(split: str) -> tuple[int, ...]:
    """Number of steps up to and with each site of a split."""
    return tuple(accumulate(generate(site_seed(split, at)).length for at in range(SIZES[split])))


def site_seed(split: str, index: int) -> int:
    """Seeds of the splits never meet, nor do their names: the split is the seed's residue."""
    return split_seed(split, index, SIZES, FAMILIES)


@lru_cache(maxsize=512)
def _visit(seed: int) -> Visit:
    return generate(seed)


@lru_cache(maxsize=64)
def _web_task(seed: int) -> WebTask:
    return record(_visit(seed))
