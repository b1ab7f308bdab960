"""A user's own task: `path/to/file.py:MyTask`, found, checked, and given forks if it has none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from tmbr.core.errors import ConfigError, nearest, no_file
from tmbr.core.protocols import Session, Task
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step
from tmbr.environments.replay import Replayed

NEEDED = ("name", "version", "rounds", "samples", "open", "messages", "parse", "score")
_PLAIN = ("observation", "tools", "step", "close")
_WHOLE = (*_PLAIN, "ends", "fork", "state_key")
#: What a task may have beyond that: teachers, and a grammar.
OPTIONAL = ("expert", "mistake", "slip", "walkthrough", "constraints", "grammar")


def load(told: str) -> Task:
    """The task that `FILE.py:CLASS` names, made without arguments.

    A session needs `observation`, `tools`, `step` and `close`; one without `fork`, `ends` and
    `state_key` is forked by replay (`tmbr.environments.replay`), and its class may name the actions
    that end an episode in `ending`. Raises ConfigError: no such file or class, one that fails, or
    lacks something.
    """
    name, made = told.rpartition(":")[2], find(told)
    try:
        task = made()
    except Exception as error:
        raise ConfigError(f"{told}: {name}() fails: {type(error).__name__}: {error}") from error
    if lacking := [part for part in NEEDED if not hasattr(task, part)]:
        raise ConfigError(f"{told}: {name} has no {', '.join(lacking)}; see docs/own_task.md")
    return Own(task, told)


def find(told: str) -> Any:
    """The class that `FILE.py:CLASS` names. Raises ConfigError."""
    file, _, name = told.rpartition(":")
    path = Path(file)
    module = _module(path)
    if not hasattr(module, name):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise ConfigError(f"{path}: has no class {name!r}; {nearest(name, classes)}")
    return getattr(module, name)


def _module(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigError(no_file(path))
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is no Python file; name one that ends in .py")
    module = module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"{path}: cannot be run: {type(error).__name__}: {error}") from error
    return module


class Own:
    """The user's task as it is, with what else it has, except that its worlds fork."""

    def __init__(self, task: Any, told: str) -> None:
        self.task = task
        self.name: str = task.name
        self.version: str = task.version
        self.rounds: int = task.rounds
        self._told = told
        for part in OPTIONAL:
            if hasattr(task, part):
                setattr(self, part, getattr(task, part))

    def samples(self, split: str) -> Sequence[Sample]:
        found: Sequence[Sample] = self.task.samples(split)
        return found

    def open(self, sample: Sample) -> Session:
        session = self.task.open(sample)
        if all(hasattr(session, part) for part in _WHOLE):
            whole: Session = session
            return whole
        if lacking := [part for part in _PLAIN if not hasattr(session, part)]:
            raise ConfigError(f"{self._told}: its session has no {', '.join(lacking)}")
        ending = frozenset(getattr(session, "ending", ()))
        replayed = Replayed(lambda: self.task.open(sample), ending)
        session.close()
        return replayed

    def messages(self, sample: Sample, observation: str) -> list[Message]:
        made: list[Message] = self.task.messages(sample, observation)
        return made

    def parse(self, completion: Completion) -> Action:
        action: Action = self.task.parse(completion)
        return action

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:
        world = session.world if isinstance(session, Replayed) else session
        score: Score = self.task.score(sample, world, branch)
        return score
