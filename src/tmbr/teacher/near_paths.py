"""Nearly equal paths: their sketches (see `tmbr.teacher.near`), and the bands in which they meet."""

from __future__ import annotations

from array import array
from functools import cache
from itertools import pairwise

from tmbr.core.trace import Trace
from tmbr.teacher.filters import branch_turns
from tmbr.teacher.near import minhash

#: Hash values of a sketch, and bytes of each; the estimate of a Jaccard of 0.9 errs by 0.03.
PERMUTATIONS = 128
WIDTH = 4
#: Least chance that two paths which are just alike enough meet in a band.
FOUND = 0.95


def sketch(trace: Trace) -> bytes:
    """Of the instruction and the steps of the committed branch: of each its action, and each two in a
    row. Raises ConfigError without rensa."""
    acts = [node.action.key if node.action else "" for node in branch_turns(trace)]
    parts = {trace.sample.instruction, *acts, *("\n".join(two) for two in pairwise(acts))}
    return array("I", minhash(sorted(parts), PERMUTATIONS).digest()).tobytes()


def jaccard(one: bytes, other: bytes) -> float:
    """What part of the steps two paths share, estimated from their sketches."""
    at = range(0, PERMUTATIONS * WIDTH, WIDTH)
    return sum(one[i : i + WIDTH] == other[i : i + WIDTH] for i in at) / PERMUTATIONS


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
        if 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= FOUND:
            return rows
    return 1
