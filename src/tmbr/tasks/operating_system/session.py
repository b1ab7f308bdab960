"""One episode at a computer under AgentBench's rules (AgentBench src/server/tasks/os_interaction).

Eight rounds; a script's output is cut at 800 characters. A turn without an action costs a round and is
answered. Answering or finishing ends the episode, and the checks run at once, on the computer as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Action, Sample, Status, Step, Tool
from tmbr.environments.operating_system import Computer
from tmbr.tasks.operating_system.forms import ANSWER, BASH, FINISH, Form
from tmbr.tasks.operating_system.scoring import command, judge

ROUNDS = 8
LONGEST, KEPT = 800, 780
CUT = "\n[truncated because the output is too long]"
#: Exit statuses of a shell for a command that is not there or cannot be run.
_NO_COMMAND = (126, 127)


class OperatingSystemSession:
    """A live computer. A fork ends its background processes on both sides, and the next observation of
    each says so."""

    __slots__ = ("_ended", "_form", "_rounds", "_sample", "_step", "computer", "solved")

    def __init__(self, sample: Sample, form: Form, image: str | None = None) -> None:
        """image: of Docker, in which it is played; by default it is an own sandbox.

        Raises EnvironmentFault when the computer or one of the sample's scripts fails.
        """
        self.computer = Computer(image=image)
        self.solved: bool | None = None
        self._sample = sample
        self._form = form
        self._rounds = 0
        self._ended: tuple[str, ...] = ()
        self._step = Step(sample.instruction)
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
        elif action.name == BASH:
            self._step = self._run(action.arguments["script"], limit)
        else:
            answer = action.arguments["answer"] if action.name == ANSWER else None
            self.solved = judge(self._sample.target, answer, self.computer)
            self._step = Step("The work has ended.", True, "completed", admissible=True)
        return self._step

    def _run(self, script: str, limit: Status | None) -> Step:
        output = self.computer.run(script)
        wrong = output.status in _NO_COMMAND or "syntax error" in output.text
        text = output.text if len(output.text) <= LONGEST else output.text[:KEPT] + CUT
        if self._ended:
            text = f"[These processes have ended: {'; '.join(self._ended)}]\n{text}"
            self._ended = ()
        return Step(self._form.show(text), limit is not None, limit, admissible=not wrong)

    def ends(self, action: Action) -> bool:
        return action.name in (ANSWER, FINISH)

    def fork(self) -> OperatingSystemSession:
        copy = OperatingSystemSession.__new__(OperatingSystemSession)
        copy.computer = self.computer.fork()
        self._ended += self.computer.ended
        copy._ended, copy._sample, copy.solved = self._ended, self._sample, self.solved
        copy._form, copy._rounds, copy._step = self._form, self._rounds, self._step
        return copy

    def state_key(self) -> str:
        """Processes in the background are the same whether a fork has ended them or will."""
        processes = (*self._ended, *self.computer.running())
        return f"{self.computer.state_key()}/{self._rounds}/{self.solved}/{processes}"

    def close(self) -> None:
        self.computer.close()
