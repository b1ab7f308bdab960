"""A computer with a shell, whose state is a value: layers of files, and what the shell knows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress

from tmbr.core.errors import EnvironmentFault

from .backends import backend
from .cgroups import Limits
from .container import Container
from .engine import Engine
from .login import SECONDS, LoginShell, Output, Result, SandboxError
from .machine import Machine
from .sandbox import Sandbox
from .stack import BASE, Chain, Stack

_GONE = Output("The shell is gone, and no other can be started on this computer.", "lost")


class Computer:
    """A live computer. Its processes run between two forks; a fork freezes what was written, ends them,
    and both sides go on, each when it is next used, on a layer of its own.

    image: of Docker, whose containers it is then made of; by default it is an own sandbox. Raises
    EnvironmentFault when it cannot be started, ConfigError when this machine has no sandbox, or no such
    image.
    """

    def __init__(self, limits: Limits | None = None, image: str | None = None) -> None:
        self._chain: Chain = ()
        self._machine: Stack
        self._start: Callable[[int, Chain, str], LoginShell]
        if image is None:
            machine = self._machine = Machine(backend(), limits or Limits())
            self._start = lambda *told: Sandbox(machine, *told)
        else:
            engine = self._machine = Engine(image, limits or Limits())
            self._start = lambda layer, _, state: Container(engine, layer, state)
        self._chain = (BASE,)
        self._layer: int | None = None
        self._live: LoginShell | None = None
        self._state = ""
        self.ended: tuple[str, ...] = ()
        self._machine.retain(self._chain)
        try:
            self._sandbox()
        except SandboxError as error:
            self.close()
            raise EnvironmentFault(f"the sandbox does not start: {error}") from None
        except BaseException:
            self.close()
            raise

    def _sandbox(self) -> LoginShell:
        """The running sandbox; one is started where none runs. Raises SandboxError."""
        if self._live is None:
            try:
                if self._layer is None:
                    self._shorten()
                    self._layer = self._machine.new_layer(self._chain)
                self._live = self._start(self._layer, self._chain, self._state)
            except OSError as error:
                raise SandboxError(str(error)) from None
            self._state = self._live.state
        return self._live

    def run(self, script: str, seconds: float = SECONDS) -> Output:
        """Run a script in the login shell. Whatever is wrong with it is in the output; a shell that has
        ended is replaced at the next call by one that knows what it knew."""
        try:
            sandbox = self._sandbox()
        except SandboxError:
            return _GONE
        output = sandbox.run(script, seconds)
        self._state = sandbox.state
        if output.end == "lost":
            self._stop()
        return output

    def execute(self, command: list[str], seconds: float = SECONDS) -> Result:
        """Run a program beside the login shell, in /root and a fresh environment."""
        try:
            return self._sandbox().execute(command, seconds)
        except SandboxError as error:
            return Result(126, str(error))

    def running(self) -> tuple[str, ...]:
        """The commands of the processes that run in the background, and that a fork would end."""
        return tuple(sorted(self._live.background())) if self._live else ()

    def fork(self) -> Computer:
        """An independent copy. Raises EnvironmentFault when the computer's machine is gone."""
        self._freeze()
        copy = Computer.__new__(Computer)
        copy._machine, copy._start = self._machine, self._start
        copy._chain, copy._state = self._chain, self._state
        copy._layer, copy._live, copy.ended = None, None, self.ended
        self._machine.retain(copy._chain)
        return copy

    def _freeze(self) -> None:
        """End the processes, and make what was written a layer that nobody writes into any more."""
        self.ended = self.running()
        self._stop()
        if self._layer is None:
            return
        layer, self._layer = self._layer, None
        if self._machine.keep(layer, self._chain):
            self._hold((layer, *self._chain))
        else:
            self._machine.drop(layer)

    def _shorten(self) -> None:
        if (flat := self._machine.flat(self._chain)) != self._chain:
            self._hold(flat)

    def _hold(self, chain: Chain) -> None:
        self._machine.retain(chain)
        self._machine.release(self._chain)
        self._chain = chain

    def _stop(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def state_key(self) -> str:
        """A hash of what was written and of what the shell knows."""
        chain = self._chain if self._layer is None else (self._layer, *self._chain)
        hashed = hashlib.sha256(self._state.encode("utf-8", "surrogateescape"))
        hashed.update(self._machine.key(chain).encode())
        return hashed.hexdigest()[:16]

    def close(self) -> None:
        """End the processes and free the layers that no fork needs; a second time does nothing."""
        if not self._chain:
            return
        self._stop()
        if self._layer is not None:
            self._machine.drop(self._layer)
        chain, self._chain, self._layer = self._chain, (), None
        self._machine.release(chain)

    def __del__(self) -> None:
        """What nobody closed is closed when nobody can reach it any more."""
        with suppress(Exception):
            self.close()
