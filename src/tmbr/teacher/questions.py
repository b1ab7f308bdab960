"""The question generator at work: worlds drawn, questions asked for, checked, solved a second time.

Every proposal that is finished goes to a journal at once. Proposals are decided in order, and the same
journal read again is decided the same, so a killed run goes on as if it had never stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Generator as Lines
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tmbr.core.errors import ModelRefused
from tmbr.core.journal import Journal
from tmbr.core.protocols import Model
from tmbr.core.types import Sample, derive_seed
from tmbr.teacher.admission import Admission, Evaluation, Proposal
from tmbr.teacher.asker import Asker, Content, Unfit, read_json, sentence
from tmbr.teacher.roles import Ask, propose
from tmbr.teacher.solution import Solver

PROPOSALS = "tmbr.proposals"
#: Proposals asked for ahead of the first that is not decided.
WINDOW = 64
#: Stage of a world in which nothing was asked for: enough of all it can have was there or under way.
NOT_ASKED = "not asked"
#: Characters of an answer that are kept.
KEPT = 2000
_PROPOSAL = TypeAdapter(Proposal)


@dataclass(frozen=True, slots=True)
class Generator:
    """per_world: questions asked for in each world."""

    task: str
    asker: Asker
    model: Model
    solver: Solver
    evaluation: Evaluation
    seed: int
    per_world: int

    def world(self, number: int) -> int:
        """The seed of a proposal's content."""
        return derive_seed(self.seed, "world", number // self.per_world)

    def sample(self, proposal: Proposal) -> Sample:
        """The question as a training sample of its task."""
        question = proposal.question
        assert question is not None
        name = f"made-{self.seed}-{proposal.number}"
        return Sample(name, self.task, "train", question.instruction, question.setup, question.target)

    async def proposal(self, number: int, content: Content, ask: Ask | None) -> Proposal:
        """Ask for a question and check it. Raises ModelFault where no answer can be had."""
        if ask is None:
            return Proposal(number, None, stage=NOT_ASKED, reason="nothing is missing in its world")
        seed = derive_seed(self.seed, number, "question")
        said, made = "", Proposal(number, ask)
        try:
            said = await propose(
                self.model, self.asker, content, ask, number % self.per_world + 1, seed
            )
            made = await self._checked(number, ask, content, said)
        except Unfit as bad:
            made = Proposal(number, ask, stage=bad.stage, reason=bad.reason)
        except ModelRefused as refused:
            made = Proposal(number, ask, stage="refused", reason=str(refused))
        return replace(made, said=said[:KEPT].encode(errors="replace").decode())  # as traces are

    async def _checked(self, number: int, ask: Ask, content: Content, said: str) -> Proposal:
        told = read_json(said)
        self.evaluation.check_text(sentence(told))
        question = self.asker.read(content, told)
        self.evaluation.check_world(question.world)
        sample = self.sample(Proposal(number, ask, question=question))
        self.solver.check_start(sample)
        seed = derive_seed(self.seed, number, "solution")
        solved = await self.solver.solve(sample, content.seed, seed)
        level = self.asker.level(question, solved.turns)
        return Proposal(number, ask, question=question, level=level, solver=solved.by)


class Proposals:
    """The journal of finished proposals, in the order in which they were finished.

    What earlier runs left is read on as it is needed: a proposal's line is never far from its place, so
    no more than two windows of them are held at a time.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path, PROPOSALS, _decode)
        self.warning = self._journal.warning
        self._size = path.stat().st_size
        self._lines = self._earlier(path)
        self._held: dict[int, Proposal] = {}

    def find(self, number: int) -> Proposal | None:
        """What an earlier run made of a proposal; each is asked for once, in order."""
        while number not in self._held:
            found = next(self._lines, None)
            if found is None:
                return None
            self._held[found.number] = found
        return self._held.pop(number)

    def keep(self, proposal: Proposal) -> Proposal:
        """Write a proposal, and return it as it would be read again."""
        line = encode(proposal)
        self._journal.append(line)
        return _decode(line)

    def close(self) -> None:
        self._lines.close()
        self._journal.close()

    def _earlier(self, path: Path) -> Lines[Proposal]:
        with path.open("rb") as file:
            file.readline()
            while file.tell() < self._size:
                yield _decode(file.readline())


def encode(proposal: Proposal) -> bytes:
    return _PROPOSAL.dump_json(proposal)


def _decode(line: bytes) -> Proposal:
    try:
        return _PROPOSAL.validate_json(line)
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"]) from error


#: Hears of each proposal in order, with (stage, reason) where it was dropped.
Heard = Callable[[Proposal, tuple[str, str] | None], None]


async def generate(
    generator: Generator,
    admission: Admission,
    proposals: Proposals,
    most: int,
    concurrency: int,
    heard: Heard,
    stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Until the admission is full or has given up, `most` proposals are made, or `stopping` says so.

    Raises what ends a run (ModelFault, MoneySpent) once what is under way was dropped.
    """
    slots = asyncio.Semaphore(concurrency)
    under_way: dict[int, asyncio.Task[Proposal]] = {}

    async def made(number: int, content: Content, ask: Ask | None) -> Proposal:
        async with slots:
            return proposals.keep(await generator.proposal(number, content, ask))

    def start(number: int) -> None:
        content = generator.asker.content(generator.world(number))
        ask = admission.plan(content.categories)
        earlier = proposals.find(number)
        under_way[number] = asyncio.create_task(
            _known(earlier) if earlier is not None else made(number, content, ask)
        )

    try:
        for number in range(most):
            while len(under_way) < WINDOW and number + len(under_way) < most and not stopping():
                start(number + len(under_way))
            done = admission.full or len(admission.given_up) == len(admission.categories)
            if done or number not in under_way:
                return
            proposal = await under_way.pop(number)
            heard(proposal, admission.decide(proposal))
    finally:
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(*under_way.values(), return_exceptions=True)


async def _known(proposal: Proposal) -> Proposal:
    return proposal
