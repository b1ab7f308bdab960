"""A full-text index with Lucene's order: BM25 over one field, ties by id.

The arithmetic is Lucene's in single precision, one-byte document lengths included, because the order of
near-equal documents hangs on its last bit. Postings lie in flat arrays: 1.2 million products of 200
words take about 0.8 GB.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class Index:
    """Which documents hold which terms, and how often.

    terms: term -> its number. starts: where the postings of each term start, and the end of the last.
    documents, counts: the postings; documents ascend within a term. norms: lengths, in one byte each.
    ranks: the place of each document when sorted by id. words: the length of all documents together.
    """

    terms: Mapping[str, int]
    starts: Array
    documents: Array
    counts: Array
    norms: Array
    ranks: Array
    words: int

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
        norms = np.array([_to_byte(length) for length in lengths], np.uint8)
        postings = _inverted(
            np.frombuffer(found or b"", np.uint32),
            np.frombuffer(counts or b"", np.uint16),
            np.frombuffer(sizes or b"", np.uint32),
            len(terms),
        )
        return cls(terms, *postings, norms, ranks, sum(lengths))

    def search(self, query: str, most: int) -> tuple[int, ...]:
        """The best documents, best first, at most `most`.

        Empty for a query that holds no term, or more different ones than Lucene takes.
        """
        import numpy as np

        wanted = Counter(analyse(query))
        known = [(self.terms[word], count) for word, count in wanted.items() if word in self.terms]
        if not known or len(wanted) > MOST_TERMS:
            return ()
        # Lucene adds single floats in doubles, where no order of adding rounds, and rounds the sum.
        total = np.zeros(len(self.norms))
        for term, count in known:
            documents, scores = self._scores(term, count)
            total[documents] += scores
        return self._best(total.astype(np.float32), most)

    def _scores(self, term: int, boost: int) -> tuple[Array, Array]:
        """The documents of a term and what it adds to each (BM25Similarity.BM25Scorer)."""
        import numpy as np

        one = np.float32(1)
        part = slice(self.starts[term], self.starts[term + 1])
        documents = self.documents[part]
        holding, size = len(documents), self._filled
        idf = np.float32(log(1 + (size - holding + 0.5) / (holding + 0.5)))
        weight = np.float32(boost) * idf
        tempered = self.counts[part].astype(np.float32) * self._inverse[self.norms[documents]]
        return documents, weight - weight / (one + tempered)

    @cached_property
    def _filled(self) -> int:
        """Documents that hold a term: Lucene counts no others."""
        import numpy as np

        return int(np.count_nonzero(self.norms))

    @cached_property
    def _inverse(self) -> Array:
        """For each one-byte length, 1 / (k1 * (1 - b + b * length / mean length)), in floats."""
        import numpy as np

        one, k1, b = np.float32(1), np.float32(K1), np.float32(B)
        lengths = np.array([_from_byte(byte) for byte in range(256)], np.float32)
        mean = np.float32(self.words / max(self._filled, 1))
        return one / (k1 * ((one - b) + b * lengths / mean))

    def _best(self, total: Array, most: int) -> tuple[int, ...]:
        import numpy as np

        hits = np.flatnonzero(total)
        if len(hits) > most:
            least = np.partition(total[hits], len(hits) - most)[len(hits) - most]
            hits = hits[total[hits] >= least]
        order = np.lexsort((self.ranks[hits], -total[hits]))[:most]
        return tuple(hits[order].tolist())

    def save(self, folder: Path) -> None:
        """Write it under an existing folder."""
        import numpy as np

        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        lines = "\n".join(self.terms)  # terms hold no white space
        (folder / "terms.txt").write_text(f"{self.words}\n{lines}", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Index:
        """Read what `save` wrote; postings stay on disk and are mapped. Raises OSError, ValueError."""
        import numpy as np

        words, *terms = (folder / "terms.txt").read_text(encoding="utf-8").split("\n")
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
        return cls({term: i for i, term in enumerate(terms) if term}, **arrays, words=int(words))


_ARRAYS = ("starts", "documents", "counts", "norms", "ranks")


def _inverted(found: Array, counts: Array, sizes: Array, terms: int) -> tuple[Array, Array, Array]:
    """(starts, documents, counts) of postings in order of document, sorted by term.

    A counting sort, a chunk at a time, so that little more than the result is held.
    """
    import numpy as np

    starts = np.zeros(terms + 1, np.int64)
    np.cumsum(np.bincount(found, minlength=terms), out=starts[1:])
    documents, sorted_counts = np.empty(len(found), np.uint32), np.empty(len(found), np.uint16)
    holders = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    free = starts[:-1].copy()
    for first in range(0, len(found), _CHUNK):
        part = slice(first, first + _CHUNK)
        order = np.argsort(found[part], kind="stable")
        term = found[part][order]
        kinds, begins, many = np.unique(term, return_index=True, return_counts=True)
        place = np.arange(len(term)) - np.repeat(begins, many) + np.repeat(free[kinds], many)
        documents[place] = holders[part][order]
        sorted_counts[place] = counts[part][order]
        free[kinds] += many
    return starts, documents, sorted_counts


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
