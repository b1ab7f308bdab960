"""Sources as they lie about: broken lines, arrays, text, Parquet, data sets by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import traces
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.rows import Row, read_rows, rows
from tmbr.core.store import TraceStore
from tmbr.teacher.formats import files
from tmbr.teacher.formats.files import records
from tmbr.teacher.reading import Converted, Reading, bad_path, convert

GOOD = '{"prompt": "a", "response": "b"}'


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_a_bad_row_goes_to_the_side_file_and_ends_nothing(tmp_path: Path) -> None:
    source = written(
        tmp_path / "in.jsonl", GOOD, "{", GOOD, "[]", '{"prompt": "a", "response": ""}', "", GOOD
    )
    out = tmp_path / "out.jsonl"
    done = convert(str(source), out, "messages")
    assert (done.written, done.bad) == (3, 3)
    assert [row.id for row in read_rows(out)] == ["1", "3", "7"]
    side = [json.loads(line) for line in bad_path(out).read_text().splitlines()]
    assert [(bad["file"], bad["line"], bad["key"]) for bad in side] == [
        (str(source), 2, "row"),
        (str(source), 4, "row"),
        (str(source), 5, "messages.1"),
    ]
    assert "empty assistant turn" in side[2]["why"]
    assert str(done.first[2]).startswith(f"{source}:5: messages.1: ")
    convert(str(out), tmp_path / "out.parquet", "messages")
    assert not bad_path(out).exists()  # of this name, and nothing was bad this time


def test_when_all_is_bad_nothing_is_written(tmp_path: Path) -> None:
    source, out = (
        written(tmp_path / "in.jsonl", '{"prompt": "a", "response": ""}'),
        tmp_path / "out.jsonl",
    )
    written(out, "what was there")
    done = convert(str(source), out, "messages")
    assert (done.written, done.bad) == (0, 1)
    assert out.read_text() == "what was there\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in.jsonl",
        "out.bad.jsonl",
        "out.jsonl",
    ]


def test_losses_make_bad_rows_or_are_counted(tmp_path: Path) -> None:
    told = {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]}
    told["messages"].append({"role": "assistant", "content": "b"})
    source, out = (
        written(tmp_path / "in.jsonl", json.dumps(told), json.dumps(told)),
        tmp_path / "out.jsonl",
    )
    strict = convert(str(source), out, "prompt-response")
    assert (strict.written, strict.bad) == (0, 2)
    assert "this format holds no system message" in strict.first[0].why
    assert convert(str(source), out, "prompt-response", lossy=True) == Converted(
        2, 0, (), {"system message": 2}
    )


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2), max_size=6),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([3, 50]),
)
def test_an_array_is_read_as_its_objects(content: list[object], indent: int | None, chunk: int) -> None:
    import tempfile

    before, files.CHUNK = files.CHUNK, chunk
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "data.json"
            path.write_text(" \n" + json.dumps(content, indent=indent) + "\n")
            assert list(records(str(path))) == list(enumerate(content, 1))
    finally:
        files.CHUNK = before


def test_a_broken_array_gives_what_comes_before(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(f"[{GOOD}, {GOOD}, {{broken, {GOOD}]")
    reading = Reading(str(path))
    assert len(list(reading)) == 2
    assert (reading.bad, reading.first[0].line) == (1, 3)


def test_text_and_form_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "one", "", "two\u2028half", "three\r")
    found = [item.turns[0].message.content for _, item in Reading(str(path)) if isinstance(item, Row)]
    assert found == ["one", "two\u2028half", "three"]
    odd = written(tmp_path / "odd.jsonl", '{"text": "t", "prompt": "p", "response": "r"}')
    (_, item), *_ = Reading(str(odd), "text")
    assert isinstance(item, Row)
    assert len(item.turns) == 1


def test_traces_become_rows_of_the_solved(tmp_path: Path) -> None:
    with TraceStore(tmp_path / "traces.jsonl") as store:
        for trace in traces.all_shapes():
            store.append(trace, 0.1)
    reading = Reading(str(tmp_path / "traces.jsonl"))
    assert [item for _, item in reading] == list(rows(traces.all_shapes()))
    assert reading.lost == {"episode that was not solved": 5}
    with (tmp_path / "traces.jsonl").open("a") as file:
        file.write('{"id": "torn", "nodes"')
    assert len(list(reading := Reading(str(tmp_path / "traces.jsonl")))) == 1
    assert reading.bad == 1
    with pytest.raises(ConfigError, match="traces are only read"):
        convert("any", tmp_path / "out.jsonl", "traces")


def test_what_cannot_be_read_or_written_is_one_line(tmp_path: Path) -> None:
    good = str(written(tmp_path / "rows.jsonl", GOOD))
    (tmp_path / "x.parquet").write_text("no")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty.jsonl").write_text("\n\n")
    for source, why in [
        (tmp_path / "row.jsonl", "did you mean"),
        (tmp_path / "x.parquet", "cannot be read as Parquet"),
        (tmp_path / "bytes.jsonl", "not UTF-8"),
        (tmp_path / "empty.jsonl", "holds no rows"),
    ]:
        with pytest.raises(DataError, match=why) as caught:
            list(Reading(str(source)))
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"name a \.jsonl or \.parquet file"):
        convert(good, tmp_path / "out.csv", "messages")
    with pytest.raises(ConfigError, match="cannot be written"):
        convert(good, Path("/proc/nowhere/out.jsonl"), "messages")


def test_a_data_set_by_its_name(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    (tmp_path / "set").mkdir()
    written(tmp_path / "set" / "train.jsonl", GOOD, GOOD)
    assert [line for line, _ in Reading(f"hf:{tmp_path}/set")] == [1, 2]
    assert [line for line, _ in Reading(f"hf:{tmp_path}/set:train")] == [1, 2]
    code = "from tmbr.teacher.reading import Reading; list(Reading('hf:nobody/nothing'))"
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
    said = subprocess.run([sys.executable, "-c", code], env=offline, capture_output=True, text=True)
    assert "DataError: hf:nobody/nothing cannot be had (" in said.stderr.splitlines()[-1]


def test_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    line = json.dumps({"prompt": "a" * 3000, "response": "b" * 3000})
    (tmp_path / "many.jsonl").write_text(f"{line}\n" * 4_000)
    (tmp_path / "many.json").write_text("[" + ",".join([line] * 4_000) + "]")
    for name in ("many.jsonl", "many.json"):
        tracemalloc.start()
        convert(str(tmp_path / name), tmp_path / "out.jsonl", "sharegpt")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (tmp_path / name).stat().st_size > 20e6
        assert peak < 8e6
