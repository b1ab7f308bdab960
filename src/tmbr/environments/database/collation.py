"""How MySQL orders and equates text: primary weights of the Unicode Collation Algorithm.

`utf8mb4_0900_ai_ci` ignores case and accents, and does not ignore trailing spaces. The weights are read
from `weights.txt`; a character that is not there gets the algorithm's implicit weight (UTS #10).
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from .running import statement


@cache
def _weights() -> dict[str, bytes]:
    """Character -> its primary weights, two bytes each."""
    table: dict[str, bytes] = {}
    path = Path(__file__).with_name("weights.txt")
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        weight, _, runs = line.partition(" ")
        key = bytes.fromhex(weight)
        for run in runs.split():
            first, _, last = run.partition("-")
            for point in range(int(first, 16), int(last or first, 16) + 1):
                table[chr(point)] = key
    table["\0"] = b""
    return table


def weight(char: str) -> bytes:
    """The primary weights of one character; equal for characters that compare equal."""
    known = _weights().get(char)
    if known is not None:
        return known
    point = ord(char)
    base = 0xFBC0
    if 0x4E00 <= point <= 0x9FFF or 0xF900 <= point <= 0xFAFF:
        base = 0xFB40
    elif 0x3400 <= point <= 0x4DBF or 0x20000 <= point <= 0x323AF:
        base = 0xFB80
    high, low = base + (point >> 15), (point & 0x7FFF) | 0x8000
    return high.to_bytes(2, "big") + low.to_bytes(2, "big")


@lru_cache(maxsize=20_000)
def _short_key(text: str) -> bytes:
    return b"".join(map(weight, text))


@cache
def _first_of() -> dict[bytes, str]:
    """Weight -> the one character that stands for all that have it."""
    return {}


def fold(text: str) -> str:
    """The text with one character for all that compare equal, so that its parts can be searched."""
    return "".join(_first_of().setdefault(weight(char), char) for char in text)


def key(text: str) -> bytes:
    """Texts are ordered as their keys are, and equal where these are."""
    return _short_key(text) if len(text) <= 200 else b"".join(map(weight, text))


def collate(left: str, right: str) -> int:
    """Negative, zero or positive: a collation function for SQLite."""
    a, b = key(left), key(right)
    return (a > b) - (a < b)


#: Steps that one character of a pattern takes where it is tried again.
_COMPARING = 8


def like(text: str, pattern: str, escape: str = "\\", exact: bool = False) -> bool:
    """MySQL's LIKE: `%` any run, `_` one character, the others by weight; linear in space, no regex."""
    units: list[bytes | None] = []  # None is `%`, the empty weight stands for `_`
    chars = iter(pattern)
    for char in chars:
        if char == escape and escape:
            units.append(_unit(next(chars, escape), exact))
        elif char == "%":
            if not units or units[-1] is not None:
                units.append(None)
        else:
            units.append(b"_" if char == "_" else _unit(char, exact))
    return _wild([_unit(char, exact) for char in text], units)


def _unit(char: str, exact: bool) -> bytes:
    """What a character is compared by; never equal to the mark of `_`."""
    return b"=" + (char.encode("utf-8", "surrogatepass") if exact else weight(char))


def _wild(text: list[bytes], pattern: list[bytes | None]) -> bool:
    """Greedy matching with one point to fall back to: enough, as `%` takes anything."""
    at = p = 0
    star, mark = -1, 0
    while at < len(text):
        if p < len(pattern) and pattern[p] is None:
            star, mark = p, at
            p += 1
        elif p < len(pattern) and pattern[p] in (b"_", text[at]):
            at, p = at + 1, p + 1
        elif star >= 0:
            statement.charge(_COMPARING * (p - star))
            mark += 1
            at, p = mark, star + 1
        else:
            return False
    return all(unit is None for unit in pattern[p:])
