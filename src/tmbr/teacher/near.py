"""Nearly equal paths, by MinHash (Broder, 1997): sketches, and the bands in which they meet."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

from tmbr.core.errors import ConfigError
from tmbr.core.types import Trace
from tmbr.teacher.filters import branch_turns

#: Hash values of a sketch; with 128 the estimate of a Jaccard of 0.9 errs by 0.03. Bytes of each.
HASHES = 128
WIDTH = 4
#: Least chance that two paths which are just alike enough meet in a band.
FOUND = 0.95


def sketch(trace: Trace) -> bytes:
    """Of the instruction and the steps of the committed branch: of each its action, and each two in a
    row. Raises ConfigError without datasketch."""
    acts = [node.action.key if node.action else "" for node in branch_turns(trace)]
    parts = {trace.sample.instruction, *acts, *("\n".join(two) for two in pairwise(acts))}
    minhash = _blank().copy()
    minhash.update_batch([part.encode("utf-8", "replace") for part in sorted(parts)])
    return bytes(minhash.hashvalues.tobytes())


def jaccard(one: bytes, other: bytes) -> float:
    """What part of the steps two paths share, estimated from their sketches."""
    at = range(0, HASHES * WIDTH, WIDTH)
    return sum(one[i : i + WIDTH] == other[i : i + WIDTH] for i in at) / HASHES


def bands(sketch: bytes, threshold: float) -> list[bytes]:
    """Keys of which two sketches share one when their Jaccard reaches the threshold (in `FOUND` of the
    cases), and rarely when it is far below."""
    rows = _rows(threshold) * WIDTH
    starts = range(0, len(sketch), rows)
    return [number.to_bytes(1, "big") + sketch[at : at + rows] for number, at in enumerate(starts)]


@cache
def _rows(threshold: float) -> int:
    """Hash values of a band: as many as find what is alike."""
    for rows in (16, 8, 4, 2):
        if 1 - (1 - threshold**rows) ** (HASHES // rows) >= FOUND:
            return rows
    return 1


@cache
def _blank() -> Any:
    try:
        from datasketch import MinHash
    except ModuleNotFoundError:
        raise ConfigError(
            "near duplicates need datasketch: pip install 'tmbr[data]', or set duplicates: exact"
        ) from None
    return MinHash(HASHES)
