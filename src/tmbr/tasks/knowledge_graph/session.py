"""One knowledge graph episode (rules: AgentBench src/server/tasks/knowledgegraph/task.py).

Fifteen rounds. A turn without a call costs a round and is told so; so does a call that cannot be done.
`Final Answer: #n` ends the episode: `completed` when variable n can be asked for, else
`agent validation failed`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tmbr.core.types import Action, Status, Step, Tool
from tmbr.environments.knowledge_graph import QueryError, State
from tmbr.tasks.knowledge_graph.forms import ANSWER, Form

ROUNDS = 15
_NO_CALL = "No valid function calls found! Need to recheck the function calls."


class KnowledgeGraphSession:
    """A live episode; a fork shares everything, because the graph is only read and all else immutable.

    answer: the members of the final answer, once it was given and could be asked for.
    """

    __slots__ = ("_form", "_rounds", "_step", "answer", "state")

    def __init__(self, question: str, state: State, form: Form) -> None:
        self.state = state
        self.answer: frozenset[str] | None = None
        self._form = form
        self._rounds = 0
        self._step = Step(f"{question}\nEntities: [{', '.join(state.entities)}]")

    @property
    def observation(self) -> str:
        return self._step.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self._form.tools

    def step(self, action: Action | None) -> Step:
        """Play one round. After the end the world only repeats that it is over.

        Raises EnvironmentFault when the graph does not answer.
        """
        if self._step.done:
            return Step("The episode is over.", True, self._step.status)
        if action is not None and action.name == ANSWER:
            self._step = self._final(action.arguments["variable"])
        else:
            self._step = self._turn(action)
        return self._step

    def _turn(self, action: Action | None) -> Step:
        told, done = _NO_CALL, None
        if action is not None:
            outcome = self.state.call(action.name, action.arguments)
            self.state, told, done = outcome.state, outcome.told, outcome.done
        self._rounds += 1
        status: Status | None = "task limit reached" if self._rounds >= ROUNDS else None
        return Step(told, status is not None, status, admissible=done)

    def _final(self, variable: str) -> Step:
        try:
            self.answer = self.state.answer(variable.removeprefix("#"))
        except QueryError as error:
            told = f"{variable[:20]} cannot be the answer: {error}"
            return Step(told, True, "agent validation failed", admissible=False)
        return Step(f"The answer is {variable}.", True, "completed", admissible=True)

    def ends(self, action: Action) -> bool:
        """A final answer, right or wrong."""
        return action.name == ANSWER

    def fork(self) -> KnowledgeGraphSession:
        copy = KnowledgeGraphSession.__new__(KnowledgeGraphSession)
        copy.state, copy.answer = self.state, self.answer
        copy._form, copy._rounds, copy._step = self._form, self._rounds, self._step
        return copy

    def state_key(self) -> str:
        variables = "; ".join(f"{v.type} {v.program}" for v in self.state.variables)
        found = None if self.answer is None else sorted(self.answer)
        return f"{variables}/{self._rounds}/{found}"

    def close(self) -> None:
        """Nothing is held that a garbage collector would not take."""
