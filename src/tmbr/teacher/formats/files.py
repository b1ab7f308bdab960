"""Files of records, one after another in bounded memory: JSONL, JSON arrays, Parquet, text, the hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

from tmbr.core.errors import ConfigError, DataError, no_file
from tmbr.core.files import whole
from tmbr.teacher.formats.base import BadRow, Format, Lost

Record = Mapping[str, Any]
#: Its number in the file, from 1, and the record or why it is none.
Found = tuple[int, Record | BadRow]
Write = Callable[[dict[str, Any], Lost], None]

#: What a source that is fetched by name begins with.
HUB = "hf:"
#: Characters of a JSON array read at a time.
CHUNK = 1 << 20


def records(source: str) -> Iterator[Found]:
    """The records of a local file, or of `hf:NAME` or `hf:NAME:SPLIT`. Raises DataError."""
    if source.startswith(HUB):
        return enumerate(_hub(source.removeprefix(HUB)), 1)
    path = Path(source)
    if not path.is_file():
        raise DataError(no_file(path))
    if path.suffix == ".parquet":
        from tmbr.teacher.formats.parquet import read_parquet

        return enumerate(read_parquet(path), 1)
    return _text_records(path)


def _text_records(path: Path) -> Iterator[Found]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            if path.suffix == ".txt":
                yield from _texts(file)
            elif _first_letter(file) == "[":
                yield from _array(file)
            else:
                yield from _lines(file)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _first_letter(file: IO[str]) -> str:
    while (letter := file.read(1)).isspace():
        pass
    file.seek(0)
    return letter


def _texts(file: Iterable[str]) -> Iterator[Found]:
    """One text a line; empty lines are none."""
    for number, line in enumerate(file, 1):
        told = line.removesuffix("\n").removesuffix("\r")
        if told.strip():
            yield number, {"text": told}


def _lines(file: Iterable[str]) -> Iterator[Found]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield number, _object(json.loads(line))
            except (ValueError, RecursionError) as error:
                yield number, BadRow("row", f"is no JSON: {error}")


def _array(file: IO[str]) -> Iterator[Found]:
    """The objects of one JSON array. After a broken one the rest cannot be told apart."""
    decoder, held, number, ended = json.JSONDecoder(), file.read(CHUNK).lstrip()[1:], 0, False
    while True:
        held = held.lstrip(" \t\r\n,")
        if held.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(held)
        except (ValueError, RecursionError) as error:
            more = "" if ended else file.read(max(CHUNK, len(held)))
            if more:
                held += more
                continue
            yield number + 1, BadRow("row", f"is no JSON, nor is what follows: {error}")
            return
        number += 1
        yield number, _object(value)
        held = held[end:]
        if len(held) < CHUNK and not ended:
            more = file.read(CHUNK)
            held, ended = held + more, not more


def _object(value: Any) -> Record | BadRow:
    return value if isinstance(value, dict) else BadRow("row", "must be an object of keys and values")


def _hub(name: str) -> Iterator[Record]:
    """A data set by its name, streamed."""
    try:
        from datasets import load_dataset
    except ModuleNotFoundError:
        raise ConfigError(
            f"{HUB}{name} needs the package `datasets`: pip install tmbr[train]"
        ) from None
    path, _, split = name.partition(":")
    try:
        found = load_dataset(path, split=split or "train", streaming=True)
        yield from found
    except Exception as error:  # the library raises those of its file systems and of the network too
        why = " ".join(str(error).split())
        raise DataError(
            f"{HUB}{name} cannot be had ({why[:200]}); without a network, give a file"
        ) from None


def first_of(found: Iterator[Found]) -> tuple[Record | None, Iterator[Found]]:
    """The first whole record, and all of them again."""
    seen: list[Found] = []
    for number, record in found:
        seen.append((number, record))
        if not isinstance(record, BadRow):
            return record, chain(seen, found)
    return None, iter(seen)


def writing(path: Path, form: Format) -> AbstractContextManager[Write]:
    """A function that writes one record; the file is there whole or not at all.

    By its suffix it is Parquet, text lines or JSONL. Raises ConfigError for another one.
    """
    if path.suffix == ".parquet":
        from tmbr.teacher.formats.parquet import writing_parquet

        return writing_parquet(path, form)
    if path.suffix not in (".jsonl", ".txt") or (path.suffix == ".txt" and form.name != "text"):
        raise ConfigError(f"{path}: name a .jsonl or .parquet file, or for --to text a .txt file")
    return _writing_text(path, _plain if path.suffix == ".txt" else _line)


@contextmanager
def _writing_text(path: Path, line: Callable[[dict[str, Any], Lost], str]) -> Iterator[Write]:
    with part_of(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
        yield lambda record, lost: _put(file, line(record, lost))


def _put(file: IO[str], told: str) -> None:
    file.write(told + "\n")


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """A file to write that becomes `path` at the end, if all went well. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as aside:
            yield aside
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None


def _line(record: dict[str, Any], lost: Lost) -> str:  # noqa: ARG001 (JSON holds all)
    return json.dumps(record, ensure_ascii=False)


def _plain(record: dict[str, Any], lost: Lost) -> str:
    text: str = record["text"]
    if "\n" in text or text.endswith("\r"):
        raise BadRow("text", "has line breaks, which a .txt file does not hold; write .jsonl")
    if "source" in record:
        lost.drop("source", "source")
    return text
