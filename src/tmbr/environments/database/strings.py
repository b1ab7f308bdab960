"""MySQL's functions on text. Positions count from 1; NULL in, NULL out unless said otherwise."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from . import collation
from .errors import SqlError
from .numbers import rounded
from .operators import bounded, compiled, regexp
from .values import MAX_PACKET, Exact, Value, compare, decimal, integer, number, text


def _text(value: Value) -> str:
    return text(value) or ""


def _int(value: Value) -> int:
    return integer(value) or 0


def _like_in(given: Value, made: str) -> str:
    """Text made from another keeps its collation."""
    return Exact(made) if isinstance(given, Exact) else made


def _sized(made: int) -> bool:
    """Whether a result of so many characters fits into a packet."""
    return made <= MAX_PACKET


def concat(*parts: Value) -> Value:
    if any(part is None for part in parts):
        return None
    shown = [_text(part) for part in parts]
    return "".join(shown) if _sized(sum(map(len, shown))) else None


def concat_ws(separator: Value, *parts: Value) -> Value:
    """NULL parts are left out; only a NULL separator gives NULL."""
    if separator is None:
        return None
    shown = [_text(part) for part in parts if part is not None]
    return _text(separator).join(shown) if _sized(sum(map(len, shown))) else None


def substring(value: Value, start: Value, length: Value = 2**31) -> Value:
    said, at, count = _text(value), _int(start), _int(length)
    if at == 0 or count <= 0 or abs(at) > len(said):
        return _like_in(value, "")
    first = at - 1 if at > 0 else len(said) + at
    return _like_in(value, said[first : first + count])


def left(value: Value, count: Value) -> Value:
    return _like_in(value, _text(value)[: max(0, _int(count))])


def right(value: Value, count: Value) -> Value:
    said, wanted = _text(value), max(0, _int(count))
    return _like_in(value, said[max(0, len(said) - wanted) :])


def length(value: Value) -> Value:
    return len(value) if isinstance(value, bytes) else len(_text(value).encode("utf-8", "replace"))


def char_length(value: Value) -> Value:
    return len(value) if isinstance(value, bytes) else len(_text(value))


def upper(value: Value) -> Value:
    return _like_in(value, "".join(c.upper() if len(c.upper()) == 1 else c for c in _text(value)))


def lower(value: Value) -> Value:
    return _like_in(value, "".join(c.lower() if len(c.lower()) == 1 else c for c in _text(value)))


def trim(value: Value, what: Value = " ", side: Value = "BOTH") -> Value:
    said, cut = _text(value), _text(what)
    if cut and side != "TRAILING":
        while said.startswith(cut):
            said = said[len(cut) :]
    if cut and side != "LEADING":
        while said.endswith(cut):
            said = said[: -len(cut)]
    return _like_in(value, said)


def ltrim(value: Value) -> Value:
    return _like_in(value, _text(value).lstrip(" "))


def rtrim(value: Value) -> Value:
    return _like_in(value, _text(value).rstrip(" "))


def replace(value: Value, old: Value, new: Value) -> Value:
    """Case counts here, whatever the collation."""
    said, wanted, other = _text(value), _text(old), _text(new)
    if not wanted:
        return said
    made = len(said) + said.count(wanted) * (len(other) - len(wanted))
    return _like_in(value, said.replace(wanted, other)) if _sized(made) else None


def reverse(value: Value) -> Value:
    return _like_in(value, _text(value)[::-1])


def locate(wanted: Value, value: Value, start: Value = 1) -> Value:
    """By the collation; 0 where it is not found."""
    said, part, at = _text(value), _text(wanted), _int(start)
    if at < 1 or at > len(said) + 1:
        return 0
    if isinstance(wanted, Exact | bytes) or isinstance(value, Exact | bytes):
        return said.find(part, at - 1) + 1
    if not part:
        return at
    units = [collation.weight(c) for c in said]
    keys = [collation.weight(c) for c in part]
    for first in range(at - 1, len(units) - len(keys) + 1):
        if units[first : first + len(keys)] == keys:
            return first + 1
    return 0


def instr(value: Value, wanted: Value) -> Value:
    return locate(wanted, value)


def _pad(value: Value, size: Value, fill: Value, front: bool) -> Value:
    said, wanted, unit = _text(value), _int(size), _text(fill)
    if wanted < 0 or not _sized(wanted):
        return None
    if len(said) >= wanted:
        return said[:wanted]
    if not unit:
        return "" if wanted > len(said) else said
    gap = (unit * (wanted // len(unit) + 1))[: wanted - len(said)]
    return gap + said if front else said + gap


def lpad(value: Value, size: Value, fill: Value = " ") -> Value:
    return _pad(value, size, fill, front=True)


def rpad(value: Value, size: Value, fill: Value = " ") -> Value:
    return _pad(value, size, fill, front=False)


def repeat(value: Value, times: Value) -> Value:
    said, count = _text(value), max(0, _int(times))
    return said * count if _sized(len(said) * count) else None


def space(times: Value) -> Value:
    return repeat(" ", times)


def substring_index(value: Value, delimiter: Value, count: Value) -> Value:
    """Case counts here, whatever the collation."""
    said, cut, wanted = _text(value), _text(delimiter), _int(count)
    if not cut or wanted == 0:
        return ""
    parts = said.split(cut)
    if wanted > 0:
        return _like_in(value, cut.join(parts[:wanted]))
    if abs(wanted) >= len(parts):
        return _like_in(value, said)
    return _like_in(value, cut.join(parts[wanted:]))


def field(value: Value, *options: Value) -> Value:
    orders = [compare(value, option) for option in options]
    return orders.index(0) + 1 if 0 in orders else 0


def find_in_set(value: Value, options: Value) -> Value:
    said, listed = _text(value), _text(options)
    wanted = collation.key(said)
    found = [i for i, one in enumerate(listed.split(",")) if collation.key(one) == wanted]
    return found[0] + 1 if found and listed and "," not in said else 0


def elt(index: Value, *options: Value) -> Value:
    at = integer(index)
    return text(options[at - 1]) if at is not None and 1 <= at <= len(options) else None


def insert(value: Value, start: Value, count: Value, new: Value) -> Value:
    said, at, size = _text(value), _int(start), _int(count)
    if not 1 <= at <= len(said):
        return said
    size = len(said) if size < 0 else size
    return said[: at - 1] + _text(new) + said[at - 1 + size :]


def ascii_code(value: Value) -> Value:
    raw = _text(value).encode("utf-8", "replace")
    return raw[0] if raw else 0


def ordinal(value: Value) -> Value:
    return int.from_bytes(_text(value)[:1].encode("utf-8", "replace"), "big")


def char(*codes: Value) -> Value:
    raw = b"".join(_char_bytes(_int(code)) for code in codes if code is not None)
    return raw.decode("latin-1") if max(raw, default=0) < 128 else raw


def _char_bytes(code: int) -> bytes:
    low = code & 0xFFFFFFFF
    return low.to_bytes(max(1, (low.bit_length() + 7) // 8), "big")


def hexed(value: Value) -> Value:
    if isinstance(value, int | float | Decimal):
        return f"{_int(value) & (2**64 - 1):X}"
    raw = value if isinstance(value, bytes) else _text(value).encode("utf-8", "replace")
    return raw.hex().upper()


def unhex(value: Value) -> Value:
    digits = _text(value)
    try:
        return bytes.fromhex(f"0{digits}" if len(digits) % 2 else digits)
    except ValueError:
        return None


def _hash(value: Value, name: str) -> str:
    raw = value if isinstance(value, bytes) else _text(value).encode("utf-8", "replace")
    return hashlib.new(name, raw, usedforsecurity=False).hexdigest()


def md5(value: Value) -> Value:
    return _hash(value, "md5")


def sha1(value: Value) -> Value:
    return _hash(value, "sha1")


def sha2(value: Value, size: Value) -> Value:
    known = {0: "sha256", 224: "sha224", 256: "sha256", 384: "sha384", 512: "sha512"}
    name = known.get(_int(size))
    return _hash(value, name) if name else None


def formatted(value: Value, digits: Value, _: Value = "en_US") -> Value:
    places = min(max(0, _int(digits)), 30)
    exact = decimal(rounded(number(value), places), places)
    return None if exact is None else f"{exact:,f}"


def strcmp(one: Value, two: Value) -> Value:
    return compare(_text(one), _text(two))


def quote(value: Value) -> Value:
    if value is None:
        return "NULL"
    marks = {"\\": "\\\\", "'": "\\'", "\0": "\\0", "\x1a": "\\Z"}
    return "'" + "".join(marks.get(c, c) for c in _text(value)) + "'"


def soundex(value: Value) -> Value:
    codes = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "01230120022455012623010202", strict=True))
    letters = [c for c in _text(value).upper() if c.isalpha()]
    if not letters:
        return ""
    made, last = letters[0], codes.get(letters[0], "0")
    for letter in letters[1:]:
        code = codes.get(letter, "0")
        if code not in ("0", last):
            made += code
        if letter not in "HW":
            last = code
    return made.ljust(4, "0")


def regexp_replace(value: Value, pattern: Value, new: Value, *rest: Value) -> Value:
    start, which = rest[0] if rest else 1, rest[1] if len(rest) > 1 else 0
    flags = _text(rest[2]) if len(rest) > 2 else ""
    said, skip, found = _text(value), max(0, _int(start) - 1), compiled(_text(pattern), flags)
    into, head, tail = _text(new).replace("$", "\\"), said[:skip], said[skip:]
    if not which:
        return head + str(bounded(found.sub, into, tail))
    for seen, match in enumerate(bounded(found.finditer, tail), 1):
        if seen == _int(which):
            return head + tail[: match.start()] + str(match.expand(into)) + tail[match.end() :]
    return said


def _nth(value: Value, pattern: Value, rest: tuple[Value, ...], flags_at: int) -> tuple[Any, int]:
    """The wanted occurrence of a pattern, and how many characters were skipped before the search."""
    flags = _text(rest[flags_at]) if len(rest) > flags_at else ""
    skip = max(0, _int(rest[0]) - 1) if rest else 0
    which = _int(rest[1]) if len(rest) > 1 else 1
    found = compiled(_text(pattern), flags)
    matches = bounded(found.finditer, _text(value)[skip:])
    return next((m for seen, m in enumerate(matches, 1) if seen == max(1, which)), None), skip


def regexp_substr(value: Value, pattern: Value, *rest: Value) -> Value:
    match, _ = _nth(value, pattern, rest, 2)
    return match[0] if match else None


def regexp_instr(value: Value, pattern: Value, *rest: Value) -> Value:
    match, skip = _nth(value, pattern, rest, 3)
    if not match:
        return 0
    end = len(rest) > 2 and _int(rest[2]) == 1
    return int((match.end() if end else match.start()) + skip + 1)


def regexp_like(value: Value, pattern: Value, flags: Value = "") -> Value:
    return regexp(value, pattern, flags)


def convert_base(value: Value, old: Value, new: Value) -> Value:
    source, target = abs(_int(old)), abs(_int(new))
    if not (2 <= source <= 36 and 2 <= target <= 36):
        return None
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    said, sign, whole = _text(value).strip().upper(), 1, 0
    if said[:1] in ("-", "+"):
        sign, said = (-1 if said[0] == "-" else 1), said[1:]
    for c in said:
        if c not in digits[:source]:
            break
        whole = min(whole * source + digits.index(c), 2**64 - 1)
    whole = (sign * whole) & (2**64 - 1)
    made = ""
    while whole:
        whole, rest = divmod(whole, target)
        made = digits[rest] + made
    return made or "0"


def cast_char(value: Value, size: Value = None) -> Value:
    said = _text(value)
    return said if size is None else said[: _int(size)]


def cast_binary(value: Value, size: Value = None) -> Value:
    raw = value if isinstance(value, bytes) else _text(value).encode("utf-8", "replace")
    return raw if size is None else raw[: _int(size)].ljust(_int(size), b"\0")


def to_exact(value: Value) -> Value:
    """`BINARY x` and `x COLLATE utf8mb4_bin`: the same text, compared by its bytes."""
    return Exact(_text(value))


def to_plain(value: Value) -> Value:
    return str(_text(value))


def no_file(*_: Value) -> Value:
    """LOAD_FILE without the FILE privilege."""
    return None


def no_function(name: str) -> SqlError:
    return SqlError(1305, "FUNCTION", name)
