"""Word_Break classes of characters, as Lucene's StandardTokenizer sees them (Unicode 9, emoji 11).

Characters that are newer are nothing to Lucene; here most of them are what `unicodedata` says.

A class is one letter, so that a text becomes a string of classes of equal length, on which a regular
expression finds the words. Most classes follow from what `unicodedata` knows of a character; what does
not is listed here, from Unicode's WordBreakProperty.txt and emoji-data.txt.
"""

from __future__ import annotations

import unicodedata

LETTER, HEBREW, DIGIT, KATAKANA, JOINER = "A", "H", "N", "K", "_"
MID_LETTER, MID_NUMBER, MID_BOTH, QUOTE, DOUBLE_QUOTE = ":", ",", ".", "'", '"'
EXTEND, ZWJ, AS_TEXT, AS_PICTURE, CAP = "x", "z", "t", "v", "k"
HAN, HIRAGANA, SOUTHEAST, VOWEL, FLAG, CAPPED = "C", "R", "T", "s", "F", "#"
EMOJI, BASE, MODIFIER, BOTH, NOTHING = "e", "b", "m", "P", " "

_LISTED = {
    MID_LETTER: ":\xb7\u0387\u02d7\u05f4\u2027\ufe13\ufe55\uff1a",
    MID_BOTH: ".\u2018\u2019\u2024\ufe52\uff07\uff0e",
    MID_NUMBER: ",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b",
    QUOTE: "'",
    DOUBLE_QUOTE: '"',
    CAPPED: "#*",
    DIGIT: "\u066b",
    LETTER: "\u05f3",
    BOTH: "\u2139\u24c2\U0001f170\U0001f171\U0001f17e\U0001f17f",
    JOINER: "\u202f",
    KATAKANA: "\u3031\u3032\u3033\u3034\u3035\u309b\u309c\u30a0\u30fc\uff70",
    HAN: "\u3007\u3021\u3022\u3023\u3024\u3025\u3026\u3027\u3028\u3029\u3038\u3039\u303a",
    EXTEND: "\u200c\uff9e\uff9f",
    ZWJ: "\u200d",
    AS_TEXT: "\ufe0e",
    AS_PICTURE: "\ufe0f",
    CAP: "\u20e3",
    NOTHING: "\u200b\u3006",
}
_OF_LISTED = {ord(c): kind for kind, characters in _LISTED.items() for c in characters}

#: How the names of characters begin that make a word each, or words of their own kind, or none.
_SCRIPTS = {
    "CJK UNIFIED": HAN,
    "CJK COMPATIBILITY": HAN,
    "CJK RADICAL": HAN,
    "KANGXI": HAN,
    "HIRAGANA": HIRAGANA,
    "HENTAIGANA": HIRAGANA,
    "KATAKANA": KATAKANA,
    "HALFWIDTH KATAKANA": KATAKANA,
    "CIRCLED KATAKANA": KATAKANA,
    "HEBREW": HEBREW,
    "THAI": SOUTHEAST,
    "LAO": SOUTHEAST,
    "KHMER SYMBOL": NOTHING,
    "KHMER": SOUTHEAST,
    "MYANMAR": SOUTHEAST,
    "TAI ": SOUTHEAST,
    "NEW TAI": SOUTHEAST,
    "AHOM": SOUTHEAST,
    "TANGUT": NOTHING,
    "NUSHU": NOTHING,
}
#: Symbols that count as letters (Other_Alphabetic): circled and squared Latin ones.
_LETTERLIKE = ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))
_RANGES = {
    KATAKANA: ((0x3300, 0x3357),),
    NOTHING: ((0x17000, 0x18AFF), (0x2CEB0, 0x2F7FF), (0x30000, 0x3FFFF)),
    FLAG: ((0x1F1E6, 0x1F1FF),),
    MODIFIER: ((0x1F3FB, 0x1F3FF),),
}
_CATEGORIES = {"Mn": EXTEND, "Mc": EXTEND, "Me": EXTEND, "Cf": EXTEND, "Nd": DIGIT, "Pc": JOINER}


def _ranges(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (part.partition("-") for part in text.split())
    return tuple((int(first, 16), int(last or first, 16)) for first, _, last in pairs)


#: Extended_Pictographic; every emoji that is no flag, keycap or modifier is one.
_PICTURES = _ranges(
    "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3 23F8-23FA 24C2 "
    "25AA-25AB 25B6 25C0 25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714 2716 271D "
    "2721 2728 2733-2734 2744 2747 274C 274E 2753-2755 2757 2763-2767 2795-2797 27A1 27B0 27BF "
    "2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F000-1F0FF 1F10D-1F10F 1F12F "
    "1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1AD-1F1E5 1F201-1F20F 1F21A 1F22F 1F232-1F23A "
    "1F23C-1F23F 1F249-1F3FA 1F400-1F53D 1F546-1F64F 1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF 1F80C-1F80F "
    "1F848-1F84F 1F85A-1F85F 1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A 1F93C-1F945 1F947-1FFFD"
)
#: Emoji_Modifier_Base: pictures of people and hands, which a skin tone may follow.
_BASES = _ranges(
    "261D 26F9 270A-270D 1F385 1F3C2-1F3C4 1F3C7 1F3CA-1F3CC 1F442-1F443 1F446-1F450 1F466-1F469 1F46E "
    "1F470-1F478 1F47C 1F481-1F483 1F485-1F487 1F4AA 1F574-1F575 1F57A 1F590 1F595-1F596 1F645-1F647 "
    "1F64B-1F64F 1F6A3 1F6B4-1F6B6 1F6C0 1F6CC 1F918-1F91C 1F91E-1F91F 1F926 1F930-1F939 1F93D-1F93E "
    "1F9B5-1F9B6 1F9B8-1F9B9 1F9D1-1F9DD"
)


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def word_break(code: int) -> str:
    """The class of a code point."""
    character = chr(code)
    category = unicodedata.category(character)
    if code in _OF_LISTED:
        return _OF_LISTED[code]
    for kind, ranges in _RANGES.items():
        if _within(code, ranges):
            return kind
    if category in _CATEGORIES:
        kind = _CATEGORIES[category]
        return VOWEL if kind == EXTEND and _script(character, kind) == SOUTHEAST else kind
    if category[0] == "L" or category == "Nl" or _within(code, _LETTERLIKE):
        return _script(character, LETTER)
    if _within(code, _PICTURES):
        return BASE if _within(code, _BASES) else EMOJI
    return _script(character, NOTHING) if category == "So" else NOTHING


def _script(character: str, otherwise: str) -> str:
    name = unicodedata.name(character, "")
    return next((kind for start, kind in _SCRIPTS.items() if name.startswith(start)), otherwise)


class Classes(dict[int, str]):
    """A table for `str.translate` that fills itself."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = word_break(code)
        return kind
