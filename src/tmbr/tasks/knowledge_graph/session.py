"""One knowledge graph episode (rules: AgentBench src/server/tasks/knowledgegraph/task.py).

Fifteen rounds. A turn without a call costs a round and is told so; so does a call that cannot be done.
`Final Answer: #n` ends the episode: `completed` when variable n can be asked for, else
`agent validation failed`.
"""

from __future__ import annotations

from tmbr.core.types import Action, Step
from tmbr.environments.knowledge_graph import QueryError, State
from tmbr.tasks.knowledge_graph.forms import ANSWER, Form
from tmbr.tasks.session import TurnSession

ROUNDS = 15
_NO_CALL = "No valid function calls found! Need to recheck the function calls."


class KnowledgeGraphSession(TurnSession[Form]):
    """A live episode; a fork shares everything, because the graph is only read and all else immutable.

    answer: the members of the final answer, once it was given and could be asked for.
    """

    __slots__ = ("answer", "state")
    limit = ROUNDS

    def __init__(self, question: str, state: State, form: Form) -> None:
        self.state = state
        self.answer: frozenset[str] | None = None
        super().__init__(form, f"{question}\nEntities: [{', '.join(state.entities)}]")

    def _turn(self, action: Action | None) -> Step:
        """Raises EnvironmentFault when the graph does not answer."""
        if action is None:
            return self._told(_NO_CALL)
        if action.name == ANSWER:
            return self._final(action.arguments["variable"])
        outcome = self.state.call(action.name, action.arguments)
        self.state = outcome.state
        return self._told(outcome.told, admissible=outcome.done)

    def _final(self, variable: str) -> Step:
        try:
            self.answer = self.state.answer(variable.removeprefix("#"))
        except QueryError as error:
            told = f"{variable[:20]} cannot be the answer: {error}"
            return self._told(told, "agent validation failed", False)
        return self._told(f"The answer is {variable}.", "completed", True)

    def ends(self, action: Action) -> bool:
        """A final answer, right or wrong."""
        return action.name == ANSWER

    def state_key(self) -> str:
        variables = "; ".join(f"{v.type} {v.program}" for v in self.state.variables)
        found = None if self.answer is None else sorted(self.answer)
        return f"{variables}/{self._rounds}/{found}"
