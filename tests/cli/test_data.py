"""`tmbr data` as a user meets it: counts, complaints, conversions and their card."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.teacher.items import tool
from tmbr.cli import run
from tmbr.core.rows import Row, Turn, read_rows, write_rows
from tmbr.core.types import Message, ToolCall
from tmbr.teacher.card import Card, Source, Teacher, read_card, write_card

CALL = ToolCall("c1", "look", '{"at": "shelf"}')
ROW = Row(
    "r1",
    (
        Turn(Message("user", "Look.")),
        Turn(Message("assistant", "I look.", (CALL,)), 1.0),
        Turn(Message("tool", "A mug.\x1b[2J", tool_call_id="c1")),
        Turn(Message("assistant", "A mug is there."), 1.0),
    ),
    (tool("look"),),
    "household",
)
BAD = '{"messages": [{"role": "assistant", "content": ""}]}'


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "rows.jsonl"
    write_rows(path, [ROW, ROW])
    return path


def test_stats(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "stats", str(rows), "--model", "nano"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{rows}: 2 rows, 8 turns, 4 of them train"
    assert said[1] == "roles: assistant 4, user 2, tool 2"
    assert said[2].startswith("tokens: ")
    assert said[3:6] == ["calls: look 2", "sources: household 2", "duplicates: 1"]
    assert run(["data", "stats", str(rows)]) == 0
    assert "length of a row in characters:" in capsys.readouterr().out
    assert run(["data", "stats", str(rows), "--model", "/nowhere"]) == 2
    assert "no tokenizer.json" in capsys.readouterr().err


def test_validate_names_file_line_and_key(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "validate", str(rows)]) == 0
    assert capsys.readouterr().out == f"{rows}: 2 rows, all sound\n"
    with rows.open("a") as file:
        file.write(BAD + "\n")
        file.write(json.dumps({"messages": [{"role": "user", "content": "a"}] * 2}) + "\n")
    assert run(["data", "validate", str(rows)]) == 2
    *told, last = capsys.readouterr().out.splitlines()
    assert [line.rsplit(": ", 1)[0].removesuffix(": is an empty assistant turn") for line in told] == [
        f"{rows}:3: messages.0",
        f"{rows}:4: messages.1.role",
        f"{rows}:4: messages",
    ]
    assert last == f"{rows}: 4 rows, 2 of them bad"


def test_convert_tells_what_was_left_out_and_carries_the_card(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with rows.open("a") as file:
        file.write(f"{BAD}\n" * 5)
    teacher = Teacher("gpt-4o", "no competing models")
    write_card(
        rows.parent, Card("mugs", licence="MIT", sources=(Source("house"),), teachers=(teacher,))
    )
    out = tmp_path / "out" / "train.jsonl"
    assert run(["data", "convert", str(rows), str(out), "--to", "sharegpt"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}: 2 rows as sharegpt\n"
    assert said.err.splitlines()[0] == f"5 bad rows, the first 3; see {out.parent}/train.bad.jsonl"
    assert len(said.err.splitlines()) == 4
    card = read_card(out.parent)
    assert card is not None
    assert (card.name, card.licence, card.teachers) == ("mugs", "MIT", (teacher,))
    assert card.sources == (Source("house"),)
    assert [(file.name, file.counts) for file in card.files] == [
        ("train.jsonl", {"rows": 2, "turns": 8})
    ]
    assert card.stages[-1].dropped == {"bad rows": 5}

    back = tmp_path / "back" / "rows.jsonl"
    assert run(["data", "convert", str(out), str(back)]) == 0
    assert read_rows(back) == [ROW, ROW]
    assert len((read_card(back.parent) or card).made_by) == 2


@pytest.mark.parametrize(
    "line",
    [BAD, json.dumps({"messages": [{"role": "user", "content": "a"}]})],
    ids=["unread", "unsound"],
)
def test_one_bad_row_is_enough_to_fail(rows: Path, line: str) -> None:
    with rows.open("a") as file:
        file.write(line + "\n")
    assert run(["data", "validate", str(rows)]) == 2


def test_the_card_tells_the_command_as_a_shell_takes_it(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "my data" / "out.jsonl"
    command = ["data", "convert", str(rows), str(out), "--to", "trl", "--from", "messages", "--lossy"]
    assert run(command) == 0
    card = read_card(out.parent)
    assert card is not None
    assert shlex.split(card.made_by[0]) == ["tmbr", *command]


def test_convert_when_nothing_fits(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "convert", str(rows), str(tmp_path / "out.jsonl"), "--to", "alpaca"]) == 2
    assert "calls or answers a tool" in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "card.json").exists()


def test_no_readme_of_others_is_touched(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert run(["data", "convert", str(rows), str(tmp_path / "out.parquet"), "--to", "trl"]) == 0
    assert "so no card was written" in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / "card.json").exists()
