"""How a sandbox is started: the limits on it, what it sees of the host, and where its files are."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from . import skeleton
from .backends import CAPABILITIES
from .cgroups import Group
from .machine import Machine
from .stack import Chain

#: Of /proc: what may be read and not written, files that are hidden, and folders.
_READ_ONLY = ("sys", "sysrq-trigger", "fs", "irq", "bus", "driver", "mtrr", "sysvipc", "tty")
_HIDDEN = (
    "cmdline", "config.gz", "kallsyms", "kcore", "key-users", "keys", "kmsg", "kpagecgroup",
    "kpagecount", "kpageflags", "latency_stats", "sched_debug", "schedstat", "slabinfo", "timer_list",
    "vmallocinfo",
)  # fmt: skip
_EMPTY = ("acpi", "asound", "pressure", "scsi")
_LAUNCH = """
for group in $JOIN; do echo $$ > $group/cgroup.procs || exit; done
exec nsenter --target $KEEPER --mount --pid $NSENTER unshare --mount --propagation private \
  bash --norc --noprofile -c "$MOUNT" sandbox "$@"
"""
#: Arguments: the folders of programs; the descriptors come as numbers that cannot meet 250 to 253.
_MOUNT = """
set -e
exec 250<&$SCRIPT 251>&$STATE 253<&$TERMINAL {SCRIPT}<&- {STATE}>&- {TERMINAL}>&-
cd /tmp
binds=()
for tree; do
  mount -t overlay overlay $LAYER/merged/$tree \
    -o "lowerdir=${BELOW//%/$tree},upperdir=$LAYER/$tree,workdir=$LAYER/scratch/$tree$OPTIONS"
  if test $tree = root; then binds+=(--bind /tmp/$LAYER/merged/root /)
  else binds+=(--bind /tmp/$LAYER/merged/$tree /$tree); fi
done
exec 9</tmp/seccomp
cd /
exec prlimit $PRLIMIT bwrap "${binds[@]}" $BWRAP
"""


def launch(
    machine: Machine, layer: int, below: Chain, group: Group | None, given: tuple[int, int, int]
) -> subprocess.Popen[bytes]:
    """The sandbox's outermost process; its input, output and errors are those of the first one inside.

    given: descriptors that bring scripts, take the state away, and are the terminal.
    """
    handed = [_high(end) for end in given]
    try:
        return _spawn(machine, layer, below, group, handed)
    finally:
        for end in handed:
            os.close(end)


def _spawn(
    machine: Machine, layer: int, below: Chain, group: Group | None, given: list[int]
) -> subprocess.Popen[bytes]:
    groups = group.folders if group else ()
    named = dict(zip(("SCRIPT", "STATE", "TERMINAL"), map(str, given), strict=True))
    return subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-c", _LAUNCH, "sandbox", *machine.trees],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
        pass_fds=given, start_new_session=True,
        env={
            "PATH": os.environ["PATH"], "MOUNT": _MOUNT, "LAYER": str(layer),
            "KEEPER": str(machine.keeper), "JOIN": " ".join(map(str, groups)),
            "NSENTER": "" if machine.backend.root else "--user --preserve-credentials",
            "BELOW": ":".join(f"{number}/%" for number in below),
            "OPTIONS": machine.backend.overlay_options, "PRLIMIT": _prlimit(machine),
            "BWRAP": _bwrap(machine.backend.root), **named,
        },
    )  # fmt: skip


def _prlimit(machine: Machine) -> str:
    limits = machine.limits
    told = limits.each
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
