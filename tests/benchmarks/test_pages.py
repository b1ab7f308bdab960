"""Tables into pages: at their mark, the rest untouched."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.pages import END, fill, markdown

PAGE = f"A\n<!-- one -->\nold\n{END}\nB\n<!-- two -->\n{END}\nC\n"


def test_a_table_golden() -> None:
    assert markdown(["task", "n"], [["a", "1"], ["b", "2"]]) == (
        "| task | n |\n| --- | ---: |\n| a | 1 |\n| b | 2 |"
    )


def test_each_mark_has_its_content_again_and_again(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    for content in ("first", "second"):
        fill(page, "two", content)
        assert page.read_text() == PAGE.replace("two -->\n", f"two -->\n{content}\n")
    fill(page, "one", "new")
    assert "A\n<!-- one -->\nnew\n" in page.read_text()


def test_a_page_without_the_mark_is_left_as_it_was(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    for mark, text in (("three", PAGE), ("two", PAGE.replace(f"{END}\nC", "C"))):
        page.write_text(text)
        with pytest.raises(ValueError, match=f"no place `<!-- {mark} -->`"):
            fill(page, mark, "new")
        assert page.read_text() == text
