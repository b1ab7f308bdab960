"""The worlds that come with an asker, by the name of their task."""

from __future__ import annotations

from importlib import import_module

from tmbr.core.errors import ConfigError, nearest
from tmbr.core.protocols import Task
from tmbr.teacher.asker import Asker
from tmbr.teacher.imagined import Imagined

ASKERS = {
    "household": ("tmbr.teacher.askers.household", "HouseholdAsker"),
    "database": ("tmbr.teacher.askers.database", "DatabaseAsker"),
    "webshop": ("tmbr.teacher.askers.webshop", "WebshopAsker"),
}


def make_asker(name: str, task: Task) -> Asker:
    """The asker of a task, or one's own by `FILE.py:CLASS`. Raises ConfigError."""
    if isinstance(task, Imagined):
        return task
    if ".py:" in name:
        from tmbr.tasks import own

        made: Asker = own.find(name)(task)
        return made
    if name not in ASKERS:
        raise ConfigError(
            f"no asker for {name!r}; {nearest(name, ASKERS)} (or your own: asker=FILE.py:CLASS)"
        )
    module, of = ASKERS[name]
    found: Asker = getattr(import_module(module), of)(task)
    return found
