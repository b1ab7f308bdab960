"""What one format holds and another can hold too survives the way there and back."""

from __future__ import annotations

import json
import tempfile
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.teacher import items
from tmbr.core.pairs import read_pairs
from tmbr.core.rows import read_rows
from tmbr.teacher.formats.base import Item, Lost
from tmbr.teacher.formats.files import writing
from tmbr.teacher.formats.known import by_name
from tmbr.teacher.reading import Reading

#: What each format can hold whole.
HOLDS: dict[str, st.SearchStrategy[Item]] = {
    "messages": items.weighted(),
    "sharegpt": items.rows(),
    "trl": items.rows(st.just(1.0)),
    "trl-prompt": items.single(),
    "alpaca": items.dialogues(),
    "prompt-response": items.dialogues(most=1),
    "text": items.monologues,
    "pairs": items.pairs(),
    "trl-preference": items.pairs(),
}
#: Formats by what they hold: what the later ones hold, the earlier ones hold too.
WIDER = [
    ("messages", "sharegpt", "trl", "alpaca", "prompt-response"),
    ("messages", "sharegpt", "trl-prompt"),
    ("messages", "sharegpt", "trl", "text"),
    ("messages", "trl-prompt", "prompt-response"),
    ("pairs", "trl-preference"),
]
PAIRS = sorted({pair for line in WIDER for pair in permutations(line, 2)})


def common(a: str, b: str) -> st.SearchStrategy[Item]:
    """Of what the narrower of two formats holds."""
    line = next(line for line in WIDER if a in line and b in line)
    return HOLDS[line[max(line.index(a), line.index(b))]]


def through(name: str, item: Item, suffix: str = ".jsonl") -> Item:
    """Written, with nothing lost, and read again by what the file itself says it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{suffix}"
        form = by_name(name)
        with writing(path, form) as write:
            lost = Lost(strict=True)
            write(form.write(item, lost), lost)
        reading = Reading(str(path))
        (line, again), *more = reading
    assert not more
    assert line == 1
    assert not reading.lost
    assert not reading.bad
    return again


@pytest.mark.parametrize(("there", "back"), PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
@settings(max_examples=15)
@given(data=st.data())
def test_there_and_back(there: str, back: str, data: st.DataObject) -> None:
    item = items.normal(data.draw(common(there, back)))
    assert items.normal(through(back, through(there, item))) == item


@pytest.mark.parametrize("name", HOLDS)
@settings(max_examples=15)
@given(data=st.data())
def test_parquet_holds_what_jsonl_holds(name: str, data: st.DataObject) -> None:
    item = items.normal(data.draw(HOLDS[name]))
    assert items.normal(through(name, item, ".parquet")) == item


@settings(max_examples=40)
@given(data=st.data())
def test_own_formats_are_exact_and_are_what_tuning_reads(data: st.DataObject) -> None:
    for name, read in (("messages", read_rows), ("pairs", read_pairs)):
        item = data.draw(HOLDS[name])
        assert through(name, item) == item
        form = by_name(name)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.jsonl"
            path.write_text(json.dumps(form.write(item, Lost()), ensure_ascii=False), "utf-8")
            assert read(path) == [item]


@settings(max_examples=40)
@given(item=HOLDS["text"])
def test_a_text_file_holds_lines(item: Item) -> None:
    text = item.turns[0].message.content  # type: ignore[union-attr]
    if "\n" not in text and not text.endswith("\r"):
        assert through("text", item, ".txt").turns == item.turns  # type: ignore[union-attr]
