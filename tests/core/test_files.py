"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmbr.core.files import write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    for text in ("before\n", "äfter\n"):
        write_whole(path, text)
        assert path.read_bytes() == text.encode()
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_file_outlives_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    write_whole(path, "before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "after, with half a pair: \ud800")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_its_place_stays(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "one", "text")
    assert [found.name for found in tmp_path.iterdir()] == ["one"]
