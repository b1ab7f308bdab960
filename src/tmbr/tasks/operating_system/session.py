"""One episode at a computer under AgentBench's rules (AgentBench src/server/tasks/os_interaction).

Eight rounds; a script's output is cut at 800 characters. A turn without an action costs a round and is
answered. Answering or finishing ends the episode, and the checks run at once, on the computer as it is.
"""

from __future__ import annotations

from typing import Self

from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Action, Sample, Step
from tmbr.environments.operating_system import Computer
from tmbr.tasks.operating_system.forms import ANSWER, BASH, FINISH, Form
from tmbr.tasks.operating_system.scoring import command, judge
from tmbr.tasks.session import TurnSession

ROUNDS = 8
LONGEST, KEPT = 800, 780
CUT = "\n[truncated because the output is too long]"
#: Exit statuses of a shell for a command that is not there or cannot be run.
_NO_COMMAND = (126, 127)


class OperatingSystemSession(TurnSession[Form]):
    """A live computer. A fork ends its background processes on both sides, and the next observation of
    each says so."""

    __slots__ = ("_ended", "_sample", "computer", "solved")
    limit = ROUNDS

    def __init__(self, sample: Sample, form: Form, image: str | None = None) -> None:
        """image: of Docker, in which it is played; by default it is an own sandbox.

        Raises EnvironmentFault when the computer or one of the sample's scripts fails.
        """
        self.computer = Computer(image=image)
        self.solved: bool | None = None
        self._sample = sample
        self._ended: tuple[str, ...] = ()
        super().__init__(form, sample.instruction)
        try:
            self._prepare()
        except BaseException:
            self.computer.close()
            raise

    def _prepare(self) -> None:
        for language, code in self._sample.setup["init"]:
            result = self.computer.execute(command(language, code))
            if result.status != 0:
                said = (result.output.strip().splitlines() or ["nothing"])[-1]
                raise EnvironmentFault(
                    f"{self._sample.id}: its init script ends with {result.status}, saying {said!r}"
                )
        if self._sample.setup["start"] is not None:
            self.computer.run(self._sample.setup["start"])

    def _turn(self, action: Action | None) -> Step:
        if action is None:
            return self._told(self._form.no_action)
        if action.name == BASH:
            return self._run(action.arguments["script"])
        answer = action.arguments["answer"] if action.name == ANSWER else None
        self.solved = judge(self._sample.target, answer, self.computer)
        return self._told("The work has ended.", "completed", True)

    def _run(self, script: str) -> Step:
        output = self.computer.run(script)
        wrong = output.status in _NO_COMMAND or "syntax error" in output.text
        text = output.text if len(output.text) <= LONGEST else output.text[:KEPT] + CUT
        if self._ended:
            text = f"[These processes have ended: {'; '.join(self._ended)}]\n{text}"
            self._ended = ()
        return self._told(self._form.show(text), admissible=not wrong)

    def ends(self, action: Action) -> bool:
        return action.name in (ANSWER, FINISH)

    def fork(self) -> Self:
        computer = self.computer.fork()
        self._ended += self.computer.ended
        copy = super().fork()
        copy.computer = computer
        return copy

    def state_key(self) -> str:
        """Processes in the background are the same whether a fork has ended them or will."""
        processes = (*self._ended, *self.computer.running())
        return f"{self.computer.state_key()}/{self._rounds}/{self.solved}/{processes}"

    def close(self) -> None:
        self.computer.close()
