"""Which sandbox this machine can have, found out by making one of each piece, or by asking Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any

from tmbr.core.errors import ConfigError

from . import cgroups, seccomp

#: Names the image, where containers of Docker's are to be used.
VARIABLE = "TMBR_DOCKER"
#: What a container's root may do by custom, less raw sockets, device nodes and changes of root.
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETFCAP")
_TRY_OVERLAY = (
    "mount -t tmpfs none /tmp && cd /tmp && mkdir l u w m &&"
    " mount -t overlay -o lowerdir=l,upperdir=u,workdir=w{options} none m"
)
_TRY_BWRAP = "bwrap --ro-bind / / --proc /proc --dev /dev --unshare-pid --unshare-net {user} true"


@dataclass(frozen=True, slots=True)
class Backend:
    """How sandboxes are made here.

    name: `root` or `user namespace`. hierarchies: where limits are set on all processes of a sandbox
    together; None is limits on each process. why: in words, for `tmbr doctor`.
    """

    name: str
    hierarchies: cgroups.Hierarchies | None
    why: str

    @property
    def root(self) -> bool:
        return self.name == "root"

    @property
    def overlay_options(self) -> str:
        return ",redirect_dir=off,metacopy=off,index=off" if self.root else ",userxattr"

    @property
    def opaque(self) -> str:
        """The attribute by which a folder of a layer hides those below it."""
        return "trusted.overlay.opaque" if self.root else "user.overlay.opaque"


@cache
def backend() -> Backend:
    """The best that this machine has. Raises ConfigError, which says what is missing if it has none."""
    for tool in ("bwrap", "bash", "unshare", "nsenter", "prlimit", "setsid"):
        if shutil.which(tool) is None:
            package = "bubblewrap" if tool == "bwrap" else "bash and util-linux"
            raise ConfigError(f"the operating system needs {tool}: apt-get install {package}")
    if not seccomp.supported():
        raise ConfigError("the operating system's sandbox knows x86_64 and aarch64 alone")
    hierarchies, limits = cgroups.find(f"tmbr-try-{os.getpid()}")
    failed = []
    if os.geteuid() == 0:
        if hierarchies is None:
            failed.append(f"as root nothing would bound the number of processes: {limits}")
        elif not (error := _try((), ",redirect_dir=off", "")):
            return Backend("root", hierarchies, f"root with limits by {limits}")
        else:
            failed.append(f"as root: {error}")
    elif error := _try(("--user", "--map-root-user"), ",userxattr", "--unshare-user"):
        failed.append(f"with user namespaces: {error}")
    else:
        how = f"limits by {limits}" if hierarchies else f"limits on each process, since {limits}"
        return Backend("user namespace", hierarchies, f"an unprivileged user with {how}")
    raise ConfigError(f"no sandbox for the operating system can be made here ({'; '.join(failed)})")


def connect(image: str) -> tuple[Any, str]:
    """A client of the engine, and its version. Raises ConfigError: no SDK, no engine, no image."""
    try:
        import docker
        from docker.errors import DockerException, ImageNotFound
    except ImportError:
        raise ConfigError(f"{VARIABLE} needs Docker's SDK: pip install 'tmbr[docker]'") from None
    where = os.environ.get("DOCKER_HOST", "its usual socket")
    try:
        client = docker.from_env()
    except (OSError, DockerException) as error:
        raise ConfigError(
            f"no Docker engine answers at {where} ({in_a_line(error)}); start it, or set DOCKER_HOST"
        ) from None
    try:
        client.images.get(image)
        return client, client.version()["Version"]
    except ImageNotFound:
        client.close()
        raise ConfigError(
            f"the Docker engine has no image {image!r}; docker pull it, or set {VARIABLE} to another"
        ) from None
    except OSError as error:  # as all errors of the SDK's calls are
        client.close()
        raise ConfigError(f"the Docker engine at {where} refuses: {in_a_line(error)}") from None


def in_a_line(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def describe() -> str:
    """One line for `tmbr doctor`: which sandbox this machine gets, and why. Never raises."""
    image = os.environ.get(VARIABLE)
    try:
        if image:
            client, version = connect(image)
            client.close()
            return f"Docker's engine {version} with the image {image}, as {VARIABLE} asks for"
        return f"overlay file system and bubblewrap as {backend().why}"
    except ConfigError as error:
        return f"none: {error}"


def _try(user: tuple[str, ...], options: str, bwrap: str) -> str:
    """Make an overlay and an empty sandbox; what went wrong, or nothing."""
    told = f"{_TRY_OVERLAY.format(options=options)} && mount -t proc none /proc && "
    told += _TRY_BWRAP.format(user=bwrap)
    command = ["unshare", *user, "--mount", "--pid", "--fork", "--propagation", "private"]
    done = subprocess.run([*command, "sh", "-c", told], capture_output=True, text=True, timeout=20)
    return "" if done.returncode == 0 else (done.stderr.strip() or "failed").splitlines()[-1]
