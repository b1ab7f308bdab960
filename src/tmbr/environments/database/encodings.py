"""MySQL's functions on text as bytes: codes, digits, hashes."""

from __future__ import annotations

import base64
import hashlib
import math
from decimal import Decimal

from .values import Value, as_int, as_text


def _raw(value: Value) -> bytes:
    return value if isinstance(value, bytes) else as_text(value).encode("utf-8", "replace")


def ascii_code(value: Value) -> Value:
    raw = _raw(value)
    return raw[0] if raw else 0


def ordinal(value: Value) -> Value:
    return int.from_bytes(as_text(value)[:1].encode("utf-8", "replace"), "big")


def char(*codes: Value) -> Value:
    """Bytes, whatever they are."""
    return b"".join(_char_bytes(as_int(code)) for code in codes if code is not None)


def _char_bytes(code: int) -> bytes:
    low = code & 0xFFFFFFFF
    return low.to_bytes(max(1, (low.bit_length() + 7) // 8), "big")


def hexed(value: Value) -> Value:
    if isinstance(value, int | float | Decimal):
        whole = math.floor(value + 0.5) if isinstance(value, float) else as_int(value)
        return f"{whole & (2**64 - 1):X}"
    raw = _raw(value)
    return raw.hex().upper()


def unhex(value: Value) -> Value:
    digits = as_text(value)
    try:
        return bytes.fromhex(f"0{digits}" if len(digits) % 2 else digits)
    except ValueError:
        return None


def _hash(value: Value, name: str) -> str:
    raw = _raw(value)
    return hashlib.new(name, raw, usedforsecurity=False).hexdigest()


def md5(value: Value) -> Value:
    return _hash(value, "md5")


def sha1(value: Value) -> Value:
    return _hash(value, "sha1")


def sha2(value: Value, size: Value) -> Value:
    known = {0: "sha256", 224: "sha224", 256: "sha256", 384: "sha384", 512: "sha512"}
    name = known.get(as_int(size))
    return _hash(value, name) if name else None


def convert_base(value: Value, old: Value, new: Value) -> Value:
    source, target = abs(as_int(old)), abs(as_int(new))
    signed = as_int(new) < 0
    if not as_text(value) or not (2 <= source <= 36 and 2 <= target <= 36):
        return None
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    said, sign, whole = as_text(value).strip().upper(), 1, 0
    if said[:1] in ("-", "+"):
        sign, said = (-1 if said[0] == "-" else 1), said[1:]
    for c in said:
        if c not in digits[:source]:
            break
        whole = min(whole * source + digits.index(c), 2**64 - 1)
    whole *= sign
    minus = "-" if signed and whole < 0 else ""
    whole = abs(whole) if signed else whole & (2**64 - 1)
    made = ""
    while whole:
        whole, rest = divmod(whole, target)
        made = digits[rest] + made
    return minus + (made or "0")


def cast_binary(value: Value, size: Value = None) -> Value:
    raw = _raw(value)
    return raw if size is None else raw[: as_int(size)].ljust(as_int(size), b"\0")


def to_base64(value: Value) -> Value:
    """A line has 76 characters."""
    made = base64.b64encode(_raw(value)).decode()
    return "\n".join(made[at : at + 76] for at in range(0, len(made), 76))


def from_base64(value: Value) -> Value:
    try:
        return base64.b64decode("".join(as_text(value).split()), validate=True)
    except ValueError:
        return None


def make_set(bits: Value, *options: Value) -> Value:
    chosen = as_int(bits)
    return ",".join(
        as_text(one) for at, one in enumerate(options) if chosen >> at & 1 and one is not None
    )


def address_number(value: Value) -> Value:
    """INET_ATON"""
    parts = as_text(value).split(".")
    if len(parts) != 4 or not all(part.isdecimal() and int(part) < 256 for part in parts):
        return None
    return int.from_bytes(bytes(map(int, parts)), "big")


def address(value: Value) -> Value:
    """INET_NTOA"""
    number = as_int(value)
    return ".".join(map(str, number.to_bytes(4, "big"))) if 0 <= number < 2**32 else None
