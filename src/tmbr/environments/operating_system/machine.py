"""The namespaces in which one episode and all its forks live, and the layers of files in them.

A keeper process holds a mount and a process namespace; layers are small file systems in memory that
exist in that namespace alone. When the keeper ends, because the episode is closed or because this
process died and the keeper's input with it, the kernel ends every sandbox and frees every layer.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path

from tmbr.core.errors import EnvironmentFault

from . import layers, seccomp, skeleton
from .backends import Backend
from .cgroups import Group, Limits
from .stack import BASE, Chain, Stack

#: A chain longer than this is copied into one layer before it is mounted.
MAX_DEPTH = 16
#: Waits for the keeper, then removes the control groups ($@) that were made for it.
_WARDEN = """
unshare $USER_OPTIONS --mount --pid --fork --propagation private bash --norc --noprofile -s
IFS=
for try in 1 2 3 4 5 6 7 8 9; do
  rmdir ${@/%//s*} "$@" 2>/dev/null
  for group; do test ! -d "$group" || { sleep 0.1; continue 2; }; done
  break
done
"""
#: The keeper is told the rest of its life through its input. It names itself as the host sees it.
_KEEPER = """
read -r number rest < /proc/self/stat
mount -t proc proc /proc && mount -t tmpfs -o size=64m,mode=700 layers /tmp && cd /tmp &&
mkdir 0 0/root {folders} {binds} && echo $number
"""


class Machine(Stack):
    """One episode's namespaces. Layer 0 is the read-only root; the others hold what was written.

    Raises EnvironmentFault when the namespaces cannot be made.
    """

    def __init__(self, backend: Backend, limits: Limits) -> None:
        super().__init__()
        self.backend, self.limits = backend, limits
        self.trees = ("root", *skeleton.trees())
        self._group: Group | None = None
        name = f"tmbr-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            if backend.hierarchies:
                self._group = backend.hierarchies.group(name)
            self._start()
        except OSError as error:
            self.close()
            raise EnvironmentFault(f"the sandbox's namespaces cannot be made: {error}") from error

    def _start(self) -> None:
        groups = [str(folder) for folder in self._group.folders] if self._group else []
        user = "" if self.backend.root else "--user --map-root-user"
        self._keeper = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-c", _WARDEN, "warden", *groups],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd="/", start_new_session=True,
            env={"PATH": os.environ["PATH"], "USER_OPTIONS": user},
        )  # fmt: skip
        programs = skeleton.trees()
        told = self._ask(
            _KEEPER.format(
                folders=" ".join(f"0/{tree}" for tree in programs),
                binds="".join(f"&& mount --bind /{tree} 0/{tree}" for tree in programs),
            )
        )
        self.keeper = int(told)
        self.folder = Path(f"/proc/{self.keeper}/root/tmp")
        skeleton.build(self.folder / "0/root")
        (self.folder / "seccomp").write_bytes(seccomp.program())

    def _ask(self, command: str) -> str:
        """Tell the keeper something and hear its one line. Raises OSError when it does not answer."""
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.stdin.write(command)
        self._keeper.stdin.flush()
        answer = self._keeper.stdout.readline()
        if not answer:
            raise OSError("the keeper of the namespaces is gone")
        return answer

    def new_layer(self, below: Chain) -> int:
        self._last += 1
        number, limits = self._last, self.limits
        folder = self.folder / str(number)
        folder.mkdir()
        options = f"size={limits.disk},nr_inodes={limits.inodes},mode=755"
        if self._ask(f"mount -t tmpfs -o {options} layer {number}; echo $?\n") != "0\n":
            raise OSError("a layer cannot be mounted")
        for tree in self.trees:
            for part in (tree, f"scratch/{tree}", f"merged/{tree}"):
                (folder / part).mkdir(parents=True)
            layers.like(self.folder / str(below[0]) / tree, folder / tree)
        return number

    def keep(self, layer: int, below: Chain) -> bool:
        return any(
            layers.changed(self.folder / str(layer) / tree, self.folder / str(below[0]) / tree)
            for tree in self.trees
        )

    def delta(self, chain: Chain, tree: str) -> dict[str, layers.Entry]:
        """What the layers of a chain, taken together, change of the root: path -> entry."""
        folders = [self.folder / str(layer) / tree for layer in chain if layer != BASE]
        return layers.merge(folders[::-1], self.backend.opaque)

    def key(self, chain: Chain) -> str:
        told = [layers.digest(self.delta(chain, tree)) for tree in self.trees]
        return hashlib.sha256("".join(told).encode()).hexdigest()

    def flat(self, chain: Chain) -> Chain:
        if len(chain) <= MAX_DEPTH:
            return chain
        number = self.new_layer(chain)
        for tree in self.trees:
            layers.write(self.delta(chain, tree), self.folder / str(number) / tree, self.backend.opaque)
        return (number, BASE)

    def drop(self, layer: int) -> None:
        with suppress(OSError):
            self._ask(f"umount -l {layer}; echo\n")
            (self.folder / str(layer)).rmdir()

    def layers(self) -> set[int]:
        return {int(path.name) for path in self.folder.iterdir() if path.name.isdigit()} - {BASE}

    def group(self, layer: int) -> Group | None:
        """A control group for the sandbox that writes into a layer. Raises OSError."""
        if self._group is None:
            return None
        child = Group(self._group.version, tuple(f / f"s{layer}" for f in self._group.folders))
        return child if child.folders[0].is_dir() else self._group.child(f"s{layer}", self.limits)

    def close(self) -> None:
        """End the keeper, and with it all that is left."""
        keeper = self.__dict__.get("_keeper")
        if keeper is None:
            if self._group:
                self._group.remove()
            return
        with suppress(OSError):
            keeper.stdin.close()
        keeper.stdout.close()
        keeper.wait(timeout=60)
