"""The store keeps what it was given, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tmbr.core.errors import DataError
from tmbr.core.store import (
    TraceStore,
    decode_trace,
    each_trace,
    encode_trace,
    read_timing,
    read_traces,
    resume_key,
    timing_path,
    trace_at,
)
from tmbr.core.trace import Finish, Judgement, Node, Run, Spent, Trace
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step, ToolCall, Usage

RUN = Run("c", "doors", "m", "walk", "none", 0)
json_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
usages = st.builds(Usage, st.integers(0, 9), st.integers(0, 9), st.just(0))
objects = st.dictionaries(st.text(max_size=5), json_data, max_size=3)
typed: dict[type, Any] = {
    Usage: usages,
    Action: st.builds(
        Action, st.text(), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)
    ),
    Sample: st.builds(
        Sample, st.text(), st.text(), st.text(), st.text(), setup=objects, target=json_data
    ),
    Score: st.builds(Score, st.floats(0, 1), st.booleans(), objects),
    Completion: st.builds(
        Completion,
        st.text(),
        tool_calls=...,
        token_ids=st.lists(st.integers(0, 99), max_size=3).map(tuple),
        logprobs=st.lists(st.floats(allow_nan=False, max_value=0), max_size=3).map(tuple),
        finish_reason=...,
        usage=usages,
    ),
    Message: st.builds(Message, content=st.text(), tool_calls=..., tool_call_id=...),
    Step: st.builds(Step, done=..., status=..., admissible=...),
    Node: st.builds(Node, sampled=..., action=..., error=..., step=..., completion=...),
    Finish: st.builds(Finish, stop=..., error=...),
    Run: st.builds(Run, adapter=..., version=..., weights=..., data=...),
    Spent: st.builds(Spent, usages, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
    Judgement: st.builds(Judgement, st.integers(0, 9), st.text(), st.floats(0, 1), st.text(), usages),
}
for made, strategy in typed.items():
    st.register_type_strategy(made, strategy)


@settings(deadline=None, max_examples=60)
@given(
    st.builds(
        Trace, nodes=st.lists(st.from_type(Node), max_size=3), judgements=..., spent=..., finish=...
    )
)
def test_every_trace_comes_back_equal_and_as_the_same_bytes(trace: Trace) -> None:
    line = encode_trace(trace)
    assert b"\n" not in line
    assert decode_trace(line) == trace
    assert encode_trace(decode_trace(line)) == line


def a_trace(
    name: str = "0", success: bool = True, status: Any = "completed", said: str = "hi"
) -> Trace:
    sample = Sample(name, "doors", "test", "go", {"way": "ab"}, "ab")
    completion = Completion(said, (ToolCall("1", "open", '{"door"'),), (1, 2), (-0.5, -math.inf))
    act = Node(
        None,
        None,
        "act",
        completion.message(),
        True,
        Action("open", {"door": "a"}, "open a"),
        None,
        Step("a room", True, "completed", True),
        replace(completion, usage=Usage(10, 2, 7)),
    )
    return Trace(
        resume_key(sample, RUN),
        sample,
        RUN,
        nodes=[Node(None, None, "root", Message("user", "go")), replace(act, parent=0, context=0)],
        judgements=[Judgement(1, "j", 0.5, usage=Usage(5, 1, 3))],
        spent=Spent(Usage(15, 3, 10), 2, 1),
        finish=Finish(1, Score(float(success), success), status),
    )


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_prefill_and_seconds_go_to_the_sidecar_only(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    trace = a_trace()
    with TraceStore(path) as store:
        store.append(trace, seconds=1.25)
    assert b"prefill" not in path.read_bytes()
    assert b"1.25" not in path.read_bytes()
    timing = read_timing(path)[trace.id]
    assert (timing.seconds, timing.prefill) == (1.25, 10)


def test_the_file_is_strict_json_with_a_header(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        store.append(a_trace(), 0)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    header, record = (json.loads(line, parse_constant=refuse) for line in lines(path))
    assert header == {"schema": "tmbr.traces", "version": 1}
    assert record["nodes"][1]["completion"]["logprobs"] == [-0.5, "-Infinity"]


def test_half_a_surrogate_pair_does_not_lose_the_episode() -> None:
    back = decode_trace(encode_trace(a_trace(said="bad \ud800 text")))
    assert back.nodes[1].message.content == "bad ? text"


def test_the_resume_key_changes_with_every_condition_and_with_nothing_else() -> None:
    sample = Sample("0", "doors", "test", "go", {"way": "ab"}, "ab")
    changed = [
        resume_key(replace(sample, setup={"way": "ba"}), RUN),
        *(
            resume_key(sample, replace(RUN, **{name: value}))
            for name, value in {
                "config": "d",
                "model": "n",
                "strategy": "s",
                "seed": 1,
                "adapter": "a",
                "version": "2",
                "weights": "w",
                "data": "d",
            }.items()
        ),
    ]
    keys = {resume_key(sample, RUN), *changed}
    assert len(keys) == 1 + len(changed)
    assert resume_key(replace(sample), replace(RUN)) in keys


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_torn_last_line_is_moved_aside_and_all_before_it_kept(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        store.append(a_trace("0"), 0)
        store.append(a_trace("1"), 0)
    whole = path.read_bytes()
    torn = encode_trace(a_trace("2"))[:cut]
    path.write_bytes(whole + torn)
    assert len(read_traces(path)) == 2
    with TraceStore(path) as store:
        assert store.warning
        assert str(path) in store.warning
        assert len(store.finished) == 2
        store.append(a_trace("3"), 0)
    assert path.read_bytes()[: len(whole)] == whole
    assert [trace.sample.id for trace in read_traces(path)] == ["0", "1", "3"]
    assert (tmp_path / "traces.jsonl.torn").read_bytes() == torn + b"\n"


def test_a_whole_last_line_without_its_end_is_no_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        store.append(a_trace("0"), 0)
    path.write_bytes(path.read_bytes().rstrip())
    with TraceStore(path) as store:
        assert store.warning is None
        store.append(a_trace("1"), 0)
    assert len(read_traces(path)) == 2


@pytest.mark.parametrize("header", [b"", b'{"schema": "tm'])
def test_a_kill_while_the_file_was_made_leaves_an_empty_store(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_bytes(header)
    with TraceStore(path) as store:
        store.append(a_trace(), 0)
    assert len(read_traces(path)) == 1


def test_a_broken_line_inside_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        for name in "012":
            store.append(a_trace(name), 0)
    broken = lines(path)
    broken[2] = broken[2].replace(b'"seed":0', b'"seed":"x"')
    path.write_bytes(b"".join(broken))
    for opened in (TraceStore, read_traces):
        with pytest.raises(
            DataError, match=r"traces\.jsonl:3: broken record \(run\.seed: .*integer"
        ) as bad:
            opened(path)
        assert "\n" not in str(bad.value)
    assert path.read_bytes() == b"".join(broken)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"once upon a time\n", "not a file of tmbr.traces"),
        (b"once upon a time", "not a file of tmbr.traces"),
        (b'{"schema": "tmbr.traces", "version": 99}\n', "schema version 99"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_not_touched(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=why):
        TraceStore(path)
    with pytest.raises(DataError, match=why):
        read_traces(path)
    assert path.read_bytes() == content


def test_there_is_one_writer_at_a_time_and_any_number_of_readers(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        store.append(a_trace(), 0)
        with pytest.raises(DataError, match=f"{path}: another process is writing"):
            TraceStore(path)
        assert len(read_traces(path)) == 1
    TraceStore(path).close()


def test_a_task_error_is_tried_again_and_the_later_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        store.append(a_trace(success=False, status="task error"), 1)
    with TraceStore(path) as store:
        assert not store.finished
        store.append(a_trace(), 2)
        assert list(store.finished) == [a_trace().id]
    (trace,) = read_traces(path)
    assert trace.finish
    assert trace.finish.score.success
    assert read_timing(path)[trace.id].seconds == 2


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    TraceStore(tmp_path / "traces.jsonl").close()
    with pytest.raises(DataError, match=r"tracs\.jsonl: no such file; did you mean '.*/traces\.jsonl'"):
        read_traces(tmp_path / "tracs.jsonl")


def test_a_trace_of_a_wrong_type_is_refused_before_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    wrong: Any = {"door": 1}
    trace = a_trace()
    trace.nodes[1] = replace(trace.nodes[1], action=Action("open", wrong))
    with TraceStore(path) as store, pytest.raises(ValueError, match="arguments"):
        store.append(trace, 0)
    assert read_traces(path) == []
    assert read_timing(path) == {}


FULL = """
import resource, sys
from pathlib import Path
from tests.core.test_store import a_trace
from tmbr.core.errors import DataError
from tmbr.core.store import TraceStore
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
with TraceStore(Path(sys.argv[1])) as store:
    try:
        for name in range(100):
            store.append(a_trace(str(name)), 0)
    except DataError as error:
        print(len(store.finished), error)
