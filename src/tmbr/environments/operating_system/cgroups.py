"""Limits on a group of processes: control groups, version 1 or 2, where this user may make them."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_OWN = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may use.

    memory: bytes, of all its processes and of the files it writes. disk: bytes of files between two
    forks. cpus: cores. cpu_seconds and open_files: of one process; scripts in AgentBench's data write
    to descriptors as high as 123321.
    """

    memory: int = 512 << 20
    disk: int = 128 << 20
    inodes: int = 65_536
    processes: int = 200
    cpus: float = 1.0
    cpu_seconds: int = 120
    open_files: int = 1 << 17

    @property
    def each(self) -> dict[str, int]:
        """Limits of each process by their names for `prlimit`, within those of this process."""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        files = min(self.open_files, most) if most != resource.RLIM_INFINITY else self.open_files
        return {"nofile": files, "fsize": self.disk, "core": 0, "cpu": self.cpu_seconds}


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where groups can be made. version: 1 or 2; parents: one folder for each hierarchy in use."""

    version: int
    parents: tuple[Path, ...]

    def group(self, name: str) -> Group:
        """A group without limits, to hold others. Raises OSError where it cannot be made."""
        made = Group(self.version, tuple(parent / name for parent in self.parents))
        for folder in made.folders:
            folder.mkdir()
            if self.version == 2:
                (folder / "cgroup.subtree_control").write_text("+memory +pids +cpu")
        return made


@dataclass(frozen=True, slots=True)
class Group:
    """One group, in one folder of each hierarchy."""

    version: int
    folders: tuple[Path, ...]

    def child(self, name: str, limits: Limits) -> Group:
        """A group below this one, with limits. Raises OSError where they cannot be set."""
        made = Group(self.version, tuple(folder / name for folder in self.folders))
        for folder in made.folders:
            folder.mkdir()
            for file, value in _settings(self.version, limits).items():
                if (folder / file).exists():
                    (folder / file).write_text(value)
        return made

    def remove(self) -> None:
        """Remove what holds no processes any more."""
        for folder in self.folders:
            with suppress(OSError):
                folder.rmdir()


def _settings(version: int, limits: Limits) -> dict[str, str]:
    quota = int(limits.cpus * 100_000)
    if version == 2:
        return {
            "memory.max": str(limits.memory),
            "memory.swap.max": "0",
            "pids.max": str(limits.processes),
            "cpu.max": f"{quota} 100000",
        }
    return {
        "memory.limit_in_bytes": str(limits.memory),
        "memory.memsw.limit_in_bytes": str(limits.memory),
        "pids.max": str(limits.processes),
        "cpu.cfs_quota_us": str(quota),
    }


def find(name: str) -> tuple[Hierarchies | None, str]:
    """Where groups with limits on memory and processes can be made, and which those are or why not.

    name: of a group to try with; it is removed again.
    """
    why = "no cgroup with memory and pids controllers is mounted"
    for version, parents in (*_second(), *_first()):
        hierarchies = Hierarchies(version, parents)
        group = Group(version, tuple(parent / name for parent in parents))
        try:
            group = hierarchies.group(name)
            child = group.child("probe", Limits())
            child.remove()
            return hierarchies, f"cgroup v{version} at {', '.join(map(str, parents))}"
        except OSError as error:
            why = f"cgroup v{version} at {parents[0]} cannot be used ({error.strerror})"
        finally:
            Group(version, tuple(folder / "probe" for folder in group.folders)).remove()
            group.remove()
    return None, why


def _mounted() -> list[tuple[Path, str, set[str]]]:
    """(folder, type, options) of each mounted hierarchy."""
    found = []
    for line in _MOUNTS.read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ")[:3]
        if kind in ("cgroup", "cgroup2"):
            found.append((Path(before.split(" ")[4]), kind, set(options.split(","))))
    return found


def _own_path(controller: str) -> str:
    """This process's place in the hierarchy of a controller; version 2 has the empty name."""
    for line in _OWN.read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path.lstrip("/")
    return ""


def _first() -> list[tuple[int, tuple[Path, ...]]]:
    """Version 1: one place per controller, below where this process is."""
    places: dict[str, Path] = {}
    for folder, kind, options in _mounted():
        for controller in options & {"memory", "pids", "cpu"}:
            if kind == "cgroup":
                own = folder / _own_path(controller)
                places[controller] = own if own.is_dir() else folder
    if not {"memory", "pids"} <= places.keys():
        return []
    return [(1, tuple(dict.fromkeys(places.values())))]


def _second() -> list[tuple[int, tuple[Path, ...]]]:
    """Version 2: this process's group or one above it, the first that has the controllers to give."""
    found: list[tuple[int, tuple[Path, ...]]] = []
    for folder, kind, _ in _mounted():
        own = folder / _own_path("")
        for place in (own, *own.parents) if kind == "cgroup2" else ():
            if place != folder and folder not in place.parents:
                break
            controls = place / "cgroup.subtree_control"
            if controls.exists() and os.access(controls, os.W_OK):
                with suppress(OSError):
                    controls.write_text("+memory +pids +cpu")
                if {"memory", "pids"} <= set(controls.read_text().split()):
                    found.append((2, (place,)))
    return found
