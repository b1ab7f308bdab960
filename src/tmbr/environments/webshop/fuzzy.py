"""How alike two texts are as sets of words: `token_set_ratio` of thefuzz 0.19, WebShop's measure.

That version measures with difflib, whose matching blocks are not the longest common subsequence of
RapidFuzz: `blue` and `bule` have 75 here. Whole percents; half is rounded to even.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_NO_WORD = re.compile(r"\W")
_LATIN_1 = dict.fromkeys(range(128, 256))


def token_set_ratio(one: str, other: str) -> int:
    """0 to 100; 100 when the words of one are among those of the other."""
    first, second = _cleaned(one), _cleaned(other)
    if not first or not second:
        return 0
    ours, theirs = set(first.split()), set(second.split())
    both = " ".join(sorted(ours & theirs))
    left = f"{both} {' '.join(sorted(ours - theirs))}".strip()
    right = f"{both} {' '.join(sorted(theirs - ours))}".strip()
    return max(_ratio(both, left), _ratio(both, right), _ratio(left, right))


def _cleaned(text: str) -> str:
    return _NO_WORD.sub(" ", text.translate(_LATIN_1)).lower().strip()


def _ratio(one: str, other: str) -> int:
    if one == other:
        return 100
    if not one or not other:
        return 0
    return round(100 * SequenceMatcher(None, one, other).ratio())
