"""A pseudo-terminal as the host holds it: what came out of it, and who waits for input at it."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import termios
from abc import ABC, abstractmethod
from pathlib import Path

ROWS, COLUMNS = 24, 80
#: What is kept of one output; it is shown to 800 characters anyway.
KEPT = 1 << 20
#: An output of so many bytes is stopped.
FLOOD = 64 << 20
#: Control sequences: CSI, OSC and its kin to their ends, character sets, other two-character ones.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]+[0-~]|\x1b[0-~]"
)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_PROMPT = re.compile(r"(?:\A|\n)[^\n]*[#$>] \Z")


class Line(ABC):
    """One end of a terminal. master: a descriptor to be polled for what comes out of it. lag: seconds
    by which that may come later than what its programs do elsewhere."""

    master: int
    device: int
    lag: float = 0.05

    @abstractmethod
    def write(self, text: str) -> None:
        """Type. What does not fit into a terminal that nobody reads is dropped, as a terminal does."""

    @abstractmethod
    def foreground(self) -> int:
        """The process group that has the terminal. Raises OSError where that cannot be seen."""

    @abstractmethod
    def editing(self) -> bool:
        """Whether characters arrive one by one, not by lines. Raises OSError."""

    def read(self) -> bytes:
        """What is there now; nothing also when nobody holds the other end any more."""
        try:
            return os.read(self.master, 1 << 16)
        except OSError:
            return b""

    def read_within(self, seconds: float) -> bytes:
        """What is there, or comes within so many seconds."""
        return self.read() if readable(seconds, self.master) else b""

    def waiting(self) -> bool:
        """Whether the program in the foreground is waiting for something to be typed.

        It is when a process of it sleeps in a read of this terminal, or, with line editing on, in any
        wait. False where this user may not see that.
        """
        try:
            editing = self.editing()
            return any(self._reads(pid, editing) for pid in _members(self.foreground()))
        except OSError:
            return False

    def _reads(self, pid: int, editing: bool) -> bool:
        called = Path(f"/proc/{pid}/syscall").read_text().split()
        if called[0] in _READ:
            held = Path(f"/proc/{pid}/fd/{int(called[1], 16)}").stat()
            return held.st_rdev == self.device
        return editing and called[0] in _WAIT


class Terminal(Line):
    """Both ends of a PTY without echo; `slave` is closed once a child has it."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.device = os.fstat(self.slave).st_rdev
        settings = termios.tcgetattr(self.slave)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(self.slave, termios.TCSANOW, settings)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)
        os.set_blocking(self.master, False)

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        try:
            while data:
                data = data[os.write(self.master, data) :]
        except OSError:  # full, or nobody there
            return

    def foreground(self) -> int:
        return os.tcgetpgrp(self.master)

    def editing(self) -> bool:
        return not termios.tcgetattr(self.master)[3] & termios.ICANON

    def close(self) -> None:
        for end in (self.master, self.slave):
            if end >= 0:
                os.close(end)
        self.master = self.slave = -1

    def handed_over(self) -> None:
        """Close this process's copy of the slave."""
        os.close(self.slave)
        self.slave = -1


#: Numbers of read, and of select, poll and epoll, on x86_64 and aarch64.
_READ = {"x86_64": {"0"}, "aarch64": {"63"}}[os.uname().machine]
_WAIT = {"x86_64": {"7", "23", "232", "270", "271", "281"}, "aarch64": {"22", "72", "73"}}[
    os.uname().machine
]


def _members(group: int) -> list[int]:
    """The processes of a group: its leader and the descendants of it that are in it."""
    found, todo = [], [group]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children(pid)
    return [pid for pid in found if os.getpgid(pid) == group]


def children(pid: int) -> list[int]:
    """The child processes of all threads of a process; none when it is gone."""
    try:
        return [
            int(child)
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except OSError:
        return []


def readable(seconds: float, *descriptors: int) -> set[int]:
    """Those of some descriptors that can be read, or have ended, within so many seconds."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(seconds * 1000)}


def plain(data: bytes) -> str:
    """Output as text: no control sequences or invisible characters, lines end in a newline alone."""
    text = data[:KEPT].decode("utf-8", "replace")
    text = _CONTROL.sub("", text.replace("\r\n", "\n")).replace("\r", "\n")
    return _INVISIBLE.sub("", text)


def without_dialogue(text: str, typed: str) -> str:
    """What a program answered, without the echo of what was typed and its prompts."""
    for line in typed.splitlines():
        before, found, after = text.partition(f"{line}\n")
        if found and "\n" not in before:
            text = after
    return _PROMPT.sub("", text)
