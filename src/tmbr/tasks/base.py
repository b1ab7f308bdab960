"""What the tasks that come with tmbr share: names of data and forms, the prompt, and earlier turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from tmbr.core.errors import ActionError, ConfigError, nearest
from tmbr.core.grammar import Constraint, Grammar
from tmbr.core.types import Action, Completion, Message, Sample, Tool
from tmbr.tasks.samples import Lazy

#: Own data that needs no file.
GENERATED = "generated"
#: What was done, None where no action could be read, and what the world answered.
Turn = tuple[Action | None, str]


class Form(Protocol):
    """A way of talking with a world: its prompt and tools, and how an action is read of an answer."""

    @property
    def prompt(self) -> str: ...

    @property
    def tools(self) -> Sequence[Tool]: ...

    @property
    def constraints(self) -> Sequence[Constraint]:
        """`admissible` among them where an observation lists what can be done."""
        ...

    def read(self, completion: Completion) -> Action:
        """Raises ActionError when no action can be read."""
        ...

    def grammar(self, observation: str) -> Grammar:
        """The turns that `read` reads; where the observation lists actions, only those."""
        ...


F = TypeVar("F", bound=Form)


class FormTask(Generic[F]):
    """A task with data of several sources and several forms.

    called: the world's name in words. sizes: samples of each generated split. data: one of `sources`.
    form: one of `forms`. root: where the benchmarks' files lie. Raises ConfigError for an unknown name.
    """

    name: ClassVar[str]
    called: ClassVar[str]
    sources: ClassVar[tuple[str, ...]]
    forms: ClassVar[Mapping[str, Callable[[], Any]]]
    sizes: ClassVar[Mapping[str, int]]

    def __init__(self, data: str = GENERATED, form: str = "text", root: Path | None = None) -> None:
        if form not in self.forms:
            raise ConfigError(f"no form {form!r} of the {self.called}; {nearest(form, self.forms)}")
        if data not in self.sources:
            raise ConfigError(f"no {self.called} data {data!r}; {nearest(data, self.sources)}")
        self.data = data
        self.form: F = self.forms[form]()
        self.root = root

    def generated(self, split: str, make: Callable[[str, int], Sample]) -> Sequence[Sample]:
        """The samples of a split, each made from (split, index) when it is asked for.

        Raises ConfigError for an unknown split.
        """
        self.check(split, self.sizes)
        return Lazy(self.sizes[split], lambda index: make(split, index))

    def check(self, split: str, known: Iterable[str]) -> None:
        """Raises ConfigError for a split that is not known."""
        if split not in known:
            raise ConfigError(f"no split {split!r} of the {self.called}; {nearest(split, known)}")

    def messages(self, sample: Sample, observation: str) -> list[Message]:  # noqa: ARG002
        """The prompt is a system message where there are tools, else it begins the first turn."""
        if self.form.tools:
            return [Message("system", self.form.prompt.strip()), Message("user", observation)]
        return [Message("user", f"{self.form.prompt}{observation}")]

    def parse(self, completion: Completion) -> Action:
        return self.form.read(completion)

    @property
    def constraints(self) -> Sequence[Constraint]:
        return self.form.constraints

    def grammar(self, constraint: Constraint, observation: str) -> Grammar:
        return self.form.grammar(observation if constraint == "admissible" else "")

    def turns(self, messages: Sequence[Message]) -> tuple[str, list[Turn]]:
        """The first thing said to the agent, and (action, answer) of each turn since; None is a turn
        without a readable action."""
        start = next(i for i, message in enumerate(messages) if message.role == "user")
        later = messages[start + 1 :]
        pairs = zip(later[::2], later[1::2], strict=False)
        return messages[start].content, [(self._said(said), heard.content) for said, heard in pairs]

    def _said(self, message: Message) -> Action | None:
        try:
            return self.form.read(Completion(message.content, message.tool_calls))
        except ActionError:
            return None


def split_seed(split: str, index: int, splits: Iterable[str], apart: int | None = None) -> int:
    """Seeds of the splits never meet: a split is the seed's residue modulo the number of splits, or
    modulo `apart` where more than seeds must be kept apart."""
    order = list(splits)
    return index * (apart or len(order)) + order.index(split)
