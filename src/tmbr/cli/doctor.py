"""`tmbr doctor`: what this machine gives each part of tmbr, and what to do where it gives nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

#: Environment variable -> what it names. A password in one is not shown.
SERVERS = {
    "TMBR_MYSQL": "the server that answers for the database",
    "TMBR_SPARQL": "the endpoint that answers for the knowledge graph",
    "TMBR_DOCKER": "the image in which the operating system runs",
}
#: Extras without which a part of tmbr is missing; the others are for developers.
EXTRAS = {
    "train": "local models and tuning",
    "db": "the database",
    "kg": "the knowledge graph",
    "shop": "the web shop",
    "docker": "the operating system in containers",
    "data": "near-duplicates among questions and among paths",
    "gym": "worlds as Gymnasium's",
}
_SECRET = re.compile(r"//[^/@]*@")


def findings() -> Iterator[str]:
    """One line a finding: what is looked at, what was found, and the mend where that is nothing."""
    from tmbr.environments.operating_system import describe
    from tmbr.tasks.samples import data_root

    yield f"python: {platform.python_version()} on {platform.system()} {platform.machine()}, {_cores()}"
    for extra, what in EXTRAS.items():
        lacking = [name for name in _packages(extra) if not _version(name)]
        mend = f"lacks {', '.join(lacking)}; pip install 'tmbr[{extra}]'" if lacking else "there"
        yield f"{what}: {mend}"
    yield f"device: {_device()}"
    yield f"sandbox: {describe()}"
    for variable, what in SERVERS.items():
        told = _SECRET.sub("//***@", os.environ.get(variable, ""))
        yield f"{variable}: {told or f'not set; it can name {what}'}"
    root = data_root()
    there = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    found = (
        f"{root} holds {', '.join(there)}" if there else f"{root} holds nothing; own samples are made"
    )
    yield f"TMBR_DATA: {found}; see `tmbr data check`"
    yield f"disk: {shutil.disk_usage(Path.cwd()).free / 2**30:.0f} GiB free here"


def _cores() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{cores} core{'s' if cores > 1 else ''}"


def _packages(extra: str) -> list[str]:
    """What an extra asks for, by name."""
    asked = [told for told in requires("tmbr") or () if f'extra == "{extra}"' in told]
    return [re.split(r"[^\w.-]", told, maxsplit=1)[0] for told in asked]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _device() -> str:
    """The device that a local model takes by default."""
    if find_spec("torch") is None:
        return "none without torch; an endpoint needs none"
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB (torch {torch.__version__})"
    return f"cpu (torch {torch.__version__} sees no GPU)"
