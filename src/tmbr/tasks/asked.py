"""One's own instruction in the world of a sample: the world stays, only what is asked changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from tmbr.core.constraints import constrained
from tmbr.core.errors import ConfigError
from tmbr.core.grammar import Constraint, Grammar
from tmbr.core.protocols import Session, Task
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step, Tool

#: Key of a sample's setup under which the sample lies in whose world it is asked.
WORLD = "world of"


def asked(sample: Sample, instruction: str) -> Sample:
    """The sample whose instruction is one's own; what would solve it nobody has said."""
    return Sample(f"{sample.id}-own", sample.task, sample.split, instruction, {WORLD: asdict(sample)})


def is_own(sample: Sample) -> bool:
    return WORLD in sample.setup


@dataclass(frozen=True, slots=True)
class Asked:
    """A task in whose texts the sample's instruction is replaced by one's own, wherever it is said.

    The world itself still ends where it would have ended, and there is no score.
    """

    task: Task

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def version(self) -> str:
        return self.task.version

    @property
    def rounds(self) -> int:
        return self.task.rounds

    def samples(self, split: str) -> Sequence[Sample]:
        return self.task.samples(split)

    def open(self, sample: Sample) -> Session:
        """Raises ConfigError where the prompt does not say the instruction, so none can be given."""
        whose = _whose(sample)
        session = self.task.open(whose)
        prompt = self.task.messages(whose, session.observation)
        if not any(whose.instruction in message.content for message in prompt):
            session.close()
            raise ConfigError(
                f"{self.name}: its prompt does not say the instruction, so none can be given"
            )
        return _Reworded(session, whose.instruction, sample.instruction)

    def messages(self, sample: Sample, observation: str) -> list[Message]:
        whose = _whose(sample)
        return [
            replace(message, content=message.content.replace(whose.instruction, sample.instruction))
            for message in self.task.messages(whose, observation)
        ]

    def parse(self, completion: Completion) -> Action:
        return self.task.parse(completion)

    @property
    def constraints(self) -> Sequence[Constraint]:
        return self.task.constraints if hasattr(self.task, "constraints") else ()

    def grammar(self, constraint: Constraint, observation: str) -> Grammar:
        return constrained(self.task, constraint).grammar(constraint, observation)

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        return Score(0.0, False, {"unscored": "the instruction is one's own"})


def _whose(sample: Sample) -> Sample:
    return Sample(**sample.setup[WORLD])


@dataclass(frozen=True, slots=True)
class _Reworded:
    """A session that says `new` where it would say `old`."""

    session: Session
    old: str
    new: str

    @property
    def observation(self) -> str:
        return self.session.observation.replace(self.old, self.new)

    @property
    def tools(self) -> Sequence[Tool]:
        return self.session.tools

    def step(self, action: Action | None) -> Step:
        step = self.session.step(action)
        return replace(step, observation=step.observation.replace(self.old, self.new))

    def ends(self, action: Action) -> bool:
        return self.session.ends(action)

    def fork(self) -> Session:
        return _Reworded(self.session.fork(), self.old, self.new)

    def state_key(self) -> str:
        return self.session.state_key()

    def close(self) -> None:
        self.session.close()
