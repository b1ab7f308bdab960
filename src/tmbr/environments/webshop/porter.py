"""Porter's stemmer of 1980 (Program 14, 130-137), with the two departures that Lucene keeps.

The departures are the author's own: step 2 takes `bli` to `ble` (not `abli` to `able`) and `logi` to
`log`. Every character but a, e, i, o, u and a y after a consonant is a consonant, digits and foreign
letters included; that is what Lucene does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

_STEP_2: Mapping[str, tuple[tuple[str, str], ...]] = {
    "a": (("ational", "ate"), ("tional", "tion")),
    "c": (("enci", "ence"), ("anci", "ance")),
    "e": (("izer", "ize"),),
    "l": (("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous")),
    "o": (("ization", "ize"), ("ation", "ate"), ("ator", "ate")),
    "s": (("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous")),
    "t": (("aliti", "al"), ("iviti", "ive"), ("biliti", "ble")),
    "g": (("logi", "log"),),
}
_STEP_3: Mapping[str, tuple[tuple[str, str], ...]] = {
    "e": (("icate", "ic"), ("ative", ""), ("alize", "al")),
    "i": (("iciti", "ic"),),
    "l": (("ical", "ic"), ("ful", "")),
    "s": (("ness", ""),),
}
#: By the last letter but one, as the algorithm has it; `ion` goes only after s or t.
_STEP_4: Mapping[str, tuple[str, ...]] = {
    "a": ("al",),
    "c": ("ance", "ence"),
    "e": ("er",),
    "i": ("ic",),
    "l": ("able", "ible"),
    "n": ("ant", "ement", "ment", "ent"),
    "o": ("ion", "ou"),
    "s": ("ism",),
    "t": ("ate", "iti"),
    "u": ("ous",),
    "v": ("ive",),
    "z": ("ize",),
}


@lru_cache(maxsize=1 << 18)
def stem(word: str) -> str:
    """The stem of a word in lower case; words of one or two characters stay as they are."""
    if len(word) <= 2:
        return word
    word = _step_1c(_step_1ab(word))
    word = _replaced(word, _STEP_2.get(word[-2:-1], ()))
    word = _replaced(word, _STEP_3.get(word[-1], ()))
    return _step_5(_step_4(word))


def _kinds(word: str) -> str:
    """`v` for each vowel, `c` for each consonant."""
    kinds = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and kinds[-1:] == "c")
        kinds += "v" if vowel else "c"
    return kinds


def _measure(word: str) -> int:
    """How often a vowel is followed by a consonant: m in [C](VC)^m[V]."""
    return _kinds(word).count("vc")


def _doubled(word: str) -> bool:
    return len(word) >= 2 and word[-1] == word[-2] and _kinds(word)[-1] == "c"


def _short(word: str) -> bool:
    """Whether it ends consonant, vowel, consonant, and the last is not w, x or y."""
    return _kinds(word)[-3:] == "cvc" and word[-1] not in "wxy"


def _step_1ab(word: str) -> str:
    if word.endswith("s"):
        if word.endswith(("sses", "ies")):
            word = word[:-2]
        elif word[-2] != "s":
            word = word[:-1]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        stem_ = word[: -len(ending)]
        if word.endswith(ending) and "v" in _kinds(stem_):
            return _mended(stem_)
    return word


def _mended(word: str) -> str:
    """What is left when `ed` or `ing` has gone."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _doubled(word):
        return word if word[-1] in "lsz" else word[:-1]
    return word + "e" if _measure(word) == 1 and _short(word) else word


def _step_1c(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and "v" in _kinds(word[:-1]) else word


def _replaced(word: str, rules: tuple[tuple[str, str], ...]) -> str:
    """The first ending that fits is replaced where the measure before it is positive."""
    for ending, instead in rules:
        if word.endswith(ending):
            before = word[: len(word) - len(ending)]
            return before + instead if _measure(before) > 0 else word
    return word


def _step_4(word: str) -> str:
    for ending in _STEP_4.get(word[-2:-1], ()):
        before = word[: len(word) - len(ending)]
        if word.endswith(ending) and (ending != "ion" or before.endswith(("s", "t"))):
            return before if _measure(before) > 1 else word
    return word


def _step_5(word: str) -> str:
    if word.endswith("e"):
        before = word[:-1]
        measure = _measure(before)
        if measure > 1 or (measure == 1 and not _short(before)):
            word = before
    if word.endswith("l") and _doubled(word) and _measure(word[:-1]) > 1:
        word = word[:-1]
    return word
