"""ALFWorld's own files, where a machine has them: `TMBR_DATA`, by default `../shared/data`."""

from __future__ import annotations

import json
import os
import re
import tarfile
from pathlib import Path
from random import Random
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TMBR_DATA", ROOT / "../shared/data")) / "alfworld"
TARS = {split: DATA / f"{split}.tar.xz" for split in ("valid_seen", "train")}

Fields = dict[str, Any]


def available() -> bool:
    return all(path.is_file() for path in TARS.values())


needed = pytest.mark.skipif(
    not available(),
    reason=f"ALFWorld's games are not in {DATA}: set TMBR_DATA to what holds alfworld/*.tar.xz",
)


def games(split: str, count: int | None = None, seed: int = 0) -> list[tuple[str, Fields]]:
    """(name, fields) of a split's games in order, or of a seeded sample of them."""
    with tarfile.open(TARS[split]) as tar:
        members = sorted(m.name for m in tar.getmembers() if m.name.endswith("game.tw-pddl"))
        chosen = set(members if count is None else Random(seed).sample(members, count))
    found = []
    with tarfile.open(TARS[split]) as tar:  # read front to back: going back unpacks anew
        for member in tar:
            if member.name in chosen:
                file = tar.extractfile(member)
                assert file is not None
                found.append((member.name.removesuffix("/game.tw-pddl"), json.load(file)))
    return sorted(found, key=lambda pair: pair[0])


def older_logic() -> tuple[str, str]:
    """Domain and grammar of the text version `put`, as AgentBench ships them."""
    return (DATA / "logic/alfred.pddl").read_text(), (DATA / "logic/alfred.twl2").read_text()


def in_words(fields: Fields, domain: str, grammar: str) -> Fields:
    """The same problem under another domain and grammar, with its task sentence."""
    task = re.search(r"Your task is to: ([^\"]*)\"", fields["grammar"])
    assert task is not None
    said = grammar.replace("UNKNOWN GOAL.", task[1])
    return {**fields, "pddl_domain": domain, "grammar": said}
