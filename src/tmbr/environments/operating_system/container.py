"""A login shell in a container of Docker's.

The container's first process is a shell that reads commands from this process's connection, and ends
with it. It holds a pipe on which it hands scripts on to the login shell; that is started beside it on a
terminal of Docker's, takes the pipe from its descriptors, and tells its state on its output.
"""

from __future__ import annotations

import os
import socket
import struct
import termios
import time
import uuid
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, cast

from .engine import FIRST, Engine
from .login import BECOMING, SECONDS, START_SECONDS, LoginShell, Result, SandboxError
from .terminal import COLUMNS, KEPT, ROWS, Line, children, readable

_PIPE = b"exec 250<> <(:); echo ready\n"
_PASS_ON = b"IFS= read -rd '' script; printf '%s\\0' \"$script\" >&250\n"
_SHELL = "bash --login --noediting"
#: How many processes there were before is chance; the login shell always is the hundredth.
_LOGIN = (
    "exec 250</proc/1/fd/250 251>/proc/1/fd/1; stty -echo;"
    f" until : & wait; (( $! >= 99 )); do :; done; {_SHELL}; exit"
)
#: The commands of the processes that are none of the agent's.
_OWN = (" ".join(FIRST), f"bash -c {_LOGIN}", _SHELL)
#: Before each piece of a stream without a terminal: which one it is, and its length.
_HEADER = struct.Struct(">BxxxL")
#: Seconds that a write may wait for a reader.
_PATIENCE = 5


