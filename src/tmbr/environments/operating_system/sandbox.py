"""One running sandbox: a login shell on a PTY, and beside it a shell that runs scripts of our own.

The first process is a shell that reads commands from a pipe of this process; it cannot be killed from
inside, and when the pipe ends it ends, and the kernel with it ends everything in the sandbox.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import shlex
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import skeleton
from .backends import CAPABILITIES
from .machine import Chain, Machine
from .shell import LOGIN, RUN, STEP, lasting, setup
from .terminal import FLOOD, KEPT, Terminal, children, plain, without_dialogue

#: AgentBench's limit on one command.
SECONDS = 30.0
#: What may be told of a shell's variables and functions; a larger state is not kept.
MAX_STATE = 1 << 20
#: Of /proc: what may be read and not written, files that are hidden, and folders.
_READ_ONLY = ("sys", "sysrq-trigger", "fs", "irq", "bus", "driver", "mtrr", "sysvipc", "tty")
_HIDDEN = (
    "cmdline", "config.gz", "kallsyms", "kcore", "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount",
    "kpageflags", "latency_stats", "sched_debug", "schedstat", "slabinfo", "timer_list", "vmallocinfo",
)  # fmt: skip
_EMPTY = ("acpi", "asound", "pressure", "scsi")
_QUIET = 0.05
_START_SECONDS = 20.0
_LAUNCH = """
for group in $JOIN; do echo $$ > $group/cgroup.procs || exit; done
exec nsenter --target $KEEPER --mount --pid $NSENTER bash --norc --noprofile -c "$ENTER" sandbox "$@"
"""
#: Arguments: the folders of programs; the descriptors come as numbers that cannot meet 250 to 253.
_ENTER = """
exec 250<&$SCRIPT 251>&$STATE 253<&$TERMINAL {SCRIPT}<&- {STATE}>&- {TERMINAL}>&-
exec unshare --mount --propagation private bash --norc --noprofile -c "$MOUNT" sandbox "$@"
"""
_MOUNT = """
set -e
cd /tmp
binds=()
for tree; do
  mount -t overlay overlay $LAYER/merged/$tree \
    -o "lowerdir=${BELOW//%/$tree},upperdir=$LAYER/$tree,workdir=$LAYER/work/$tree$OPTIONS"
  if test $tree = root; then binds+=(--bind /tmp/$LAYER/merged/root /)
  else binds+=(--bind /tmp/$LAYER/merged/$tree /$tree); fi
done
exec 9</tmp/seccomp
cd /
exec prlimit $PRLIMIT bwrap "${binds[@]}" $BWRAP
"""


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
        given = [_high(end) for end in (script, told, self._terminal.slave)]
        try:
            self._process = self._spawn(machine, layer, below, given)
        finally:
            for end in (*given, script, told):
                os.close(end)
            self._terminal.handed_over()
        self._begin()

    def _spawn(
        self, machine: Machine, layer: int, below: Chain, given: list[int]
    ) -> subprocess.Popen[bytes]:
        groups = self._group.folders if self._group else ()
        named = dict(zip(("SCRIPT", "STATE", "TERMINAL"), map(str, given), strict=True))
        return subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-c", _LAUNCH, "sandbox", *machine.trees],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
            pass_fds=given, start_new_session=True,
            env={
                "PATH": os.environ["PATH"], "ENTER": _ENTER, "MOUNT": _MOUNT, "LAYER": str(layer),
                "KEEPER": str(machine.keeper), "JOIN": " ".join(map(str, groups)),
                "NSENTER": "" if machine.backend.root else "--user --preserve-credentials",
                "BELOW": ":".join(f"{number}/%" for number in below),
                "OPTIONS": machine.backend.overlay_options, "PRLIMIT": _prlimit(machine),
                "BWRAP": _bwrap(machine.backend.root), **named,
            },
        )  # fmt: skip

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
            ready, _, _ = select.select(
                [self._terminal.master, self._told], [], [], min(left, _QUIET)
            )
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
            self.state = lasting(state.decode("utf-8", "surrogateescape"))
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
                select.select([self._terminal.master], [], [], _QUIET)
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
        with suppress(OSError):
            while select.select([self._process.stdout], [], [], 0)[0] and os.read(
                self._process.stdout.fileno(), 1 << 16
            ):
                pass
        self._tell(RUN.format(seconds=seconds, command=words, mark=mark))
        return self._hear(f"<{mark} ".encode(), time.monotonic() + seconds + 5)

    def _hear(self, mark: bytes, deadline: float) -> Result:
        assert self._process.stdout is not None
        heard = bytearray()
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._process.stdout], [], [], left)[0]:
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


def _prlimit(machine: Machine) -> str:
    limits = machine.limits
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = min(limits.open_files, most) if most != resource.RLIM_INFINITY else limits.open_files
    told = {"nofile": files, "fsize": limits.disk, "core": 0, "cpu": limits.cpu_seconds}
    if machine.backend.hierarchies is None:
        told |= {"nproc": limits.processes, "as": limits.memory}
    return " ".join(f"--{name}={value}" for name, value in told.items())


def _bwrap(root: bool) -> str:
    mounts = f"--proc /proc {_covered()} --dev /dev --size 16777216 --tmpfs /dev/shm --remount-ro /dev"
    spaces = "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try"
    rights = "--cap-drop ALL " + " ".join(f"--cap-add CAP_{name}" for name in CAPABILITIES)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    known = {"HOME": "/root", "PATH": path, "TERM": "xterm", "LANG": "C.UTF-8"}
    told = " ".join(f"--setenv {name} {value}" for name, value in known.items())
    return (
        f"{mounts} {spaces} {rights if root else '--unshare-user --cap-drop ALL'} --hostname"
        f" {skeleton.HOSTNAME} --seccomp 9 --as-pid-1 --die-with-parent --new-session --chdir /root"
        f" --clearenv {told} bash --norc --noprofile -s"
    )


def _covered() -> str:
    """Options for what of /proc tells of the host or changes it: root may write it by its owner alone,
    without a capability, so it is read-only, or not there."""
    shown = (f"--ro-bind /proc/{name} /proc/{name}" for name in _READ_ONLY if _exists(name))
    hidden = (f"--ro-bind /dev/null /proc/{name}" for name in _HIDDEN if _exists(name))
    empty = (f"--tmpfs /proc/{name} --remount-ro /proc/{name}" for name in _EMPTY if _exists(name))
    return " ".join((*shown, *hidden, *empty))


def _exists(name: str) -> bool:
    return Path("/proc", name).exists()


def _high(descriptor: int) -> int:
    """A copy of a descriptor with a number above those that the sandbox uses."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 300)


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
