"""Layers that are Docker's: each is a container, and once it is kept also the image made of it.

An episode's containers hold nothing of the host, have no network, and end with this process, whose
connection is their input. What a killed process leaves are stopped containers and images without a
name; `docker container prune` and `docker image prune` with `--filter label=tmbr` remove them. The
engine bounds memory, processes and time, and the size of one file, but not of all files together.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, RawIOBase
from typing import Any

from tmbr.core.errors import EnvironmentFault

from .backends import CAPABILITIES, connect, in_a_line
from .cgroups import Limits
from .skeleton import HOSTNAME
from .stack import BASE, Chain, Stack

LABEL = "tmbr"
_MODIFIED, _DELETED = 0, 2
#: The first process of a container.
FIRST = ["bash", "--norc", "--noprofile", "-s"]


class Engine(Stack):
    """Raises ConfigError when the engine, its SDK or the image is not there."""

    def __init__(self, image: str, limits: Limits) -> None:
        super().__init__()
        self.client, _ = connect(image)
        self.limits = limits
        self._images = {BASE: image}
        self._containers: dict[int, Any] = {}
        self._changes: dict[int, dict[str, int]] = {}

    def container(self, layer: int) -> Any:
        return self._containers[layer]

    def new_layer(self, below: Chain) -> int:
        self._last += 1
        self._containers[self._last] = self._create(self._images[below[0]])
        return self._last

    def _create(self, image: str) -> Any:
        from docker.types import LogConfig, Ulimit

        limits = self.limits
        return self.client.containers.create(
            image,
            FIRST,
            entrypoint=[],
            stdin_open=True,
            user="root",
            working_dir="/",
            environment={"HOME": "/root", "TERM": "xterm", "LANG": "C.UTF-8"},
            hostname=HOSTNAME,
            network_mode="none",
            cap_drop=["ALL"],
            cap_add=list(CAPABILITIES),
            security_opt=["no-new-privileges"],
            mem_limit=limits.memory,
            memswap_limit=limits.memory,
            pids_limit=limits.processes,
            nano_cpus=int(limits.cpus * 1e9),
            ulimits=[Ulimit(name=name, soft=most, hard=most) for name, most in limits.each.items()],
            shm_size=16 << 20,
            log_config=LogConfig(type="none"),
            labels={LABEL: str(os.getpid())},
        )

    def keep(self, layer: int, below: Chain) -> bool:  # noqa: ARG002
        """What was written is not looked for, which takes longer than to make an image."""
        with _faults():
            made = self._containers[layer].commit(conf={"Labels": {LABEL: str(os.getpid())}})
            self._images[layer] = made.id
        return True

    def flat(self, chain: Chain) -> Chain:
        """As it is: the engine's bound, some 120 layers, is far beyond AgentBench's eight rounds."""
        return chain

    def drop(self, layer: int) -> None:
        self._changes.pop(layer, None)
        image, container = self._images.pop(layer, None), self._containers.pop(layer)
        with suppress(OSError):  # as all errors of the SDK's calls are
            container.remove(force=True)
        with suppress(OSError):
            if image is not None:
                self.client.api.remove_image(image, force=True, noprune=True)

    def layers(self) -> set[int]:
        return set(self._containers)

    def close(self) -> None:
        for layer in sorted(self._containers, reverse=True):
            self.drop(layer)
        self.client.close()

    def key(self, chain: Chain) -> str:
        if chain == (BASE,):
            return ""
        changed: dict[str, int] = {}
        for layer in reversed(chain):
            if layer != BASE:
                _over(self._changed(layer), changed)
        found: dict[str, str] = {}
        for path, kind in sorted(changed.items()):
            if kind == _DELETED:
                found[path] = "gone"
            elif path not in found:
                with _faults():
                    found.update(self._read(chain[0], path, kind))
        return hashlib.sha256(
            repr(sorted(found.items())).encode("utf-8", "surrogateescape")
        ).hexdigest()

    def _changed(self, layer: int) -> dict[str, int]:
        """Path -> kind of each change in a layer; of a kept one it stays as it is."""
        if layer in self._changes:
            return self._changes[layer]
        with _faults():
            changes = {told["Path"]: told["Kind"] for told in self._containers[layer].diff() or ()}
        if layer in self._images:
            self._changes[layer] = changes
        return changes

    def _read(self, layer: int, path: str, kind: int) -> Iterator[tuple[str, str]]:
        """(path, what is there) of a path and all below it; of a changed folder, of it alone."""
        stream, _ = self._containers[layer].get_archive(path)
        parent = path.rpartition("/")[0]
        with tarfile.open(fileobj=BufferedReader(_Stream(stream)), mode="r|") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                content = hashlib.sha256(file.read()).hexdigest() if file else member.linkname
                told = (member.type, member.mode, member.uid, member.gid, content)
                yield f"{parent}/{member.name}", repr(told)
                if member.isdir() and kind == _MODIFIED:
                    break


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (OSError, tarfile.TarError) as error:
        raise EnvironmentFault(f"the Docker engine fails: {in_a_line(error)}") from error


def _over(changes: dict[str, int], below: dict[str, int]) -> None:
    """Lay the changes of one layer over those below it: what was made and is gone again was never."""
    for path, kind in changes.items():
        if kind != _DELETED:
            replaced = below.get(path) == _DELETED
            below[path] = _MODIFIED if replaced else below.get(path, kind)
            continue
        for inner in [inner for inner in below if inner.startswith(f"{path}/")]:
            del below[inner]
        if below.pop(path, _MODIFIED) == _MODIFIED:
            below[path] = _DELETED


class _Stream(RawIOBase):
    """What arrives in pieces, as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._rest or next(self._pieces, b"")
        size = min(len(data), len(buffer))
        buffer[:size], self._rest = data[:size], data[size:]
        return size
