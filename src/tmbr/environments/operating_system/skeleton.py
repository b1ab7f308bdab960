"""The read-only root under every sandbox: the host's programs, and an /etc that tells nothing of it.

`/usr` is the host's own and comes as a layer of its own; everything else is made here from a list of
names, so that nothing of the host is there that nobody chose.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path

#: Folders of programs that are layers of their own where the host has them as folders, not links.
PROGRAMS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
HOSTNAME = "computer"
_FOLDERS = {
    "root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777, "home": 0o755, "run": 0o755, "srv": 0o755,
    "opt": 0o755, "mnt": 0o755, "media": 0o755, "boot": 0o755, "dev": 0o755, "proc": 0o555,
    "sys": 0o555, "var/log": 0o755, "var/lib": 0o755, "var/cache": 0o755, "var/mail": 0o755,
    "var/spool": 0o755, "var/local": 0o755, "var/opt": 0o755, "run/lock": 0o1777,
    "etc/default": 0o755,
}  # fmt: skip
#: What of the host's /etc is the same on every machine of its distribution.
_ETC = (
    "adduser.conf", "alternatives", "bash.bashrc", "debconf.conf", "debian_version", "default/useradd",
    "deluser.conf", "gai.conf", "host.conf", "inputrc", "issue", "issue.net", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "libaudit.conf", "locale.alias", "localtime", "login.defs",
    "lsb-release", "magic", "mailcap", "mime.types", "nsswitch.conf", "os-release", "pam.conf", "pam.d",
    "perl", "profile", "protocols", "python3", "python3.11", "python3.12", "rpc", "security",
    "selinux", "services", "shells", "skel", "sudo.conf", "terminfo", "timezone",
    "update-motd.d", "vim", "xattr.conf",
)  # fmt: skip
_PASSWD = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
_GROUP = "root:x:0:\nsudo:x:27:\nusers:x:100:\nnogroup:x:65534:\n"
_SUDOERS = "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n"


def trees() -> tuple[str, ...]:
    """The host's folders of programs."""
    return tuple(
        name for name in PROGRAMS if Path("/", name).is_dir() and not Path("/", name).is_symlink()
    )


def build(root: Path) -> None:
    """Make the root below an empty folder."""
    root.chmod(0o755)
    for name, mode in _FOLDERS.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(mode)
    for name in ("etc", "var", "run"):
        (root / name).chmod(0o755)
    for name in PROGRAMS:
        host = Path("/", name)
        if host.is_symlink():
            (root / name).symlink_to(host.readlink())
        elif host.is_dir():
            (root / name).mkdir()
    (root / "var/run").symlink_to("/run")
    (root / "var/lock").symlink_to("/run/lock")
    _etc(root / "etc")
    for name in (".bashrc", ".profile"):
        with suppress(OSError):
            shutil.copyfile(Path("/etc/skel", name), root / "root" / name)


def _etc(etc: Path) -> None:
    for name, content, mode in _distribution():
        made = etc / name
        if isinstance(content, Path):
            made.symlink_to(content)
            continue
        if content is None:
            made.mkdir()
        else:
            made.write_bytes(content)
        made.chmod(mode)
    passwd, group = _accounts("passwd", _PASSWD), _accounts("group", _GROUP)
    passwd = passwd.replace(":*:", ":x:").replace(":/root:/bin/sh", ":/root:/bin/bash")
    files = {
        "passwd": (passwd, 0o644),
        "group": (group.replace(":*:", ":x:"), 0o644),
        "shadow": (_shadow(passwd, "{}:*:19000:0:99999:7:::\n"), 0o640),
        "gshadow": (_shadow(group, "{}:*::\n"), 0o640),
        "sudoers": (_SUDOERS, 0o440),
        "hostname": (f"{HOSTNAME}\n", 0o644),
        "hosts": (f"127.0.0.1\tlocalhost\n127.0.1.1\t{HOSTNAME}\n", 0o644),
        "resolv.conf": ("", 0o644),
        "fstab": ("", 0o644),
        "environment": ("", 0o644),
    }
    for name, (text, mode) in files.items():
        (etc / name).write_text(text)
        (etc / name).chmod(mode)
    with suppress(FileExistsError):
        (etc / "mtab").symlink_to("/proc/self/mounts")


def _accounts(name: str, otherwise: str) -> str:
    """The distribution's own accounts, not this machine's."""
    master = Path("/usr/share/base-passwd", f"{name}.master")
    return master.read_text() if master.is_file() else otherwise


def _shadow(accounts: str, line: str) -> str:
    return "".join(line.format(account.split(":")[0]) for account in accounts.splitlines())


@cache
def _distribution() -> tuple[tuple[str, bytes | Path | None, int], ...]:
    """What is taken of the host's /etc, read once: each name, folders before what is in them, with a
    file's content, a link's target or nothing for a folder, and its mode; no owners. What cannot be
    read is left out."""
    found: list[tuple[str, bytes | Path | None, int]] = []
    todo = [Path("/etc", name) for name in _ETC]
    for path in todo:
        name = str(path.relative_to("/etc"))
        with suppress(OSError):
            if path.is_symlink():
                found.append((name, path.readlink(), 0))
            elif path.is_dir():
                found.append((name, None, 0o755))
                todo += sorted(path.iterdir())
            elif path.is_file():
                found.append((name, path.read_bytes(), path.stat().st_mode & 0o755))
    return tuple(found)
