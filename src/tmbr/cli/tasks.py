"""Tasks by name: where each is found, and what it can take its samples from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tmbr.core.errors import ConfigError, TmbrError, nearest

if TYPE_CHECKING:
    from tmbr.core.protocols import Task, Taught

SPLITS = ("train", "validation", "test")


#: Module and class of each task; imported only when it is asked for.
TASKS = {
    "household": ("tmbr.tasks.household", "Household"),
    "webshop": ("tmbr.tasks.webshop", "Webshop"),
    "webpages": ("tmbr.tasks.webpages", "WebPages"),
    "operating_system": ("tmbr.tasks.operating_system", "OperatingSystem"),
    "database": ("tmbr.tasks.database", "DatabaseTask"),
    "knowledge_graph": ("tmbr.tasks.knowledge_graph", "KnowledgeGraph"),
}


def load(name: str) -> type[Taught]:
    """The class of a task. Raises ConfigError for an unknown name, or an extra that is not there."""
    if name not in TASKS:
        raise ConfigError(f"no task {name!r}; {nearest(name, TASKS)} (or your own: FILE.py:CLASS)")
    module, made = TASKS[name]
    found: type[Taught] = getattr(import_module(module), made)
    return found


def make_task(name: str, data: str, form: str) -> Task:
    """A task that comes with tmbr; a user's own by `FILE.py:CLASS`, which has one data and form; or a
    world in words by `FILE.yaml`, for `tmbr data make`.

    Raises ConfigError for an unknown task, data set or form, or an extra that is not there.
    """
    if name.endswith((".yaml", ".yml")):
        from tmbr.teacher.imagined import Imagined

        return Imagined(Path(name))
    if ".py:" in name:
        from tmbr.tasks import own

        return own.load(name)
    make: type = load(name)
    made: Task = make(data=data, form=form)
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
        sizes = {split: len(task.samples(split)) for split in SPLITS}
        if len(set(sizes.values())) == 1:  # a file is its own split
            return f"{sizes['test']:,} samples"
        return ", ".join(f"{size:,} {split}" for split, size in sizes.items())
    except TmbrError as error:
        return str(error)


def check_contract(name: str, split: str, walks: int) -> int:
    """Print one line a clause of the fork contract; 1 when one does not hold."""
    from tmbr.tasks.contract import check

    broken = 0
    for finding in check(make_task(name, "generated", "text"), split, walks):
        broken += finding.why is not None
        print(f"{'broken' if finding.why else 'holds '}  {finding.clause}")
        if finding.why:
            print(f"        {finding.why}")
    return 1 if broken else 0
