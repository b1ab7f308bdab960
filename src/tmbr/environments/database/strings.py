"""MySQL's functions on text. Positions count from 1; NULL in, NULL out unless said otherwise."""

from __future__ import annotations

from . import collation
from .comparison import compare
from .numbers import rounded
from .running import statement
from .values import MAX_PACKET, Exact, Value, as_int, as_text, decimal, integer, number, text


def _like_in(given: Value, made: str) -> str:
    """Text made from another keeps its collation."""
    return Exact(made) if isinstance(given, Exact) else made


def _sized(made: int) -> bool:
    """Whether a result of so many characters fits into a packet."""
    return made <= MAX_PACKET


def concat(*parts: Value) -> Value:
    if any(part is None for part in parts):
        return None
    shown = [as_text(part) for part in parts]
    return "".join(shown) if _sized(sum(map(len, shown))) else None


def concat_ws(separator: Value, *parts: Value) -> Value:
    """NULL parts are left out; only a NULL separator gives NULL."""
    if separator is None:
        return None
    shown = [as_text(part) for part in parts if part is not None]
    return as_text(separator).join(shown) if _sized(sum(map(len, shown))) else None


def substring(value: Value, start: Value, length: Value = 2**31) -> Value:
    said, at, count = as_text(value), as_int(start), as_int(length)
    if at == 0 or count <= 0 or abs(at) > len(said):
        return _like_in(value, "")
    first = at - 1 if at > 0 else len(said) + at
    return _like_in(value, said[first : first + count])


def left(value: Value, count: Value) -> Value:
    return _like_in(value, as_text(value)[: max(0, as_int(count))])


def right(value: Value, count: Value) -> Value:
    said, wanted = as_text(value), max(0, as_int(count))
    return _like_in(value, said[max(0, len(said) - wanted) :])


def length(value: Value) -> Value:
    return len(value) if isinstance(value, bytes) else len(as_text(value).encode("utf-8", "replace"))


def char_length(value: Value) -> Value:
    return len(value) if isinstance(value, bytes) else len(as_text(value))


def upper(value: Value) -> Value:
    return _like_in(value, "".join(c.upper() if len(c.upper()) == 1 else c for c in as_text(value)))


def lower(value: Value) -> Value:
    return _like_in(value, "".join(c.lower() if len(c.lower()) == 1 else c for c in as_text(value)))


def trim(value: Value, what: Value = " ", side: Value = "BOTH") -> Value:
    said, cut = as_text(value), as_text(what)
    start, end = 0, len(said)
    if len(cut) == 1:
        said = said.lstrip(cut) if side != "TRAILING" else said
        return _like_in(value, said.rstrip(cut) if side != "LEADING" else said)
    if cut and side != "TRAILING":
        while said.startswith(cut, start, end):
            start += len(cut)
    if cut and side != "LEADING":
        while said.endswith(cut, start, end):
            end -= len(cut)
    return _like_in(value, said[start:end])


def ltrim(value: Value) -> Value:
    return _like_in(value, as_text(value).lstrip(" "))


def rtrim(value: Value) -> Value:
    return _like_in(value, as_text(value).rstrip(" "))


def replace(value: Value, old: Value, new: Value) -> Value:
    """Case counts here, whatever the collation."""
    said, wanted, other = as_text(value), as_text(old), as_text(new)
    if not wanted:
        return said
    made = len(said) + said.count(wanted) * (len(other) - len(wanted))
    return _like_in(value, said.replace(wanted, other)) if _sized(made) else None


def reverse(value: Value) -> Value:
    return _like_in(value, as_text(value)[::-1])


def locate(wanted: Value, value: Value, start: Value = 1) -> Value:
    """By the collation; 0 where it is not found."""
    said, part, at = as_text(value), as_text(wanted), as_int(start)
    if at < 1 or at > len(said) + 1:
        return 0
    if isinstance(wanted, Exact | bytes) or isinstance(value, Exact | bytes):
        return said.find(part, at - 1) + 1
    if not part:
        return at
    if said.isascii() and part.isascii():
        return collation.fold(said).find(collation.fold(part), at - 1) + 1
    return _located(said, part, at)


def _located(said: str, part: str, at: int) -> int:
    """MySQL compares with what is as many bytes long as the wanted text: `o` is not found in `ó`."""
    sizes = [len(char.encode("utf-8", "replace")) for char in said]
    size, wanted = len(part.encode("utf-8", "replace")), collation.key(part)
    first = last = at - 1
    held = 0
    while first < len(said):
        while held < size and last < len(said):
            held += sizes[last]
            last += 1
        if held == size and collation.key(said[first:last]) == wanted:
            return first + 1
        statement.charge(last - first)
        held -= sizes[first]
        first += 1
    return 0


def instr(value: Value, wanted: Value) -> Value:
    return locate(wanted, value)


def _pad(value: Value, size: Value, fill: Value, front: bool) -> Value:
    said, wanted, unit = as_text(value), as_int(size), as_text(fill)
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
    said, count = as_text(value), max(0, as_int(times))
    return said * count if _sized(len(said) * count) else None


def space(times: Value) -> Value:
    return repeat(" ", times)


def substring_index(value: Value, delimiter: Value, count: Value) -> Value:
    """Case counts here, whatever the collation."""
    said, cut, wanted = as_text(value), as_text(delimiter), as_int(count)
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
    said, listed = as_text(value), as_text(options)
    wanted = collation.key(said)
    found = [i for i, one in enumerate(listed.split(",")) if collation.key(one) == wanted]
    return found[0] + 1 if found and listed and "," not in said else 0


def elt(index: Value, *options: Value) -> Value:
    at = integer(index)
    return text(options[at - 1]) if at is not None and 1 <= at <= len(options) else None


def insert(value: Value, start: Value, count: Value, new: Value) -> Value:
    said, at, size = as_text(value), as_int(start), as_int(count)
    if not 1 <= at <= len(said):
        return said
    size = len(said) if size < 0 else size
    return said[: at - 1] + as_text(new) + said[at - 1 + size :]


def formatted(value: Value, digits: Value, _: Value = "en_US") -> Value:
    places = min(max(0, as_int(digits)), 30)
    exact = decimal(rounded(number(value), places), places)
    return None if exact is None else f"{exact:,f}"


def strcmp(one: Value, two: Value) -> Value:
    return compare(as_text(one), as_text(two))


def quote(value: Value) -> Value:
    if value is None:
        return "NULL"
    marks = {"\\": "\\\\", "'": "\\'", "\0": "\\0", "\x1a": "\\Z"}
    return "'" + "".join(marks.get(c, c) for c in as_text(value)) + "'"


def soundex(value: Value) -> Value:
    codes = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "01230120022455012623010202", strict=True))
    letters = [c for c in as_text(value).upper() if c.isalpha()]
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


def cast_char(value: Value, size: Value = None) -> Value:
    said = as_text(value)
    return said if size is None else said[: as_int(size)]


def to_exact(value: Value) -> Value:
    """`BINARY x` and `x COLLATE utf8mb4_bin`: the same text, compared by its bytes."""
    return Exact(as_text(value))


def to_plain(value: Value) -> Value:
    return str(as_text(value))


def no_file(*_: Value) -> Value:
    """LOAD_FILE without the FILE privilege."""
    return None