"""


def test_when_the_disk_takes_no_more_every_earlier_episode_is_kept(tmp_path: Path) -> None:
    """The limit on a file's size stands for a full disk: the kernel cuts the write in the same way."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    path = tmp_path / "traces.jsonl"
    child = [sys.executable, "-c", FULL, str(path)]
    said = subprocess.run(child, check=True, capture_output=True, text=True, timeout=60).stdout
    kept, line = said.rstrip("\n").split(" ", 1)
    assert line.startswith(f"{path}: cannot write (File too large)")
    assert "same command again" in line
    assert path.read_bytes().endswith(b"}\n")
    assert len(read_traces(path)) == int(kept) > 2
    with TraceStore(path) as store:
        assert store.warning is None
        store.append(a_trace("next"), 0)


def test_the_sidecar_has_its_own_name(tmp_path: Path) -> None:
    assert timing_path(tmp_path / "traces.jsonl").name == "traces.timing.jsonl"


def test_traces_are_read_one_at_a_time_from_any_of_them(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    assert list(each_trace(_touched(path))) == []
    with TraceStore(path) as store:
        for name in ("a", "b", "c"):
            store.append(a_trace(name), 0.0)
    found = list(each_trace(path))
    assert [trace for _, _, trace in found] == read_traces(path)
    with path.open("rb") as file:
        assert [trace_at(file, first) for first, _, _ in found] == [trace for _, _, trace in found]
    for at, (first, end, _) in enumerate(found):
        assert list(each_trace(path, first)) == found[at:]
        assert list(each_trace(path, end)) == found[at + 1 :]
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert list(each_trace(path)) == found[:-1]
    path.write_bytes(whole.replace(b'"id":"b"', b'"id":["b"]'))
    with pytest.raises(DataError, match=r"traces\.jsonl:3: broken record"):
        list(each_trace(path, found[1][0]))


def _touched(path: Path) -> Path:
    path.touch()
    return path
