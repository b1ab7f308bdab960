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
from pathlib import Path

from .launch import launch
from .login import BECOMING, SECONDS, LoginShell, Result, SandboxError
from .machine import Machine
from .shell import LOGIN, RUN
from .stack import Chain
from .terminal import KEPT, Terminal, children, readable

_NOT_EXECUTED = 0x40  # PF_FORKNOEXEC in the kernel's include/linux/sched.h


class Sandbox(LoginShell):
    """state: what the login shell is to know, as it told it of itself before; empty for a first one.

    Raises SandboxError when it does not start.
    """

    _terminal: Terminal

    def __init__(self, machine: Machine, layer: int, below: Chain, state: str) -> None:
        self.state = state
        self._mark = uuid.uuid4().hex
        self._terminal = Terminal()
        self._first = 0
        self._crowd = machine.limits.processes * 0.8
        self._group = machine.group(layer)
        script, self._script = os.pipe()
        self._told, told = os.pipe()
        os.set_blocking(self._told, False)
        os.set_blocking(self._script, False)
        try:
            given = (script, told, self._terminal.slave)
            self._process = launch(machine, layer, below, self._group, given)
        finally:
            for end in (script, told):
                os.close(end)
            self._terminal.handed_over()
        self._tell(LOGIN)
        begun = self._begin()
        self._first = self._find_first()
        if not begun or not self._first:
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

    def _hand(self, data: bytes, deadline: float) -> bool:
        while data and time.monotonic() < deadline:
            try:
                data = data[os.write(self._script, data[: 1 << 16]) :]
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                return False
        return True

    def _dead(self) -> bool:
        return self._process.poll() is not None or (
            self._login > 0 and not Path(f"/proc/{self._login}").exists()
        )

    def execute(self, command: list[str], seconds: float = SECONDS) -> Result:
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
            at = heard.find(mark, max(0, tail))
            if at >= 0 and (end := heard.find(b">\n", at)) >= 0:  # more may come from the background
                status, output = heard[at + len(mark) : end], heard[:at]
                return Result(int(status), output.decode("utf-8", "replace"))
            if len(heard) > 2 * KEPT:
                del heard[KEPT:-64]
        return Result(137, bytes(heard).decode("utf-8", "replace"))

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(command.encode("utf-8", "surrogateescape"))
            self._process.stdin.flush()

    def background(self) -> list[str]:
        deadline = time.monotonic() + BECOMING
        while any(map(_becoming, found := self._others())) and time.monotonic() < deadline:
            time.sleep(0.001)
        return [command for pid in found if (command := _command(pid))]

    def _others(self) -> list[int]:
        """The processes beside the two shells."""
        found: list[int] = []
        todo = [self._first]
        while todo:
            below = children(todo.pop())
            todo += below
            found += [pid for pid in below if pid != self._login]
        return found

    def stop(self) -> None:
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


def _becoming(pid: int) -> bool:
    """Whether a process is still its parent's copy and busy: on its way to its own program."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return bool(int(told[6]) & _NOT_EXECUTED) and told[0] in "RD"


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return " ".join(word.decode("utf-8", "replace") for word in words).strip()[:80]
