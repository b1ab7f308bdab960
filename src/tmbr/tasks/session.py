"""What the sessions that come with tmbr share: turns are counted, the last is shown, forks copy all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from tmbr.core.types import Action, Status, Step, Tool


class Tooled(Protocol):
    """All that a session needs of a form here."""

    @property
    def tools(self) -> Sequence[Tool]: ...


F = TypeVar("F", bound=Tooled)


class TurnSession(ABC, Generic[F]):
    """A live episode of at most `limit` turns. Subclasses name their state in `__slots__`; a fork
    shares it, so what changes in place has to be forked by the subclass.

    first: what is shown before the first turn.
    """

    __slots__ = ("_form", "_rounds", "_step")
    limit: ClassVar[int]
    _slots: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        cls._slots = tuple(slot for part in cls.__mro__ for slot in getattr(part, "__slots__", ()))

    def __init__(self, form: F, first: str) -> None:
        self._form = form
        self._rounds = 0
        self._step = Step(first)

    @property
    def observation(self) -> str:
        return self._step.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self._form.tools

    def step(self, action: Action | None) -> Step:
        """Play one round. After the end the world only repeats that it is over."""
        if self._step.done:
            return Step("The episode is over.", True, self._step.status)
        self._rounds += 1
        self._step = self._turn(action)
        return self._step

    @abstractmethod
    def _turn(self, action: Action | None) -> Step:
        """What the world answers; None is a turn without a readable action."""

    def _told(self, text: str, status: Status | None = None, admissible: bool | None = None) -> Step:
        """An answer that ends the episode when it has a status, or when the rounds are spent."""
        if status is None and self._rounds >= self.limit:
            status = "task limit reached"
        return Step(text, status is not None, status, admissible)

    def fork(self) -> Self:
        cls = type(self)
        copy = cls.__new__(cls)
        for slot in cls._slots:
            setattr(copy, slot, getattr(self, slot))
        return copy

    def close(self) -> None:
        """Nothing is held that a garbage collector would not take."""
