"""Layers of an overlay file system, read and written as what they are: folders with marks.

A name that a layer removes is a character device 0/0; a folder that hides those below it carries the
attribute `opaque` (the kernel's Documentation/filesystems/overlayfs.rst).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: The kernel's limit on a path, less its end.
_LONGEST = 4095


@dataclass(frozen=True, slots=True)
class Entry:
    """What a path has become: where it lies, its status, and for a folder whether it hides others."""

    path: Path
    status: os.stat_result
    opaque: bool

    @property
    def gone(self) -> bool:
        return stat.S_ISCHR(self.status.st_mode) and self.status.st_rdev == 0

    def content(self) -> bytes:
        """Of a file its digest, of a link its target."""
        if stat.S_ISLNK(self.status.st_mode):
            return os.fsencode(self.path.readlink())
        if stat.S_ISREG(self.status.st_mode):
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").digest()
        return b""


def like(source: Path, target: Path) -> None:
    """Give a folder or file the owner, mode and times of another."""
    status = source.lstat()
    with suppress(PermissionError):
        os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        target.chmod(stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def changed(layer: Path, below: Path) -> bool:
    """Whether a layer says anything that the one below it does not."""
    with os.scandir(layer) as entries:
        if any(entries):
            return True
    ours, theirs = layer.stat(), below.stat()
    return (ours.st_mode, ours.st_uid, ours.st_gid) != (theirs.st_mode, theirs.st_uid, theirs.st_gid)


def merge(layers: Sequence[Path], opaque: str) -> dict[str, Entry]:
    """All that the layers, lowest first, change: relative path -> entry, folders before what is in
    them. What lies deeper than a path can be long is left out."""
    found: dict[str, Entry] = {}
    for layer in layers:
        _over(layer, opaque, found)
    return dict(sorted(found.items(), key=lambda item: item[0].split("/")))


def _over(layer: Path, opaque: str, found: dict[str, Entry]) -> None:
    """Lay one layer over what was found below it."""
    todo = [""]
    while todo:
        relative = todo.pop()
        for path in (layer / relative).iterdir():
            key = f"{relative}/{path.name}" if relative else path.name
            if len(os.fsencode(path)) > _LONGEST:
                continue
            entry = Entry(path, path.lstat(), _marked(path, opaque))
            below = found.get(key)
            if below is not None and _folder(below) and (entry.opaque or not _folder(entry)):
                for inner in [k for k in found if k.startswith(f"{key}/")]:
                    del found[inner]
            if below is not None and _folder(entry) and (below.opaque or not _folder(below)):
                entry = Entry(entry.path, entry.status, True)
            found[key] = entry
            if _folder(entry):
                todo.append(key)


def write(entries: dict[str, Entry], target: Path, opaque: str) -> None:
    """Make one layer of merged entries. Hard links become copies."""
    for key, entry in entries.items():
        made = target / key
        mode = entry.status.st_mode
        if _folder(entry):
            made.mkdir()
            if entry.opaque:
                os.setxattr(made, opaque, b"y")
        elif stat.S_ISLNK(mode):
            made.symlink_to(entry.path.readlink())
        elif stat.S_ISREG(mode):
            shutil.copyfile(entry.path, made)
        else:
            os.mknod(made, mode, entry.status.st_rdev)
        if not entry.gone:
            like(entry.path, made)
    for key, entry in reversed(entries.items()):
        if _folder(entry):
            like(entry.path, target / key)


def digest(entries: dict[str, Entry]) -> str:
    """A hash of what was changed: paths, kinds, modes, owners and contents, but no times."""
    hashed = hashlib.sha256()
    for key, entry in entries.items():
        status = entry.status
        told = (key, entry.gone or (status.st_mode, status.st_uid, status.st_gid), entry.content())
        hashed.update(repr(told).encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


def _folder(entry: Entry) -> bool:
    return stat.S_ISDIR(entry.status.st_mode)


def _marked(path: Path, opaque: str) -> bool:
    try:
        return os.getxattr(path, opaque, follow_symlinks=False) == b"y"
    except OSError:
        return False
