"""How values and calls are written in SQLite's SQL."""

from __future__ import annotations


def quote(text: str) -> str:
    """A text literal; one with a NUL character is written by its bytes."""
    if "\0" in text:
        return f"CAST(x'{text.encode('utf-8', 'replace').hex()}' AS TEXT)"
    return "'" + text.replace("'", "''") + "'"


def blob(raw: bytes) -> str:
    return f"x'{raw.hex()}'"


def call(name: str, *arguments: str) -> str:
    """A call of the one function `f` that knows all of MySQL's."""
    return f"f({','.join((quote(name), *arguments))})"


def volatile(name: str, *arguments: str) -> str:
    """A call that may answer something else each time, so that SQLite makes it for every row."""
    return f"v({','.join((quote(name), *arguments))})"
