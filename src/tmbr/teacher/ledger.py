"""The book of a build: of every episode where it stands and why it was dropped, on disk.

A million episodes are judged in bounded memory, and a build that was stopped goes on. It is an SQLite
file that is thrown away when anything it was made from has changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from tmbr.core.trace import Trace
from tmbr.core.types import derive_seed, digest
from tmbr.teacher.filters import Dropped, branch_turns
from tmbr.teacher.near import NearIndex

_TABLES = """
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS episodes (
    id TEXT PRIMARY KEY, sample TEXT, digest TEXT, seed INTEGER, source INTEGER, place INTEGER,
    grp TEXT, path TEXT, draw INTEGER, sketch BLOB, filter TEXT, why TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS step_values (
    trace TEXT, node INTEGER, value REAL, PRIMARY KEY (trace, node)
) WITHOUT ROWID;
"""
#: The order of everything that is written: it does not depend on how episodes were played.
_ORDER = "sample, digest, seed, id"
#: Dropped episodes that a yield names.
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where an episode stands: which of the trace files, and at which byte; and whether it was kept."""

    id: str
    source: int
    first: int
    kept: bool


@dataclass(frozen=True, slots=True)
class Yield:
    """What came to a filter and what it dropped, with a few examples (episode and reason)."""

    filter: str
    seen: int
    dropped: int
    examples: tuple[tuple[str, str], ...]


class Ledger:
    """Open for one build. made_from: whatever the outcome depends on; another one starts afresh."""

    def __init__(self, path: Path, made_from: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path)
        self._file.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_TABLES}")
        if self.note("made from") != digest(made_from):
            for table in ("notes", "episodes", "step_values"):
                self._file.execute(f"DELETE FROM {table}")
            self.remember("made from", digest(made_from))
            self.commit()

    def close(self) -> None:
        self._file.close()

    def commit(self) -> None:
        """Keep what was noted so far, all of it or nothing."""
        self._file.commit()

    def note(self, name: str) -> str | None:
        found = self._file.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def remember(self, name: str, value: object) -> None:
        self._file.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, str(value)))

    def enter(
        self, trace: Trace, source: int, first: int, dropped: Dropped | None, seed: int, sketch: bytes
    ) -> None:
        """An episode; a later line of the same id takes the earlier one's place."""
        self._file.execute(
            "INSERT OR REPLACE INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(trace.id, trace.sample.id, trace.sample.digest, trace.run.seed, source, first),
                *(group(trace), path_digest(trace), derive_seed(seed, trace.id), sketch),
                *((dropped.filter, dropped.why) if dropped else (None, None)),
            ),
        )

    def enter_value(self, trace: str, node: int, value: float) -> None:
        self._file.execute("INSERT OR REPLACE INTO step_values VALUES (?, ?, ?)", (trace, node, value))

    def step_values(self, trace: str) -> dict[int, float]:
        found = self._file.execute("SELECT node, value FROM step_values WHERE trace = ?", (trace,))
        return dict(found.fetchall())

    def drop_doubles(self) -> None:
        """Of the kept episodes with one path the first is kept."""
        self._drop_beyond(
            1, "path", _ORDER, "duplicates", "the same conversation as an earlier episode"
        )

    def drop_beyond(self, most: int) -> None:
        """Of the kept episodes of a group so many are kept, by lot."""
        self._drop_beyond(most, "grp", "draw, id", "balance", f"more than {most} of this group")

    def _drop_beyond(self, most: int, by: str, order: str, name: str, why: str) -> None:
        self._file.execute(
            f"""UPDATE episodes SET filter = ?, why = ? WHERE id IN (
                SELECT id FROM (
                    SELECT id, row_number() OVER (PARTITION BY {by} ORDER BY {order}) AS at
                    FROM episodes WHERE filter IS NULL
                ) WHERE at > ?)""",
            (name, why, most),
        )

    def drop_alike(self, threshold: float) -> None:
        """Of the kept episodes those are dropped whose path is nearly an earlier one's."""
        index = NearIndex(threshold)
        kept = self._file.execute(
            f"SELECT id, sketch FROM episodes WHERE filter IS NULL ORDER BY {_ORDER}"
        )
        doubles = [(id,) for id, sketch in kept if index.add(id, sketch) is not None]
        self._file.executemany(
            "UPDATE episodes SET filter = 'near duplicates', why = 'nearly the path of an earlier"
            " episode' WHERE id = ?",
            doubles,
        )

    def yields(self, filters: Iterable[str]) -> list[Yield]:
        """Of each filter, in the order in which they were asked."""
        seen = self.total()
        found = []
        for name in filters:
            examples = self._file.execute(
                f"SELECT id, why FROM episodes WHERE filter = ? ORDER BY {_ORDER} LIMIT ?",
                (name, EXAMPLES),
            ).fetchall()
            (dropped,) = self._file.execute(
                "SELECT count(*) FROM episodes WHERE filter = ?", (name,)
            ).fetchone()
            found.append(Yield(name, seen, dropped, tuple(examples)))
            seen -= dropped
        return found

    def total(self) -> int:
        return int(self._file.execute("SELECT count(*) FROM episodes").fetchone()[0])

    def groups(self) -> dict[str, int]:
        """Kept episodes of each task and difficulty."""
        return dict(
            self._file.execute(
                "SELECT grp, count(*) FROM episodes WHERE filter IS NULL GROUP BY grp ORDER BY grp"
            ).fetchall()
        )

    def samples(self, after: str = "") -> Iterator[tuple[str, list[Place]]]:
        """The episodes of one sample after the other; `after`: the sample done last, by its key."""
        found = self._file.execute(
            "SELECT sample || char(31) || digest, id, source, place, filter IS NULL FROM episodes "
            f"WHERE sample || char(31) || digest > ? ORDER BY 1, {_ORDER}",
            (after,),
        )
        for key, places in groupby(found, key=lambda row: row[0]):
            yield key, [Place(id, source, first, bool(kept)) for _, id, source, first, kept in places]


def group(trace: Trace) -> str:
    """Task and difficulty: by the turns that its branch took."""
    turns = len(branch_turns(trace))
    low = next(low for low in (31, 16, 9, 5, 1, 0) if turns >= low)
    named = {31: "31 or more", 16: "16 to 30", 9: "9 to 15", 5: "5 to 8", 1: "1 to 4", 0: "no"}
    return f"{trace.sample.task}, {named[low]} turns"


def path_digest(trace: Trace) -> str:
    """Equal for equal conversations: prompt, what was written and what was heard."""
    if trace.finish is None or not trace.nodes:
        return trace.id
    nodes = [trace.nodes[index] for index in trace.conversation(trace.finish.leaf)]
    calls = [[(call.name, call.arguments) for call in node.message.tool_calls] for node in nodes]
    heard = [node.step.observation if node.step else None for node in nodes]
    return digest([[node.message.content for node in nodes], calls, heard])


def steps(trace: Trace) -> set[str]:
    """By which paths are told to be alike: the instruction, the actions of the kept branch, and each
    two of them in a row."""
    acts = [node.action.key if node.action else "" for node in branch_turns(trace)]
    return {trace.sample.instruction, *acts, *("\n".join(two) for two in pairwise(acts))}
