"""The card says what it was told, to people and to programs, and is carried on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from tmbr.core.errors import DataError
from tmbr.teacher.card import (
    Card,
    Decontamination,
    Source,
    Stage,
    Teacher,
    describe,
    join,
    read_card,
    write_card,
)

CARD = Card(
    "household | paths",
    summary="Paths\nof <b>households</b>.",
    licence="Apache-2.0",
    languages=("en",),
    sources=(
        Source("household", 12_000, "Apache-2.0"),
        Source("alpaca", None, "CC-BY-NC-4.0", "hf:x/alpaca"),
    ),
    teachers=(Teacher("gpt-4o", "no competing models", "action maker"),),
    stages=(Stage("verified", 100, 80, {"not solved": 15, "loops": 5}),),
    decontamination=(Decontamination("MinHash of the text, 0.8", ("alfworld-valid_seen",), 3),),
    made_by=("tmbr collect --samples 100",),
)


def with_file(folder: Path) -> Card:
    (folder / "rows.jsonl").write_text("{}\n")
    return CARD.with_file(
        describe(folder / "rows.jsonl", "messages", {"rows": 12_000, "turns": 90_000})
    )


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    card = with_file(tmp_path)
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card
    write_card(tmp_path, card)
    assert read_card(tmp_path / "elsewhere") is None


def test_people_and_the_hub_read_the_same(tmp_path: Path) -> None:
    card = with_file(tmp_path)
    write_card(tmp_path, card)
    _, front, text = (tmp_path / "README.md").read_text().split("---\n", 2)
    assert yaml.safe_load(front) == {
        "pretty_name": "household | paths",
        "license": "apache-2.0",
        "language": ["en"],
        "tags": ["agent", "tmbr"],
        "size_categories": ["10K<n<100K"],
        "configs": [{"config_name": "rows", "data_files": "rows.jsonl"}],
    }
    digest = hashlib.sha256(b"{}\n").hexdigest()
    assert f"| rows.jsonl | messages | 12,000 rows, 90,000 turns | 3 | `{digest}` |" in text
    assert "| alpaca |  | CC-BY-NC-4.0 | hf:x/alpaca |" in text
    assert "- gpt-4o (action maker): no competing models" in text
    assert "| verified | 100 | 80 | 15 not solved, 5 loops |" in text
    assert "against alfworld-valid\\_seen: 3 dropped" in text
    assert "# household \\| paths" in text
    assert "Paths of \\<b\\>households\\</b\\>." in text
    assert "    tmbr collect --samples 100" in text


def test_an_empty_card_says_that_nothing_was_said(tmp_path: Path) -> None:
    write_card(tmp_path, Card("bare"))
    text = (tmp_path / "README.md").read_text()
    assert "license: other" in text
    for told in ("Not said.", "none was named", "No step was recorded.", "None was recorded."):
        assert told in text


def test_nobody_elses_readme_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(DataError, match="is not a data card's"):
        write_card(tmp_path, CARD)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_broken_card_names_its_key(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text('{"name": "a", "files": [{"name": 5}]}')
    with pytest.raises(DataError, match=r"card\.json: files\.0\."):
        read_card(tmp_path)


def test_joined_cards_say_each_thing_once(tmp_path: Path) -> None:
    other = Card(
        "other", licence="MIT", sources=(CARD.sources[0], Source("own")), teachers=CARD.teachers
    )
    joined = join(with_file(tmp_path), other)
    assert joined.name == CARD.name
    assert joined.licence == "Apache-2.0 AND MIT"
    assert join(joined, other).licence == joined.licence
    assert [source.name for source in joined.sources] == ["household", "alpaca", "own"]
    assert joined.teachers == CARD.teachers
    assert [file.name for file in joined.files] == ["rows.jsonl"]
