"""The data card: what a data set holds, where it comes from, and what was left out on the way.

`README.md` is for people, in the shape of a Hugging Face dataset card; `card.json` says the same to
programs, and is what later steps carry on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ConfigDict, TypeAdapter, ValidationError

from tmbr.core.errors import DataError
from tmbr.core.files import write_whole

CARD, README = "card.json", "README.md"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from. name: a task, a file or a data set. licence: an SPDX id where there is
    one; empty where nobody has said it. rows: None where they were not counted apart."""

    name: str
    rows: int | None = None
    licence: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Teacher:
    """Who wrote the answers, and under which terms they may be used. role: what it was asked to do."""

    name: str
    terms: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the making. came, kept: how many entered and left it. dropped: why others did not."""

    name: str
    came: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decontamination:
    """How copies of evaluation samples were kept out. against: the sets compared with, by name."""

    method: str
    against: tuple[str, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class File:
    """One file of the set. name: below the card's folder. counts: rows, turns, tokens and the like."""

    name: str
    sha256: str
    bytes: int
    format: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """All that is to be known of a data set. made_by: commands, oldest first. notes: free sentences."""

    name: str
    summary: str = ""
    licence: str = ""
    languages: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    sources: tuple[Source, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    stages: tuple[Stage, ...] = ()
    decontamination: tuple[Decontamination, ...] = ()
    made_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def with_file(self, file: File) -> Card:
        """With a file that is new, or was written anew."""
        others = (other for other in self.files if other.name != file.name)
        return replace(self, files=tuple(sorted((*others, file), key=lambda file: file.name)))


# Wrapped in a tuple because pydantic takes a config only around plain dataclasses, not on them.
_CARD = TypeAdapter(tuple[Card], config=ConfigDict(extra="forbid"))


def describe(path: Path, format: str = "", counts: Mapping[str, int] | None = None) -> File:
    """A file with its size and hash. Raises DataError when it cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return File(path.name, digest, path.stat().st_size, format, counts or {})
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def write_card(folder: Path, card: Card) -> None:
    """Write card.json and README.md. Raises DataError for a README.md that is no card's."""
    if not carries(folder):
        raise DataError(
            f"{folder / README} is not a data card's; choose a folder of its own for the data"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / CARD, _CARD.dump_json((card,), indent=2)[1:-1].decode().strip() + "\n")
    write_whole(folder / README, readme(card))


def carries(folder: Path) -> bool:
    """Whether a card may be written there: there is one, or no README.md that it would replace."""
    return (folder / CARD).exists() or not (folder / README).exists()


def read_card(folder: Path) -> Card | None:
    """The card of a folder, None where there is none. Raises DataError for a broken one."""
    path = folder / CARD
    if not path.is_file():
        return None
    try:
        return _CARD.validate_json(b"[" + path.read_bytes() + b"]")[0]
    except (OSError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        key = ".".join(map(str, first["loc"][1:])) + ": " + first["msg"] if first else str(error)
        raise DataError(f"{path}: {key}") from None


def join(first: Card, *others: Card) -> Card:
    """One card of several sets: each thing once, in order; name and summary are the first's.

    Files stay the first's: those of the others lie elsewhere.
    """
    cards = (first, *others)
    licences = dict.fromkeys(
        licence for card in cards if card.licence for licence in card.licence.split(" AND ")
    )
    return replace(
        first,
        licence=" AND ".join(licences),
        languages=_each(card.languages for card in cards),
        sources=_each(card.sources for card in cards),
        teachers=_each(card.teachers for card in cards),
        stages=_each(card.stages for card in cards),
        decontamination=_each(card.decontamination for card in cards),
        made_by=_each(card.made_by for card in cards),
        notes=_each(card.notes for card in cards),
    )


def _each(lists: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    found: list[T] = []
    for values in lists:
        found += [value for value in values if value not in found]
    return tuple(found)


def readme(card: Card) -> str:
    """The card for people, with the front matter that the hub reads."""
    environment = Environment(
        loader=PackageLoader("tmbr.teacher", ""),
        autoescape=False,  # Markdown, which `cell` escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    front = yaml.safe_dump(_front(card), sort_keys=False, allow_unicode=True).strip()
    return environment.get_template("card.md.jinja").render(card=card, front=front)


def _front(card: Card) -> dict[str, Any]:
    rows = sum(file.counts.get("rows", 0) for file in card.files)
    simple = card.licence.lower() if card.licence and " " not in card.licence else "other"
    front: dict[str, Any] = {"pretty_name": card.name, "license": simple}
    if card.languages:
        front["language"] = list(card.languages)
    front |= {"tags": ["agent", "tmbr"], "size_categories": [_size(rows)]}
    if card.files:
        front["configs"] = [
            {"config_name": Path(file.name).stem, "data_files": file.name} for file in card.files
        ]
    return front


def _size(rows: int) -> str:
    """The hub's classes of size."""
    names = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"]
    return next((name for at, name in enumerate(names) if rows < 1000 * 10**at), "n>1B")


def _cell(value: object) -> str:
    """Text in one line of Markdown, in which nothing is markup."""
    told = " ".join(str("" if value is None else value).split())
    for letter in "\\`*_[]<>|#":
        told = told.replace(letter, "\\" + letter)
    return told
