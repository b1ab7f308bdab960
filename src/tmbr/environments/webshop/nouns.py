"""The nouns of a product's title, by fixed rules.

WebShop's score asks spaCy's tagger which words of a title are nouns or names. Its verdict changes with
the version of its model, which is a download of its own; so the tagger here is a rule, and a score
says which one (`TAGGER`). In titles, spaCy takes most capitalised words for names. The rule is in that
spirit: a word is a noun unless it is a function word, a number or a measure, or commonly describes or
does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

#: Names the rule in scores; raise its number when words or rules change.
TAGGER = "rules-1"
_WORD = re.compile(r"[^\W_]+(?:['’](?!s\b)[^\W_]+)?")
_OTHERS = frozenset((Path(__file__).parent / "other_words.txt").read_text(encoding="utf-8").split())


@lru_cache(maxsize=1 << 14)
def nouns(title: str) -> tuple[str, ...]:
    """The nouns of a title, in order and in lower case."""
    words = (word.lower() for word in _WORD.findall(title))
    return tuple(word for word in words if _may_be_noun(word))


def _may_be_noun(word: str) -> bool:
    return len(word) > 1 and not word[0].isdigit() and not word.endswith("ly") and word not in _OTHERS
