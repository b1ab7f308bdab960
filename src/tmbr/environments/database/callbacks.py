"""What SQLite calls: functions, keys and conditions, each charged to the running statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .collation import collate
from .comparison import sort_key, truth
from .errors import SqlError
from .functions import FUNCTIONS
from .internals import INTERNAL
from .running import CALL, ROW, statement
from .values import Raw, decode, encode

#: Steps that a character's weight takes.
WEIGHING = 3


def size(raw: Iterable[Raw]) -> int:
    """Characters, or bytes, of the texts among some values."""
    total = 0
    for value in raw:
        if type(value) is str or type(value) is bytes:
            total += len(value)
    return total


def _charged(work: Callable[..., Raw]) -> Callable[..., Raw]:
    """Remember what a function refuses: SQLite tells only that one of them failed."""

    def call(*raw: Raw) -> Raw:
        try:
            statement.charge(CALL + size(raw))
            made = work(*raw)
            if type(made) is str or type(made) is bytes:
                statement.charge(0, len(made))
            return made
        except SqlError as error:
            statement.error = statement.error or error
            raise
        except (ValueError, OverflowError, ArithmeticError) as error:
            name = f"{raw[0]}: " if raw and type(raw[0]) is str else ""
            statement.error = SqlError(1690, "DOUBLE", f"{name}{error}"[:80])
            raise

    return call


@_charged
def function(name: str, *raw: Raw) -> Raw:
    """SQLite's `f` and `v`: any of MySQL's functions by name."""
    known = FUNCTIONS.get(name)
    if known is None:
        return encode(INTERNAL[name](*map(decode, raw)))
    if known.strict and None in raw:
        return None
    return encode(known.call(*map(decode, raw)))


@_charged
def key(raw: Raw) -> Raw:
    """SQLite's `k`."""
    if type(raw) is str or type(raw) is bytes:
        statement.charge(WEIGHING * len(raw))
    return sort_key(decode(raw))


@_charged
def condition(raw: Raw) -> Raw:
    """SQLite's `truth`."""
    return int(raw != 0) if type(raw) is int else truth(decode(raw))


@_charged
def held(*lengths: Raw) -> Raw:
    """Count a row that a join may have to hold, by the lengths of its texts; always true."""
    statement.charge(0, ROW + sum(length for length in lengths if isinstance(length, int)))
    return 1


def collated(left: str, right: str) -> int:
    """SQLite's collation `mysql`. It cannot fail: what it uses up stops the statement later."""
    statement.steps += CALL + WEIGHING * (len(left) + len(right))
    return collate(left, right)
