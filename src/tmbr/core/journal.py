"""An append-only file of JSON lines, safe against a kill and a full disk.

The first line is a header with schema and version; every other line is one record.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

from tmbr.core.errors import DataError, no_file

VERSION = 1

T = TypeVar("T")


class Journal:
    """A journal open for appending, by one writer.

    read: gets every record that is there; raises ValueError for one that is none.

    On opening, a torn last line is moved to `PATH.torn` and `warning` says so. Raises DataError when
    another process writes the file, when it is no journal of this schema, or a line inside is broken.
    """

    def __init__(self, path: Path, schema: str, read: Callable[[bytes], object]) -> None:
        self.path = path
        self.warning: str | None = None
        self._synced = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            self._file = path.open("r+b", buffering=0)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from error
        try:
            self._lock()
            self._end = self._repair(schema, read)
        except BaseException:
            self._file.close()
            raise

    def append(self, line: bytes) -> None:
        """Write one record whole or not at all; raises DataError when the disk takes no more."""
        data = memoryview(line + b"\n")
        try:
            while data:
                data = data[self._file.write(data) :]
            if time.monotonic() - self._synced > 1:  # a kill loses nothing; a power cut one second
                self._sync()
        except OSError as error:
            self._file.truncate(self._end)
            self._file.seek(self._end)
            raise DataError(
                f"{self.path}: cannot write ({error.strerror}); all earlier records are kept, "
                "make room and give the same command again"
            ) from error
        self._end = self._file.tell()

    def close(self) -> None:
        """Flush to disk and release the file."""
        if not self._file.closed:
            self._sync()
            self._file.close()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"{self.path}: another process is writing this file; wait for it or choose another one"
            ) from None

    def _repair(self, schema: str, read: Callable[[bytes], object]) -> int:
        """Leave the file at a whole line's end, which is returned."""
        with self.path.open("rb") as file:
            end, torn = _scan(self.path, file, schema, read)
        if torn:
            side = self.path.with_name(self.path.name + ".torn")
            with side.open("ab") as file:
                file.write(torn + b"\n")
            self._file.truncate(end)
            self.warning = f"{self.path}: its last line was torn and has been moved to {side.name}"
        self._end = self._file.seek(end)
        if end == 0:
            self.append(_header(schema))
        elif os.pread(self._file.fileno(), 1, end - 1) != b"\n":
            self.append(b"")
        return self._end


def read_journal(path: Path, schema: str, decode: Callable[[bytes], T]) -> list[T]:
    """Every whole record of a journal; one still being written at the end is passed over.

    decode raises ValueError for a record that is none. Raises DataError.
    """
    return [record for _, _, record in each_record(path, schema, decode)]


def each_record(
    path: Path, schema: str, decode: Callable[[bytes], T], start: int = 0
) -> Iterator[tuple[int, int, T]]:
    """The records one at a time, each with the bytes [first, end) where it stands: as `read_journal`.

    start: where a record begins, to go on from there; 0 is the first.
    """
    try:
        with path.open("rb") as file:
            header = file.readline()
            if not header or _torn_header(header, schema):
                return
            _check_header(path, header, schema)
            size = os.fstat(file.fileno()).st_size
            at = file.seek(max(start, len(header)))
            for line in file:
                try:
                    record = decode(line)
                except ValueError as error:
                    if at + len(line) >= size:
                        return
                    raise DataError(
                        f"{path}:{_line_number(path, at)}: broken record ({error}); "
                        "mend or delete the line"
                    ) from error
                yield at, at + len(line), record
                at += len(line)
    except FileNotFoundError:
        raise DataError(no_file(path)) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _line_number(path: Path, at: int) -> int:
    """Of the line that begins at a byte."""
    with path.open("rb") as file:
        number = 1
        while at > 0 and (block := file.read(min(at, 1 << 20))):
            number += block.count(b"\n")
            at -= len(block)
        return number


def _scan(
    path: Path, file: IO[bytes], schema: str, read: Callable[[bytes], object]
) -> tuple[int, bytes]:
    """Read every whole line; return where the last one ends, and the torn bytes after it."""
    size = os.fstat(file.fileno()).st_size
    end = 0
    for number, line in enumerate(file, start=1):
        if number == 1 and _torn_header(line, schema):
            return 0, line
        try:
            _check_header(path, line, schema) if number == 1 else read(line)
        except ValueError as error:
            if end + len(line) >= size:
                return end, line
            raise DataError(
                f"{path}:{number}: broken record ({error}); mend or delete the line"
            ) from error
        end += len(line)
    return end, b""


def _header(schema: str) -> bytes:
    return json.dumps({"schema": schema, "version": VERSION}).encode()


def _torn_header(line: bytes, schema: str) -> bool:
    return not line.endswith(b"\n") and _header(schema).startswith(line) and line != _header(schema)


def _check_header(path: Path, line: bytes, schema: str) -> None:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("schema") != schema:
        raise DataError(f"{path}:1: not a file of {schema}: its first line must name this schema")
    if header.get("version") != VERSION:
        raise DataError(
            f"{path}:1: schema version {header.get('version')}, but this tmbr reads {VERSION}; "
            "use the tmbr that wrote it"
        )
