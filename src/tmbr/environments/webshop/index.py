"""A full-text index with Lucene's order: BM25 over one field, ties by id.

The arithmetic is Lucene's in single precision, one-byte document lengths included, because the order of
near-equal documents hangs on its last bit. Postings lie in flat arrays: a million products take less
than a gigabyte, on disk where they are mapped.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.errors import ConfigError

from .analysis import analyse

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

K1, B = 0.9, 0.4
#: Lucene refuses a query of more different terms (BooleanQuery.maxClauseCount).
MOST_TERMS = 1024
#: Postings sorted at a time.
_CHUNK = 1 << 22
#: A term that more than one document in so many holds is looked up for contenders only, where these
#: are fewer than one in so many of its documents.
_COMMON = 16
#: More than single precision rounds off a score.
_SLACK = 1e-3


@dataclass(frozen=True)
class Index:
    """Which documents hold which terms, and how much.

    terms: term -> its number. starts: where the postings of each term start, and the end of the last.
    documents, tempered: the postings, a document and 1 + count / (k1 * (1 - b + b * length / mean
    length)); documents ascend within a term. ranks: the place of each document when sorted by id.
    filled: how many documents hold a term; Lucene counts no others.
    """

    terms: Mapping[str, int]
    starts: Array
    documents: Array
    tempered: Array
    ranks: Array
    filled: int

    @classmethod
    def build(cls, documents: Iterable[tuple[str, str]]) -> Index:
        """From (id, text) of each document, in order. Texts are read once and not kept.

        Raises ConfigError without numpy.
        """
        try:
            import numpy as np
        except ModuleNotFoundError as error:
            told = "the web shop needs numpy; install it with `pip install tmbr[shop]`"
            raise ConfigError(told) from error

        terms: dict[str, int] = {}
        ids: list[bytes] = []
        found, counts = array("I"), array("H")
        sizes, lengths = array("I"), array("Q")
        for name, text in documents:
            words = Counter(analyse(text))
            ids.append(name.encode("utf-8", "surrogatepass"))
            sizes.append(len(words))
            lengths.append(words.total())
            for word, count in words.items():
                found.append(terms.setdefault(word, len(terms)))
                counts.append(min(count, 0xFFFF))
        ranks = np.empty(len(ids), np.int32)
        ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids), dtype=np.int32)
        filled = sum(map(bool, lengths))
        inverse = _inverse(sum(lengths), filled)[[_to_byte(length) for length in lengths]]
        holders = np.repeat(
            np.arange(len(ids), dtype=np.uint32), np.frombuffer(sizes or b"", np.uint32)
        )
        tempered = np.frombuffer(counts or b"", np.uint16) * inverse[holders] + np.float32(1)
        postings = _inverted(np.frombuffer(found or b"", np.uint32), holders, tempered, len(terms))
        return cls(terms, *postings, ranks, filled)

    def search(self, query: str, most: int) -> tuple[int, ...]:
        """The best documents, best first, at most `most`.

        Empty for a query that holds no term, or more different ones than Lucene takes.
        """
        import numpy as np

        wanted = Counter(analyse(query))
        if len(wanted) > MOST_TERMS:
            return ()
        known = [(self.terms[word], count) for word, count in wanted.items() if word in self.terms]
        parts = sorted((self._part(*one) for one in known), key=lambda part: len(part[0]))
        # Lucene adds single floats in doubles, where no order of adding rounds, and rounds the sum.
        total = np.zeros(len(self.ranks))
        rest = float(sum(weight for _, _, weight in parts))
        hits: Array | None = None
        for documents, tempered, weight in parts:
            if hits is None and len(documents) * _COMMON > len(total):
                hits = _contenders(total, rest, most, len(documents) // _COMMON)
            if hits is not None:
                place = np.minimum(np.searchsorted(documents, hits), len(documents) - 1)
                held = documents[place] == hits
                total[hits[held]] += weight - weight / tempered[place[held]]
            else:
                total[documents] += weight - weight / tempered
            rest -= float(weight)
        return self._best(total, np.flatnonzero(total > 0) if hits is None else hits, most)

    def _part(self, term: int, boost: int) -> tuple[Array, Array, np.float32]:
        """Postings and weight of a term; what it adds is BM25Similarity's score, below the weight."""
        import numpy as np

        part = slice(self.starts[term], self.starts[term + 1])
        holding = part.stop - part.start
        idf = np.float32(log(1 + (self.filled - holding + 0.5) / (holding + 0.5)))
        return self.documents[part], self.tempered[part], np.float32(boost) * idf

    def _best(self, total: Array, hits: Array, most: int) -> tuple[int, ...]:
        import numpy as np

        scores = total[hits].astype(np.float32)
        if len(hits) > most:
            least = np.partition(scores, len(hits) - most)[len(hits) - most]
            hits, scores = hits[scores >= least], scores[scores >= least]
        order = np.lexsort((self.ranks[hits], -scores))[:most]
        return tuple(hits[order].tolist())

    def save(self, folder: Path) -> None:
        """Write it under an existing folder."""
        import numpy as np

        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        lines = "\n".join(self.terms)  # no term has a line break
        (folder / "terms.txt").write_text(f"{self.filled}\n{lines}", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Index:
        """Read what `save` wrote; postings stay on disk and are mapped. Raises OSError, ValueError."""
        import numpy as np

        filled, *terms = (folder / "terms.txt").read_text(encoding="utf-8").split("\n")
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
        return cls({term: i for i, term in enumerate(terms) if term}, **arrays, filled=int(filled))


_ARRAYS = ("starts", "documents", "tempered", "ranks")


def _contenders(total: Array, rest: float, most: int, few: int) -> Array | None:
    """The documents that can be among the best when `rest` is still to be had, if they are few."""
    import numpy as np

    hits = np.flatnonzero(total > 0)
    if len(hits) < most:
        return None
    scores = total[hits]
    least = np.partition(scores, len(hits) - most)[len(hits) - most]
    hits = hits[scores >= least - rest - _SLACK]
    return hits.astype(np.uint32) if len(hits) < few else None


def _inverse(words: int, filled: int) -> Array:
    """For each one-byte length, 1 / (k1 * (1 - b + b * length / mean length)), in floats."""
    import numpy as np

    one, k1, b = np.float32(1), np.float32(K1), np.float32(B)
    lengths = np.array([_from_byte(byte) for byte in range(256)], np.float32)
    mean = np.float32(max(words, 1) / max(filled, 1))
    return one / (k1 * ((one - b) + b * lengths / mean))


def _inverted(found: Array, holders: Array, values: Array, terms: int) -> tuple[Array, Array, Array]:
    """(starts, documents, values) of postings in order of document, sorted by term.

    A counting sort, a chunk at a time, so that little more than the result is held.
    """
    import numpy as np

    starts = np.zeros(terms + 1, np.int64)
    np.cumsum(np.bincount(found, minlength=terms), out=starts[1:])
    documents, sorted_values = np.empty_like(holders), np.empty_like(values)
    free = starts[:-1].copy()
    for first in range(0, len(found), _CHUNK):
        part = slice(first, first + _CHUNK)
        order = np.argsort(found[part], kind="stable")
        term = found[part][order]
        kinds, begins, many = np.unique(term, return_index=True, return_counts=True)
        place = np.arange(len(term)) - np.repeat(begins, many) + np.repeat(free[kinds], many)
        documents[place] = holders[part][order]
        sorted_values[place] = values[part][order]
        free[kinds] += many
    return starts, documents, sorted_values


# Lucene's SmallFloat: lengths below 24 as they are, above with four significant bits.


def _to_four_bits(number: int) -> int:
    shift = number.bit_length() - 4
    return number if shift < 0 else (shift + 1) << 3 | number >> shift & 7


def _from_four_bits(code: int) -> int:
    shift = (code >> 3) - 1
    return code & 7 if shift < 0 else (code & 7 | 8) << shift


_EXACT = 255 - _to_four_bits(2**31 - 1)


def _to_byte(length: int) -> int:
    return length if length < _EXACT else _EXACT + _to_four_bits(length - _EXACT)


def _from_byte(byte: int) -> int:
    return byte if byte < _EXACT else _EXACT + _from_four_bits(byte - _EXACT)