class Wire:
    """A connection that the SDK has opened. out: a descriptor with what arrives on it; a thread puts it
    there, since the connection may be encrypted, and where there is no terminal comes in pieces."""

    def __init__(self, opened: Any, framed: bool) -> None:
        self._opened = opened
        inside = isinstance(opened, socket.SocketIO)  # where the connection is not encrypted
        self._socket: socket.socket = cast(Any, opened)._sock if inside else opened
        self._socket.settimeout(None)
        patience = struct.pack("ll", _PATIENCE, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        self.out, end = os.pipe()
        drain = Thread(target=_drain, args=(self._socket, end, framed), daemon=True)
        drain.start()

    def send(self, data: bytes) -> None:
        """Raises OSError."""
        self._socket.sendall(data)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._opened.close()
        os.close(self.out)


def _drain(connection: socket.socket, end: int, framed: bool) -> None:
    """Put what arrives where it is wanted, until either side has ended."""
    with suppress(OSError), os.fdopen(end, "wb", buffering=0) as out:
        if not framed:
            while data := connection.recv(1 << 16):
                out.write(data)
            return
        with connection.makefile("rb") as pieces:
            while len(header := pieces.read(_HEADER.size)) == _HEADER.size:
                out.write(pieces.read(_HEADER.unpack(header)[1]))


class _Exec(Line):
    """A terminal of Docker's. Who waits at it is seen where the engine runs on this very machine."""

    lag = 2.0

    def __init__(self, wire: Wire) -> None:
        self._wire, self.master = wire, wire.out
        self.device = self._login = 0
        os.set_blocking(self.master, False)

    def look(self, parent: int) -> int:
        """The login shell's process, 0 where it cannot be seen."""
        for pid in children(parent):
            with suppress(OSError):
                if (
                    Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
                    == _SHELL.encode().split()
                ):
                    self.device, self._login = Path(f"/proc/{pid}/fd/0").stat().st_rdev, pid
        return self._login

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._wire.send(text.encode("utf-8", "replace"))

    def foreground(self) -> int:
        told = Path(f"/proc/{self._login}/stat").read_text().rpartition(")")[2].split()
        return int(told[5])

    def editing(self) -> bool:
        end = os.open(f"/proc/{self._login}/fd/0", os.O_RDONLY | os.O_NOCTTY)
        try:
            return not termios.tcgetattr(end)[3] & termios.ICANON
        except termios.error as error:
            raise OSError(str(error)) from None
        finally:
            os.close(end)


class Container(LoginShell):
    """layer: of the engine's, into which the container writes. state: what the login shell is to know.

    Raises SandboxError when it does not start.
    """

    def __init__(self, engine: Engine, layer: int, state: str) -> None:
        self.state = state
        self._mark = uuid.uuid4().hex
        self._api, self._container = engine.client.api, engine.container(layer)
        self._crowd = engine.limits.processes * 0.8
        self._wires: list[Wire] = []
        why = "its shell does not answer"
        try:
            if self._connect():
                return
        except OSError as error:  # as all errors of the SDK's calls are
            why = str(error).splitlines()[0]
        self.stop()
        raise SandboxError(why)

    def _connect(self) -> bool:
        ends = {"stdin": 1, "stdout": 1, "stream": 1}
        self._input = self._wire(self._container.attach_socket(params=ends), framed=True)
        self._told = self._input.out
        self._container.start()
        self._input.send(_PIPE)
        if not readable(START_SECONDS, self._told) or not os.read(self._told, 1 << 16):
            return False
        os.set_blocking(self._told, False)
        made = self._api.exec_create(
            self._container.id, ["bash", "-c", _LOGIN], stdin=True, tty=True, workdir="/root"
        )
        self._exec = made["Id"]
        opened = self._api.exec_start(self._exec, tty=True, socket=True)
        self._terminal = terminal = _Exec(self._wire(opened, framed=False))
        self._api.exec_resize(self._exec, ROWS, COLUMNS)
        begun = self._begin()
        self._login = terminal.look(self._api.exec_inspect(self._exec)["Pid"])
        return begun

    def _wire(self, opened: Any, framed: bool) -> Wire:
        self._wires.append(wire := Wire(opened, framed))
        return wire

    def _hand(self, data: bytes, deadline: float) -> bool:  # noqa: ARG002
        try:
            self._input.send(_PASS_ON + data)
        except OSError:
            return False
        return True

    def _dead(self) -> bool:
        try:
            return not self._api.exec_inspect(self._exec)["Running"]
        except OSError:
            return True

    def execute(self, command: list[str], seconds: float = SECONDS) -> Result:
        words = [word.replace("\0", "") for word in command]
        timed = ["timeout", "-k", "1", str(seconds), *words]
        try:
            made = self._api.exec_create(self._container.id, timed, workdir="/root")["Id"]
            wire = Wire(self._api.exec_start(made, socket=True), framed=True)
            heard = self._hear(wire.out, made, time.monotonic() + seconds + 5)
            wire.close()
            status = self._api.exec_inspect(made)["ExitCode"]
        except OSError as error:
            return Result(126, str(error))
        return Result(137 if status is None else status, heard.decode("utf-8", "replace"))

    def _hear(self, output: int, made: str, deadline: float) -> bytes:
        """What a program prints until it ends; what it left running may hold its output open."""
        heard = bytearray()
        while time.monotonic() < deadline:
            if readable(0.05, output):
                if not (data := os.read(output, 1 << 16)):
                    break
                heard += data
                if len(heard) > 2 * KEPT:
                    del heard[KEPT:]
            elif not self._api.exec_inspect(made)["Running"]:
                break
        return bytes(heard)

    def background(self) -> list[str]:
        try:
            deadline = time.monotonic() + BECOMING
            while "R" in (found := self._others()).get(_SHELL, "") and time.monotonic() < deadline:
                time.sleep(0.01)
        except OSError:
            return []
        return [command[:80] for command, states in found.items() for _ in states]

    def _others(self) -> dict[str, str]:
        """Command -> states of the processes beside the shells that are none of the agent's."""
        found: dict[str, str] = {}
        for _, state, command in self._container.top(ps_args="-o pid,state,args")["Processes"]:
            found[command.strip()] = found.get(command.strip(), "") + state
        for own in _OWN:  # one of each; the login shell is the one that sleeps
            found[own] = "".join(sorted(found.get(own, "")))[:-1]
        return found

    def stop(self) -> None:
        with suppress(OSError):
            self._container.kill()
        with suppress(OSError):
            self._container.wait(timeout=10)
        for wire in self._wires:
            wire.close()
        self._wires.clear()
