"""Tasks by name: where each is found, and what it can take its samples from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from tmbr.core.errors import ConfigError, TmbrError, nearest

if TYPE_CHECKING:
    from tmbr.core.protocols import Taught

SPLITS = ("train", "validation", "test")


#: Module and class of each task; imported only when it is asked for.
TASKS = {
    "household": ("tmbr.tasks.household", "Household"),
    "database": ("tmbr.tasks.database", "DatabaseTask"),
    "knowledge_graph": ("tmbr.tasks.knowledge_graph", "KnowledgeGraph"),
}


def load(name: str) -> type[Taught]:
    """The class of a task. Raises ConfigError for an unknown name, or an extra that is not there."""
    if name not in TASKS:
        raise ConfigError(f"no task {name!r}; {nearest(name, TASKS)}")
    module, made = TASKS[name]
    found: type[Taught] = getattr(import_module(module), made)
    return found


def make_task(name: str, data: str, form: str) -> Taught:
    """Raises ConfigError for an unknown task, data set or form, or an extra that is not there."""
    make: type = load(name)
    made: Taught = make(data=data, form=form)
    return made


def describe(generated: bool = True) -> Iterator[str]:
    """One line a source of each task: how many samples, or why there are none."""
    for name in TASKS:
        try:
            sources = load(name).sources
        except ConfigError as error:
            yield f"{name}: {error}"
            continue
        for source in sources:
            if generated or not source.startswith("generated"):
                yield f"{name} {source}: {_holds(name, source)}"


def _holds(name: str, source: str) -> str:
    try:
        task = make_task(name, source, "text")
        if source.startswith("generated"):
            return ", ".join(f"{len(task.samples(split)):,} {split}" for split in SPLITS)
        return f"{len(task.samples('test')):,} samples"
    except TmbrError as error:
        return str(error)
