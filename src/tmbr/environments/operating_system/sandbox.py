"""One running sandbox: a login shell on a PTY, and beside it a shell that runs scripts of our own.

The first process is a shell that reads commands from a pipe of this process; it cannot be killed from
inside, and when the pipe ends it ends, and the kernel with it ends everything in the sandbox.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .launch import launch
from .machine import Chain, Machine
from .shell import LOGIN, RUN, STEP, lasting, setup
from .terminal import FLOOD, KEPT, Terminal, children, plain, readable, without_dialogue

#: AgentBench's limit on one command.
SECONDS = 30.0
#: What may be told of a shell's variables and functions; a larger state is not kept.
MAX_STATE = 1 << 20
_QUIET = 0.05
_START_SECONDS = 20.0


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


class Sandbox:
    """state: what the login shell is to know, as it told it of itself before; empty for a first one.

    Raises SandboxError when it does not start.
    """

    def __init__(self, machine: Machine, layer: int, below: Chain, state: str) -> None:
        self.state = state
        self.busy = False
        self._mark = uuid.uuid4().hex
        self._terminal = Terminal()
        self._first = self._login = 0
        self._crowd = machine.limits.processes * 0.8
        self._group = machine.group(layer)
        script, self._script = os.pipe()
        self._told, told = os.pipe()
        os.set_blocking(self._told, False)
        try:
            given = (script, told, self._terminal.slave)
            self._process = launch(machine, layer, below, self._group, given)
        finally:
            for end in (script, told):
                os.close(end)
            self._terminal.handed_over()
        self._begin()

    def _begin(self) -> None:
        """Start the login shell and bring it to where the last one was."""
        self._tell(LOGIN)
        self._terminal.write(STEP)
        output = self._converse(setup(self._mark, self.state), _START_SECONDS)
        self._first = self._find_first()
        if output.end != "done" or not self._first:
            why = self._why()
            self.stop()
            raise SandboxError(why)
        self._login = min(children(self._first), default=0)
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _why(self) -> str:
        """What the sandbox said before it failed."""
        assert self._process.stderr is not None
        os.set_blocking(self._process.stderr.fileno(), False)
        said = (self._process.stderr.read() or b"").decode("utf-8", "replace").strip()
        return said.splitlines()[-1] if said else "its shell does not answer"

    def _find_first(self) -> int:
        """The sandbox's first process: nsenter's child is bwrap, and bwrap's child is it."""
        pid = self._process.pid
        for _ in range(2):
            pid = next(iter(children(pid)), 0)
        return pid

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
        data = script.encode("utf-8", "replace") + b"\0"
        os.set_blocking(self._script, False)
        deadline = time.monotonic() + seconds
        while data and time.monotonic() < deadline:
            try:
                data = data[os.write(self._script, data[: 1 << 16]) :]
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
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
        while how == "done" and end not in heard and (data := self._terminal.read()):
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

    def _dead(self) -> bool:
        """Whether the login shell, or the sandbox around it, has ended."""
        return self._process.poll() is not None or (
            self._login > 0 and not Path(f"/proc/{self._login}").exists()
        )

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
            return os.tcgetpgrp(self._terminal.master) == self._login and self._terminal.waiting()
        return False

    def execute(self, command: list[str], seconds: float = SECONDS) -> Result:
        """Run a program beside the login shell, as `docker exec` does; both its outputs together."""
        mark = uuid.uuid4().hex
        words = " ".join(shlex.quote(word.replace("\0", "")) for word in command)
        assert self._process.stdout is not None
        told = self._process.stdout.fileno()
        with suppress(OSError):
            while readable(0, told) and os.read(told, 1 << 16):
                pass
        self._tell(RUN.format(seconds=seconds, command=words, mark=mark))
        return self._hear(f"<{mark} ".encode(), time.monotonic() + seconds + 5)

    def _hear(self, mark: bytes, deadline: float) -> Result:
        assert self._process.stdout is not None
        heard = bytearray()
        while (left := deadline - time.monotonic()) > 0:
            if not readable(left, self._process.stdout.fileno()):
                continue
            data = os.read(self._process.stdout.fileno(), 1 << 16)
            if not data:
                break
            tail = len(heard) - 64
            heard += data
            if mark in heard[max(0, tail) :] and heard.endswith(b">\n"):
                output, _, status = bytes(heard).rpartition(mark)
                return Result(int(status[:-2]), output.decode("utf-8", "replace"))
            if len(heard) > 2 * KEPT:
                del heard[KEPT:-64]
        return Result(137, bytes(heard).decode("utf-8", "replace"))

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(command.encode("utf-8", "surrogateescape"))
            self._process.stdin.flush()

    def background(self) -> list[str]:
        """The commands of the processes that run beside the two shells."""
        found: list[int] = []
        todo = [self._first]
        while todo:
            below = children(todo.pop())
            todo += below
            found += [pid for pid in below if pid != self._login]
        return [command for pid in found if (command := _command(pid))]

    def stop(self) -> None:
        """End every process of the sandbox; on return they are gone, and with them its mounts."""
        if (first := self._first or self._find_first()) > 0:
            with suppress(OSError):
                os.kill(first, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        for end in (self._script, self._told):
            os.close(end)
        self._terminal.close()
        if self._group:
            self._group.remove()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return " ".join(word.decode("utf-8", "replace") for word in words).strip()[:80]
