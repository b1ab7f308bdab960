"""DBBench's samples: JSON lines under `TMBR_DATA/dbbench`, in the form that AgentBench publishes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tmbr.core.errors import DataError, no_file
from tmbr.core.types import Sample
from tmbr.environments.database import Table
from tmbr.tasks.samples import data_root

#: Name of the data set -> its file.
SPLITS = {
    "dbbench-dev": "dev.jsonl",
    "dbbench-standard": "standard.jsonl",
    "dbbench-standard.even": "standard.even.jsonl",
}
WRITES = ("INSERT", "UPDATE", "DELETE")


def samples(name: str, root: Path | None) -> Sequence[Sample]:
    """The samples of one of `SPLITS`, in the file's order. Raises DataError for what cannot be read."""
    path = data_root(root) / "dbbench" / SPLITS[name]
    return [_sample(name, path, i, entry) for i, entry in enumerate(_entries(path))]


def tables(sample: Sample, root: Path | None) -> list[Table]:
    """The tables that a sample starts with. Raises DataError when the file is no longer the same."""
    path = data_root(root) / "dbbench" / str(sample.setup["file"])
    entry = _entries(path)[sample.setup["index"]]
    if _sha(entry) != sample.setup["sha256"]:
        raise DataError(
            f"{path}: line {sample.setup['index'] + 1} is not the one the sample was read from"
        )
    return [_table(path, sample.setup["index"], one) for one in _listed(entry)]


def gold(sample: Sample, root: Path | None) -> str:
    """The statement that the file gives as the solution; of a question it is often wrong."""
    path = data_root(root) / "dbbench" / str(sample.setup["file"])
    entry = _entries(path)[sample.setup["index"]]
    found = entry.get("sql", {}).get("query")
    return str(found or (entry.get("label") or [""])[0])


def _entries(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise DataError(f"{no_file(path)}; set TMBR_DATA to the folder that holds dbbench/")
    return _read(path, (path.stat().st_mtime_ns, path.stat().st_size))


@lru_cache(maxsize=8)
def _read(path: Path, _: tuple[int, int]) -> list[dict[str, Any]]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise DataError(
                f"{path}: line {number} is no JSON ({error}); the file is truncated, get it again"
            ) from None
        missing = {"description", "type", "table"} - set(entry if isinstance(entry, dict) else ())
        if missing:
            raise DataError(
                f"{path}: line {number} has no {sorted(missing)[0]!r}; it is no DBBench sample"
            )
        found.append(entry)
    return found


def _listed(entry: Mapping[str, Any]) -> list[Any]:
    table = entry["table"]
    return table if isinstance(table, list) else [table]


def _table(path: Path, index: int, given: Any) -> Table:
    try:
        info = given["table_info"]
        columns = tuple(str(column["name"]) for column in info["columns"])
        rows = tuple(tuple(str(cell) for cell in row) for row in info["rows"])
        return Table(str(given["table_name"]), columns, rows)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{path}: line {index + 1}: its table lacks {error}; get the file again"
        ) from None


def _sample(name: str, path: Path, index: int, entry: Mapping[str, Any]) -> Sample:
    """target: what is scored, and of which type; a write's columns are those it is hashed over."""
    kind = str(entry["type"][0])
    target: dict[str, Any] = {"type": kind}
    if kind in WRITES:
        made = [_table(path, index, one) for one in _listed(entry)]
        target["md5"] = str(entry.get("answer_md5") or "").strip("[](),'")
        target["tables"] = [[one.name, list(one.columns)] for one in made]
    else:
        target["label"] = entry.get("label")
    setup = {"file": path.name, "index": index, "sha256": _sha(entry), "told": _told(entry)}
    return Sample(f"{name}/{index}", "database", name, str(entry["description"]), setup, target)


def _told(entry: Mapping[str, Any]) -> str:
    """What the agent is told beside the request."""
    return "\n".join(str(entry[key]) for key in ("evidence", "add_description") if entry.get(key))


def _sha(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]
