"""Near-duplicates among a million sketches, in bounded memory: MinHash (Broder, 1997) by rensa, banded.

A sketch stands for a set: the runs of five characters of a question, or the steps of a path. Those that
share a band are compared whole, so that a chance hit drops nothing.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b

from tmbr.core.errors import ConfigError

#: Hash values of a sketch, and bytes of each: the estimate of a Jaccard of 0.9 errs by 0.02.
PERMUTATIONS, WIDTH = 256, 4
#: The first of them, by which what is to be compared is found.
FINDING = 128
#: Least chance that two sets which are just alike enough share a band.
FOUND = 0.95
SHINGLE = 5
_SEED = 42
_PLAIN = re.compile(r"[\W_]+")
_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA cache_size = -32768;
CREATE TABLE sketches (key INTEGER PRIMARY KEY, name TEXT, sketch BLOB);
CREATE TABLE bands (band BLOB, key INTEGER, PRIMARY KEY (band, key)) WITHOUT ROWID;
"""


def shingles(text: str) -> list[str]:
    """Runs of five characters, in lower case and without punctuation."""
    plain = _PLAIN.sub(" ", text.lower()).strip()
    return sorted({plain[i : i + SHINGLE] for i in range(max(1, len(plain) - SHINGLE + 1))})


def text_sketch(text: str) -> bytes:
    """Of a text's runs of characters."""
    return sketch(shingles(text))


def sketch(parts: Iterable[str]) -> bytes:
    """Of a set. Raises ConfigError without rensa."""
    try:
        from rensa import RMinHash
    except ModuleNotFoundError:
        raise ConfigError("near-duplicates need rensa: pip install 'tmbr[data]'") from None
    made = RMinHash(PERMUTATIONS, _SEED)
    made.update(sorted(parts))
    return array("I", made.digest()).tobytes()


def jaccard(one: bytes, other: bytes) -> float:
    """What part two sets share, estimated from their sketches."""
    ours, theirs = array("I", one), array("I", other)
    return sum(map(int.__eq__, ours, theirs)) / PERMUTATIONS


class NearIndex:
    """Sketches by name, in a temporary file of SQLite's own that goes away with it.

    threshold: share in common (Jaccard) from which two count as one.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._file = sqlite3.connect("")
        self._file.executescript(_TABLES)

    def find(self, ours: bytes) -> str | None:
        """The name of what is most alike, the first of equals; None if nothing is alike enough."""
        return self._nearest(ours, self._bands(ours))

    def add(self, name: str, ours: bytes) -> str | None:
        """Add a sketch, unless there is one alike: its name is returned then."""
        bands = self._bands(ours)
        if (found := self._nearest(ours, bands)) is not None:
            return found
        key = self._file.execute("INSERT INTO sketches VALUES (NULL, ?, ?)", (name, ours)).lastrowid
        self._file.executemany("INSERT INTO bands VALUES (?, ?)", ((band, key) for band in bands))
        return None

    def _nearest(self, ours: bytes, bands: list[bytes]) -> str | None:
        met = self._file.execute(
            f"""SELECT name, sketch FROM sketches WHERE key IN (
                SELECT key FROM bands WHERE band IN ({", ".join("?" * len(bands))})) ORDER BY key""",
            bands,
        )
        alike = [(jaccard(ours, theirs), name) for name, theirs in met]
        best = max(alike, key=lambda found: found[0], default=(0.0, ""))
        return best[1] if best[0] >= self._threshold else None

    def _bands(self, ours: bytes) -> list[bytes]:
        width = band_width(self._threshold) * WIDTH
        starts = range(0, FINDING * WIDTH, width)
        return [
            blake2b(ours[at : at + width], digest_size=8, key=bytes([at // width])).digest()
            for at in starts
        ]


@cache
def band_width(threshold: float) -> int:
    """Hash values of a band: as many as find what is alike."""
    for count in (16, 8, 4, 2):
        if 1 - (1 - threshold**count) ** (FINDING // count) >= FOUND:
            return count
    return 1
