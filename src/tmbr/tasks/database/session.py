"""One database episode under AgentBench's rules (AgentBench src/server/tasks/dbbench/task.py).

Fifteen rounds. A turn without an action costs a round and is answered, however often; committing an
answer ends the episode, and only then is there anything to score.
"""

from __future__ import annotations

from typing import Self

from tmbr.core.types import Action, Step
from tmbr.environments.database import Database
from tmbr.tasks.database.forms import COMMIT, Form, answers
from tmbr.tasks.session import TurnSession

ROUNDS = 15


class DatabaseSession(TurnSession[Form]):
    """A live database; a fork shares its image until one side writes."""

    __slots__ = ("committed", "database")
    limit = ROUNDS

    def __init__(self, database: Database, form: Form, asked: str) -> None:
        self.database = database
        self.committed: list[str] | str | None = None
        super().__init__(form, asked)

    def _turn(self, action: Action | None) -> Step:
        if action is None:
            return self._told(self._form.no_action)
        if action.name == COMMIT:
            self.committed = answers(action.arguments["answers"])
            return self._told("The answer is committed.", "completed", True)
        result = self.database.execute(action.arguments["query"])
        return self._told(result.shown, admissible=result.error is None)

    def ends(self, action: Action) -> bool:
        return action.name == COMMIT

    def fork(self) -> Self:
        copy = super().fork()
        copy.database = self.database.fork()
        return copy

    def state_key(self) -> str:
        return f"{self.database.state_key()}/{self._rounds}/{self.committed!r}"

    def close(self) -> None:
        self.database.close()
