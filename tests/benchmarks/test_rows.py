"""Rows of results: ratios, bars, and whether a missed bar is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.rows import RESULTS, row, table, verdict, write

from benchmarks import rows


def test_more_of_a_rate_is_better_and_less_of_a_time() -> None:
    assert row("", 20, "tokens/s", None, "it", 5)["ratio"] == 4
    assert row("", 20, "ms", None, "it", 5)["ratio"] == 0.25
    assert row("", 20, "ms", None, "it", None)["reference"] is None


@pytest.mark.parametrize(
    ("bar", "ok"),
    [
        *((None, True), ("<= 20", True), ("<= 19.9", False), (">= 20", True), (">= 20.1", False)),
        *(("> 20", False), ("> 19.9", True), (">= 4x", True), (">= 4.1x", False), ("<= 3x", False)),
    ],
)
def test_a_bar_is_of_the_value_or_of_the_ratio(bar: str | None, ok: bool) -> None:
    assert row("", 20, "1/s", bar, "it", 5)["ok"] is ok


def test_a_bar_holds_for_what_was_measured_not_for_what_is_shown() -> None:
    found = row("", 20.00001, "ms", "<= 20")
    assert (found["value"], found["ok"]) == (20, False)


def test_a_ratio_without_a_reference_has_no_bar() -> None:
    with pytest.raises(AssertionError, match="there is no reference"):
        row("", 20, "1/s", ">= 4x", "it", None)


def test_a_missed_bar_is_told_and_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = row("a fork", 1234.5, "µs", "<= 2000", "a replay", 12345), row("a step", 3, "", "> 3")
    with pytest.raises(SystemExit) as end:
        verdict([good])
    assert end.value.code == 0
    with pytest.raises(SystemExit) as end:
        verdict([good, bad])
    assert end.value.code == 1
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.split() == [
        "a",
        "fork",
        "1,234.5",
        "µs",
        "<=",
        "2000",
        "ok",
        *["10.0", "x", "a", "replay"],
    ]
    assert second.split() == ["a", "step", "3", ">", "3", "MISSED"]


def test_what_was_kept_has_the_form_of_what_is_written(tmp_path: Path) -> None:
    write(tmp_path / "one.json", [row("a fork", 1.5, "µs", "<= 2")])
    (fresh,) = json.loads((tmp_path / "one.json").read_text())
    for name in ("household", "worlds", "search_overhead", "local_model", "engines"):
        assert Path(rows.__file__).with_name(f"{name}.py").is_file()
        for kept in json.loads((RESULTS / f"{name}.json").read_text()):
            assert kept.keys() == fresh.keys()
            assert len(table([kept]).splitlines()) == 1
