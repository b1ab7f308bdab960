"""A server that is a process of its own, for as long as a block lasts."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def running(
    command: Callable[[int], Sequence[str]],
    log: Path,
    ready: Callable[[int], None],
    port: int = 0,
) -> Iterator[int]:
    """Its port on 127.0.0.1; it ends with the block. Raises RuntimeError where it does not start.

    command: for a port. ready: raises as long as the server does not answer. port: 0 takes a free one.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        port = int(probe.getsockname()[1])
    with log.open("wb") as file:
        server = subprocess.Popen(command(port), stdout=file, stderr=file, cwd=log.parent)
    try:
        _wait(lambda: ready(port), server, log)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _wait(ready: Callable[[], None], server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            break
        with suppress(Exception):
            ready()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text()[-800:]}")
