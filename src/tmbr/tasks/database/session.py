"""One database episode under AgentBench's rules (AgentBench src/server/tasks/dbbench/task.py).

Fifteen rounds. A turn without an action costs a round and is answered, however often; committing an
answer ends the episode, and only then is there anything to score.
"""

from __future__ import annotations

from collections.abc import Sequence

from tmbr.core.types import Action, Status, Step, Tool
from tmbr.environments.database import Database
from tmbr.tasks.database.forms import COMMIT, Form, answers

ROUNDS = 15


class DatabaseSession:
    """A live database; a fork shares its image until one side writes."""

    __slots__ = ("_form", "_rounds", "_step", "committed", "database")

    def __init__(self, database: Database, form: Form, asked: str) -> None:
        self.database = database
        self.committed: list[str] | str | None = None
        self._form = form
        self._rounds = 0
        self._step = Step(asked)

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
        limit: Status | None = "task limit reached" if self._rounds >= ROUNDS else None
        if action is None:
            self._step = Step(self._form.no_action, limit is not None, limit)
        elif action.name == COMMIT:
            self.committed = answers(action.arguments["answers"])
            self._step = Step("The answer is committed.", True, "completed", admissible=True)
        else:
            result = self.database.execute(action.arguments["query"])
            self._step = Step(result.shown, limit is not None, limit, admissible=result.error is None)
        return self._step

    def ends(self, action: Action) -> bool:
        return action.name == COMMIT

    def fork(self) -> DatabaseSession:
        copy = DatabaseSession.__new__(DatabaseSession)
        copy.database = self.database.fork()
        copy.committed = self.committed
        copy._form, copy._rounds, copy._step = self._form, self._rounds, self._step
        return copy

    def state_key(self) -> str:
        return f"{self.database.state_key()}/{self._rounds}/{self.committed!r}"

    def close(self) -> None:
        self.database.close()
