"""A conversation with a login shell on a terminal: scripts go in, what they print comes out, and what
the shell knows after each is kept, so that another one can be told.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from .shell import STEP, lasting, setup
from .terminal import FLOOD, KEPT, Line, plain, readable, without_dialogue

#: AgentBench's limit on one command.
SECONDS = 30.0
#: How long a shell may take to start.
START_SECONDS = 20.0
#: What may be told of a shell's variables and functions; a larger state is not kept.
MAX_STATE = 1 << 20
#: Seconds for which a process may be on its way to its program, before it is taken for a busy shell.
BECOMING = 0.2
_QUIET = 0.05


@dataclass(frozen=True, slots=True)
class Output:
    """What a script printed, and how its turn ended: `done`, `waiting` for something to be typed, at
    its `timeout`, or `lost` together with the shell. status: of its last command, where it is done."""

    text: str
    end: Literal["done", "waiting", "timeout", "lost"] = "done"
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a script beside the login shell printed, and its exit status."""

    status: int
    output: str


class SandboxError(Exception):
    """The sandbox did not start."""


class LoginShell(ABC):
    """state: what the shell knows, as it told it of itself. busy: whether a program waits for input.

    What carries it sets the terminal, the descriptor that brings the state, and the shell's process.
    """

    state: str
    busy: bool = False
    _mark: str
    _terminal: Line
    _told: int
    _login: int = 0
    _crowd: float

    @abstractmethod
    def _hand(self, data: bytes, deadline: float) -> bool:
        """Give the shell a script that it has been told to take; False when there is nobody."""

    @abstractmethod
    def _dead(self) -> bool:
        """Whether the login shell, or what is around it, has ended."""

    @abstractmethod
    def background(self) -> list[str]:
        """The commands of the processes that run beside the login shell."""

    @abstractmethod
    def execute(self, command: list[str], seconds: float = SECONDS) -> Result:
        """Run a program beside the login shell, as `docker exec` does; both its outputs together."""

    @abstractmethod
    def stop(self) -> None:
        """End every process; on return they are gone."""

    def _begin(self) -> bool:
        """Bring a new shell to where the last one was; whether it answers."""
        self._terminal.write(STEP)
        return self._converse(setup(self._mark, self.state), START_SECONDS).end == "done"

    def run(self, script: str, seconds: float = SECONDS) -> Output:
        """Run a script in the login shell, or type it into the program that waits there."""
        script = script.replace("\0", "")
        if not self.busy:
            self._terminal.write(STEP)
            return self._converse(script, seconds)
        self._terminal.write(script.rstrip("\n") + "\n")
        output = self._listen(seconds)
        return Output(without_dialogue(output.text, script), output.end)

    def _converse(self, script: str, seconds: float) -> Output:
        """Hand a script to the shell, which has been told to take one."""
        deadline = time.monotonic() + seconds
        if not self._hand(script.encode("utf-8", "replace") + b"\0", deadline):
            return Output("", "lost")
        return self._listen(max(0.0, deadline - time.monotonic()))

    def _listen(self, seconds: float) -> Output:
        """Read the terminal until the script's end, a wait for input, or the time is over."""
        deadline = time.monotonic() + seconds
        heard, told, total, quiet, status = bytearray(), bytearray(), 0, 0, b""
        begin, end = f"<{self._mark}:".encode(), f":{self._mark}>".encode()
        how: Literal["done", "waiting", "timeout", "lost"] = "timeout"
        while total < FLOOD and (left := deadline - time.monotonic()) > 0:
            ready = readable(min(left, _QUIET), self._terminal.master, self._told)
            if self._told in ready:
                data = _read(self._told)
                told += data
                if told.endswith(end):
                    how = "done"
                    break
                if len(told) > 2 * MAX_STATE:  # too much to be kept
                    del told[: -len(end)]
            if self._terminal.master in ready:
                data = self._terminal.read()
                total += len(data)
                if len(heard) > KEPT:  # the end mark is still to be seen
                    del heard[KEPT:-64]
                heard += data
            quiet = 0 if ready else quiet + 1
            if quiet > 1 and (self.busy or begin in heard) and self._terminal.waiting():
                how = "waiting"
                break
            if self._dead() if quiet else ready and not data:
                how = "lost"
                break
        while how == "done" and not heard.endswith(end) and len(heard) <= 2 * KEPT:
            # The mark may still come; one that is there may be the script's own, or followed by others.
            data = self._terminal.read_within(_QUIET if end in heard else self._terminal.lag)
            if not data:
                break
            heard += data
        self.busy = how == "waiting"
        if how == "timeout":
            how = self._interrupt()
        if how == "done" and begin in told and len(told) <= MAX_STATE:
            status, _, state = bytes(told).partition(begin)[2].removesuffix(end).partition(b"\n")
            self.state = lasting(state.decode("utf-8", "surrogateescape").replace(self._mark, ""))
        text = bytes(heard)
        text = text.rpartition(end)[0] if end in text else text
        shown = plain(text.partition(begin)[2] if begin in text else text)
        return Output(shown, how, int(status) if status.isdigit() else None)

    def _interrupt(self) -> Literal["timeout", "lost"]:
        """Stop what runs over its time. A shell that does not answer after that is lost, and so is one
        among so many processes that they will not be stopped one by one."""
        if len(self.background()) >= self._crowd:
            return "lost"
        for wait in (0.3, 1.0):
            self._terminal.write("\x03")
            deadline = time.monotonic() + wait
            while time.monotonic() < deadline:
                readable(_QUIET, self._terminal.master)
                if not self._terminal.read() and self._idle():
                    with suppress(OSError):
                        while _read(self._told):
                            pass
                    return "timeout"
        return "lost"

    def _idle(self) -> bool:
        """Whether the login shell itself waits for its next command."""
        with suppress(OSError):
            return self._terminal.foreground() == self._login and self._terminal.waiting()
        return False


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""
