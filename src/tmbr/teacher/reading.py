"""From a source to its rows and pairs, one at a time; what is bad is told and passed over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from tmbr.core.errors import DataError
from tmbr.core.rows import Row
from tmbr.teacher.formats.base import BadRow, Item, Lost
from tmbr.teacher.formats.files import first_of, records, writing
from tmbr.teacher.formats.known import by_name, recognised, writable

#: Bad rows that are kept to be told.
TOLD = 3


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be used. line: its number in the file, from 1."""

    file: str
    line: int
    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.why}"


@dataclass(slots=True)
class Reading:
    """The items of one source, with their lines; iterate once.

    form: the name of its format, None to recognise it. on_bad: is told every bad row.
    good, bad: how many there were. first: the first bad ones. lost: what was left behind, by name.
    """

    source: str
    form: str | None = None
    on_bad: Callable[[Bad], None] = lambda _: None
    good: int = 0
    bad: int = 0
    first: list[Bad] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[tuple[int, Item]]:
        """Raises DataError when the source cannot be read, or its format is not known."""
        told = by_name(self.form) if self.form else None
        first, found = first_of(records(self.source))
        form = told or (recognised(first, self.source) if first is not None else None)
        empty = True
        for number, record in found:
            empty = False
            here = Lost()
            try:
                if isinstance(record, BadRow) or form is None:
                    raise (
                        record if isinstance(record, BadRow) else BadRow("row", "is of no known format")
                    )
                item = form.read(record, str(number), here)
            except BadRow as error:
                self.reject(number, error)
                continue
            self.lost += here.counts
            if item is not None:
                self.good += 1
                yield number, item
        if empty:
            raise DataError(f"{self.source}: holds no rows")

    def reject(self, line: int, error: BadRow) -> None:
        """Count a row as bad."""
        found = Bad(self.source, line, error.key, error.why)
        self.bad += 1
        self.first += [found] if len(self.first) < TOLD else []
        self.on_bad(found)


def only_rows(reading: Reading) -> Iterator[Row]:
    """The rows of a source; a pair is a bad row here."""
    for line, item in reading:
        if isinstance(item, Row):
            yield item
        else:
            reading.good -= 1
            reading.reject(line, BadRow("row", "is a preference pair"))


def bad_path(path: Path) -> Path:
    """The side file in which the bad rows of a file are named."""
    return path.with_name(f"{path.stem}.bad.jsonl")


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a source. written: rows of the new file; lost: what it does not hold, by name."""

    written: int
    bad: int
    first: tuple[Bad, ...]
    lost: Counter[str]


def convert(
    source: str,
    out: Path,
    to: str,
    form: str | None = None,
    lossy: bool = False,
    on_item: Callable[[Item], None] = lambda _: None,
) -> Converted:
    """Write a source anew in the format `to`, whole or not at all, in bounded memory.

    A row that is bad, or that the format cannot hold, goes to the side file. lossy: what of a row the
    format cannot hold is left out and counted instead, where a row is left at all. on_item: is told
    every item that was written. When no row is good, nothing but the side file is written. Raises
    ConfigError and DataError.
    """
    target = writable(to)
    with Side(bad_path(out)) as side:
        reading = Reading(source, form, side.add)
        try:
            with writing(out, target) as write:
                for line, item in reading:
                    lost = Lost(strict=not lossy)
                    try:
                        write(target.write(item, lost), lost)
                    except BadRow as error:
                        reading.good -= 1
                        reading.reject(line, error)
                        continue
                    reading.lost += lost.counts
                    on_item(item)
                if reading.good == 0:
                    raise _NothingGood
        except _NothingGood:
            pass
    return Converted(reading.good, reading.bad, tuple(reading.first), reading.lost)


class _NothingGood(Exception):
    """Ends the writing of a file that would be empty."""


class Side:
    """The side file of bad rows, `{"file", "line", "key", "why"}` each; absent when there are none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Side:
        self.path.unlink(missing_ok=True)
        return self

    def add(self, bad: Bad) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", errors="replace")
        self._file.write(json.dumps(asdict(bad), ensure_ascii=False) + "\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
