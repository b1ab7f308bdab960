"""What the tests of computers share: what this machine has to make them of, and what is left of one."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tmbr.core.errors import ConfigError
from tmbr.environments.operating_system import VARIABLE, Limits, backend
from tmbr.environments.operating_system.backends import connect
from tmbr.environments.operating_system.engine import LABEL

#: Small enough that an attack which reaches them is soon over.
SMALL = Limits(
    memory=128 << 20, disk=32 << 20, inodes=4096, processes=48, cpu_seconds=20, open_files=256
)


def _missing() -> str:
    try:
        backend()
    except ConfigError as error:
        return str(error)
    return ""


def _no_docker() -> str:
    try:
        connect(IMAGE)[0].close()
    except ConfigError as error:
        return str(error)
    return ""


#: Of Docker, with bash, procps and useradd: what is tested there needs an engine and this image.
IMAGE = os.environ.get(VARIABLE, "")
_NO_DOCKER = _no_docker() if IMAGE else f"set {VARIABLE} to an image with bash, procps and useradd"
needs_docker = pytest.mark.skipif(bool(_NO_DOCKER), reason=_NO_DOCKER)
needs_sandbox = pytest.mark.skipif(bool(_missing()), reason=f"no sandbox here: {_missing()}")


def left_behind(pid: int | None = None) -> list[str]:
    """What still exists of the computers of a process (of this one): processes, groups, mounts, and
    Docker's containers and images."""
    pid = pid or os.getpid()
    # os.walk, since groups of other tests go away while this looks.
    groups = (f"{folder}/{name}" for folder, names, _ in os.walk("/sys/fs/cgroup") for name in names)
    found = [group for group in groups if f"/tmbr-{pid}-" in group]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if "/merged/" in line]
    told = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True).stdout
    children = [line.split(None, 1) for line in told.splitlines()[1:]]
    found += [args for parent, args in children if int(parent) == pid and "norc" in args]
    return found if _NO_DOCKER else found + _in_docker(pid)


def _in_docker(pid: int) -> list[str]:
    client, _ = connect(IMAGE)
    its = {"label": f"{LABEL}={pid}"}
    found = [*client.containers.list(all=True, filters=its), *client.images.list(filters=its)]
    client.close()
    return [str(one.id) for one in found]


def settles(what: list[str] | None = None, pid: int | None = None) -> bool:
    """Whether nothing is left behind, within five seconds."""
    deadline = time.monotonic() + 5
    while (what := left_behind(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not what
