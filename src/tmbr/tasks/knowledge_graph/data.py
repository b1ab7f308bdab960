"""AgentBench's questions as samples, found under `TMBR_DATA/knowledgegraph`.

The files are as AgentBench has them: `dev.json`, `std.json`, `kg_rl_all.json` (data/knowledgegraph) and
the ontology `vocab.json`, `fb_roles` (src/server/tasks/knowledgegraph/ontology). fb_roles tells what
type a relation leads to: Freebase needs it; an induced graph without it has the types that the gold
actions imply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tmbr.core.errors import DataError, no_file
from tmbr.core.types import Sample
from tmbr.environments.knowledge_graph import Vocabulary
from tmbr.tasks.samples import data_root

#: Name of the data set -> its file. `std.even` is every second standard question, from the first.
FILES = {"dev": "dev.json", "std": "std.json", "std.even": "std.even.json", "train": "kg_rl_all.json"}
#: `induced-…` plays a question on a graph of its own, `freebase-…` on an endpoint.
SPLITS = {f"{graph}-{name}": file for graph in ("induced", "freebase") for name, file in FILES.items()}
_MEND = "fetch AgentBench's data/knowledgegraph again, see `tmbr data check`"
_CLASS = re.compile(r"^(?:\((?:COUNT|ARGMAX|ARGMIN) )?\(AND (\w+\.[\w.]+) ")
_FIELDS = {"question": str, "qid": str, "entities": dict, "actions": list, "answer": list}
_NAMES = ("relations", "attributes", "classes")


def samples(name: str, root: Path | None) -> Sequence[Sample]:
    """The samples of one of `SPLITS`. Raises DataError when its file is missing or broken."""
    path = _folder(root) / SPLITS[name]
    rows = _json(path)
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{path}: is no list of questions; {_MEND}")
    typed = bool(vocabulary(root).ranges)
    return [_sample(name, path, number, row, typed) for number, row in enumerate(rows)]


def vocabulary(root: Path | None) -> Vocabulary:
    """The ontology's names, and its ranges where they are there."""
    folder = _folder(root)
    path = folder / "vocab.json"
    if not path.is_file():
        raise DataError(f"{no_file(path)}; AgentBench has it in its folder ontology/")
    return _vocabulary(path, path.stat().st_mtime_ns, folder / "fb_roles")


@lru_cache(maxsize=4)
def _vocabulary(path: Path, _changed: int, roles: Path) -> Vocabulary:
    told = _json(path)
    try:
        relations, attributes, classes = (_texts(told[key]) for key in _NAMES)
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: has no lists of {', '.join(_NAMES)}; {_MEND}") from error
    return Vocabulary(relations, attributes, classes, _ranges(roles) if roles.is_file() else {})


def _texts(names: Any) -> tuple[str, ...]:
    if not all(isinstance(name, str) for name in names):
        raise TypeError("names are texts")
    return tuple(sorted(names))


def _ranges(path: Path) -> Mapping[str, str]:
    """Relation -> the type that it leads to; a line is source type, relation, target type."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        if len(line) != 3:
            raise DataError(f"{path}: line {number} is not `type relation type`; {_MEND}")
    return {relation: target for _, relation, target in lines}


def _sample(name: str, path: Path, number: int, row: Any, typed: bool) -> Sample:
    if not isinstance(row, dict) or not all(isinstance(row.get(k), t) for k, t in _FIELDS.items()):
        raise DataError(f"{path}: question {number} lacks one of {', '.join(_FIELDS)}; {_MEND}")
    try:
        answer = sorted({str(part["answer_argument"]) for part in row["answer"]})
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: question {number} has no answer_argument; {_MEND}") from error
    found = _CLASS.match(str(row.get("s_expression")))
    setup = {
        "entities": {str(key): str(value) for key, value in row["entities"].items()},
        "actions": [str(action) for action in row["actions"]],
        "asked": found[1] if found else None,
        "types": "fb_roles" if typed else "induced",
    }
    told = f"{name}/{number}/{row['qid']}"
    return Sample(told, "knowledge_graph", name, row["question"], setup, answer)


def _folder(root: Path | None) -> Path:
    folder = data_root(root) / "knowledgegraph"
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; set TMBR_DATA to the folder that holds knowledgegraph/, see "
            "`tmbr data check`"
        )
    return folder


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{no_file(path)}; {_MEND}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {_MEND}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: truncated or no JSON ({error}); {_MEND}") from error
