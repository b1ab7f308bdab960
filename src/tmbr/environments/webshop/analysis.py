"""Lucene's English analyser: StandardTokenizer, possessives, lower case, stop words, Porter's stemmer.

The rules are those of Lucene 8 as Anserini 0.14 puts them together, with which WebShop's index is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .letters import Classes
from .porter import stem

_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there "
    "these they this to was will with"
)
#: Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET.
STOP_WORDS = frozenset(_STOP_WORDS.split())
#: A longer word is cut into pieces of this length, which is the tokenizer's buffer.
LONGEST = 255

# Unicode's word boundaries (UAX #29) over the classes of `letters`, with what Lucene's grammar makes of
# Hebrew and emoji. Marks belong to the character before them (WB4). What joins two characters is
# decided by the two alone, so greedy is longest; the possessive quantifiers keep it linear, and so does
# taking joiners without a letter, which are thrown away.
_X = "[xztvks]*+"
_JOINERS = f"(?:_{_X})"
_ONE = f"(?:H{_X}(?:'{_X}|\"{_X}H{_X})|[AHP]{_X}(?:[:.']{_X}[AHP]{_X})*|N{_X}(?:[,.']{_X}N{_X})*)"
_PART = f"(?:(?:K{_X})+|{_ONE}+)"
_WORD = f"{_PART}(?:{_JOINERS}+{_PART})*{_JOINERS}*"
_PICTURE = "(?:b[xzks]*m[xzks]*|m[xzks]*|[ebP][xzks]*v?)"
_MORE = "(?:(?<=z)|z+)" + _PICTURE
_TOKEN = re.compile(
    f"P[xzks]*v?(?:{_MORE})+|{_WORD}|{_PICTURE}(?:{_MORE})*|#[xzks]*v?k[xzks]*|F{_X}F{_X}|(?:[Ts]{_X})+|[CR]{_X}"
    f"|{_JOINERS}++(?:{_WORD})?"
)
_CLASSES = Classes()
_LETTERLESS = "_xztvks"


def words(text: str) -> Iterator[str]:
    """The words of a text, as StandardTokenizer cuts them; white space and punctuation are lost."""
    classes = text.translate(_CLASSES)
    last = 0
    for found in _TOKEN.finditer(classes):
        start, end = found.span()
        kind = classes[start]
        if kind == "_" and not classes[start:end].strip(_LETTERLESS):
            continue
        while kind in "ebP" and start > last and classes[start - 1] == "z":
            start -= 1  # a picture takes the joiners before it that belong to nothing
        last = end
        if end - start <= LONGEST:
            yield text[start:end]
        else:
            yield from _pieces(text, classes, start, end)


def analyse(text: str) -> list[str]:
    """The index terms of a text, in order."""
    return [term for word in words(text) if (term := _term(word))]


def _pieces(text: str, classes: str, start: int, end: int) -> Iterator[str]:
    while start < end:
        found = _TOKEN.match(classes, start, min(start + LONGEST, end))
        if found is None:
            start += 1
            continue
        yield text[start : found.end()]
        start = found.end()


@lru_cache(maxsize=1 << 18)
def _term(word: str) -> str:
    """The term of a word; empty for a stop word."""
    if word[-1] in "sS" and word[-2:-1] in ("'", "\u2019", "\uff07"):
        word = word[:-2]
    # Java lowers each character by itself and keeps its length.
    word = word.lower() if word.isascii() else "".join(c.lower()[:1] for c in word)
    return "" if word in STOP_WORDS else stem(word)
