"""Which grammars a task has; a user's own may have none."""

from __future__ import annotations

from typing import cast

from tmbr.core.errors import ConfigError
from tmbr.core.grammar import Constraint
from tmbr.core.protocols import Constrainable, Task

_LACKS = {
    "format": "has no grammar of its turns: give it `constraints` and `grammar`, see docs/own_task.md",
    "admissible": "tells no list of actions in this form: constrain its format only",
}


def constrained(task: Task, constraint: Constraint) -> Constrainable:
    """The task, if it can be constrained like this. Raises ConfigError."""
    known = task.constraints if hasattr(task, "constraints") else ()
    if constraint in known:
        return cast(Constrainable, task)
    lacks = _LACKS[constraint if known else "format"]
    raise ConfigError(f"constrain: {constraint}: the task {task.name!r} {lacks}")
