"""Near-duplicates among a million short texts: MinHash with bands (Broder, 1997), by rensa.

Texts are compared by their runs of five characters, in lower case and without punctuation. What shares
a band is compared by the whole sketch, so that a chance hit does not drop a question.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tmbr.core.errors import ConfigError

if TYPE_CHECKING:
    from rensa import RMinHash, RMinHashLSH

SHINGLE = 5
#: Hash values by which two texts are compared: the estimate of a Jaccard of 0.9 errs by 0.02.
PERMUTATIONS = 256
#: Hash values that find what is to be compared, in 16 bands of 8: what is 0.85 alike shares one with
#: probability 0.994, what is 0.5 alike with 0.06.
FINDING, BANDS = 128, 16
_SEED = 42
_PLAIN = re.compile(r"[\W_]+")


def shingles(text: str) -> list[str]:
    plain = _PLAIN.sub(" ", text.lower()).strip()
    return sorted({plain[i : i + SHINGLE] for i in range(max(1, len(plain) - SHINGLE + 1))})


class NearIndex:
    """Texts by name; `names[k]` is the k-th that was added. Raises ConfigError without rensa.

    threshold: share of runs in common (Jaccard) from which two texts count as one.
    """

    def __init__(self, threshold: float) -> None:
        self.names: list[str] = []
        self._threshold = threshold
        self._bands: RMinHashLSH = rensa().RMinHashLSH(threshold, FINDING, BANDS)
        self._sketches = array("I")

    def find(self, text: str) -> str | None:
        """The name of the text that is most alike, if it is alike enough."""
        found = self._nearest(*_sketches(text))
        return None if found is None else self.names[found]

    def add(self, name: str, text: str) -> str | None:
        """Add a text, unless there is one alike: its name is returned then."""
        finding, whole = _sketches(text)
        found = self._nearest(finding, whole)
        if found is not None:
            return self.names[found]
        self._bands.insert(len(self.names), finding)
        self.names.append(name)
        self._sketches.extend(whole)
        return None

    def _nearest(self, finding: RMinHash, whole: list[int]) -> int | None:
        alike = [(self._alike(whole, key), -key) for key in self._bands.query(finding)]
        best, key = max(alike, default=(0.0, 0))
        return -key if best >= self._threshold else None

    def _alike(self, ours: list[int], key: int) -> float:
        theirs = self._sketches[key * PERMUTATIONS : (key + 1) * PERMUTATIONS]
        return sum(map(int.__eq__, ours, theirs)) / PERMUTATIONS


def _sketches(text: str) -> tuple[RMinHash, list[int]]:
    """That by which a text is found, and that by which it is compared."""
    parts = shingles(text)
    return minhash(parts, FINDING), list(minhash(parts, PERMUTATIONS).digest())


def minhash(parts: Iterable[str], permutations: int) -> RMinHash:
    """The sketch of a set of parts. Raises ConfigError without rensa."""
    made = rensa().RMinHash(permutations, _SEED)
    made.update(list(parts))
    return made


def rensa() -> Any:
    try:
        import rensa
    except ModuleNotFoundError:
        raise ConfigError("near-duplicates need rensa: pip install 'tmbr[data]'") from None
    return rensa
