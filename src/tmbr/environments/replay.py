"""Forks for a world that has none: open it again and do the same actions.

Right for any world whose answers follow from its actions alone; what a fork costs grows with the path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Protocol

from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Action, Step, Tool


class Plain(Protocol):
    """What a world must at least have."""

    @property
    def observation(self) -> str: ...

    @property
    def tools(self) -> Sequence[Tool]: ...

    def step(self, action: Action | None) -> Step: ...

    def close(self) -> None: ...


class Replayed:
    """A session over a plain world; a fork opens its own world when it is first used.

    ending: names of actions that end an episode whatever the state. Raises EnvironmentFault when the
    world answers a repeated path otherwise than before.
    """

    def __init__(
        self,
        reopen: Callable[[], Plain],
        ending: frozenset[str] = frozenset(),
        path: tuple[tuple[Action | None, Step], ...] = (),
    ) -> None:
        self._reopen = reopen
        self._ending = ending
        self._path = path
        self._live: Plain | None = None
        self._closed = False

    @property
    def observation(self) -> str:
        return self._path[-1][1].observation if self._path else self._world().observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self._world().tools

    @property
    def world(self) -> Plain:
        """The world behind it: for the task's score."""
        return self._world()

    def step(self, action: Action | None) -> Step:
        step = self._world().step(action)
        self._path = (*self._path, (action, step))
        return step

    def ends(self, action: Action) -> bool:
        return action.name in self._ending

    def fork(self) -> Replayed:
        return Replayed(self._reopen, self._ending, self._path)

    def state_key(self) -> str:
        """The path so far: equal paths are equal states, different ones may be."""
        return json.dumps([action.key if action else None for action, _ in self._path])

    def close(self) -> None:
        self._closed = True
        if self._live is not None:
            self._live.close()
            self._live = None

    def _world(self) -> Plain:
        if self._live is None:
            if self._closed:
                raise RuntimeError("this world was closed")
            self._live = self._reopen()
            for index, (action, before) in enumerate(self._path):
                if self._live.step(action) != before:
                    raise EnvironmentFault(
                        f"action {index + 1} of {len(self._path)} had another answer when it was"
                        " repeated: this world cannot be forked by replay; give its session a fork()"
                    )
        return self._live
