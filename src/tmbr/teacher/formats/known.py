"""All formats, and which of them a file has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tmbr.core.errors import ConfigError, DataError, nearest
from tmbr.teacher.formats.base import Format, Readable
from tmbr.teacher.formats.episodes import Episodes
from tmbr.teacher.formats.messages import Messages, Pairs
from tmbr.teacher.formats.plain import Alpaca, PromptResponse, Text
from tmbr.teacher.formats.sharegpt import ShareGpt
from tmbr.teacher.formats.trl import Trl, TrlPreference, TrlPrompt

#: The first that fits is the one; `trl` is read as `messages` is.
FORMATS: tuple[Readable, ...] = (
    Episodes(),
    Pairs(),
    Messages(),
    Trl(),
    TrlPreference(),
    TrlPrompt(),
    ShareGpt(),
    Alpaca(),
    PromptResponse(),
    Text(),
)


def by_name(name: str) -> Readable:
    """Raises ConfigError with the nearest right name."""
    for form in FORMATS:
        if form.name == name:
            return form
    raise ConfigError(f"no format {name!r}; {nearest(name, [form.name for form in FORMATS])}")


def writable(name: str) -> Format:
    """A format that can be written. Raises ConfigError."""
    form = by_name(name)
    if not isinstance(form, Format):
        raise ConfigError(f"{name} are only read; choose another --to, as messages")
    return form


def recognised(record: Mapping[str, Any], file: str) -> Readable:
    """The format of a file's first record. Raises DataError that says what was found."""
    for form in FORMATS:
        if form.fits(record):
            return form
    keys = ", ".join(map(str, record)) or "none"
    names = ", ".join(form.name for form in FORMATS)
    raise DataError(f"{file}: the keys of its first row ({keys}) are of no known format ({names})")
