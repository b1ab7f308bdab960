"""Decisions are kept at once, the last one counts, and what was decided is what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import traces
from tests.teacher.items import tool
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import Pair, read_pairs, write_pairs
from tmbr.core.rows import Row, Turn, read_rows, rows, write_rows
from tmbr.core.store import TraceStore, read_traces
from tmbr.core.trace import Trace
from tmbr.core.types import Message, ToolCall
from tmbr.teacher.review import Decision, Decisions, apply, cases

ROW = Row(
    "r",
    (
        Turn(Message("user", "Look.")),
        Turn(Message("assistant", "", (ToolCall("c", "look", "{}"),)), 1.0),
        Turn(Message("tool", "A mug.", tool_call_id="c")),
        Turn(Message("assistant", "Done."), 1.0),
    ),
    (tool("look"),),
)


@pytest.fixture
def played(tmp_path: Path) -> Path:
    with TraceStore(tmp_path / "traces.jsonl") as store:
        for trace in (traces.react(), traces.multibranch(), traces.restart()):
            store.append(trace, 0.1)
    return tmp_path / "traces.jsonl"


def test_a_review_goes_on_where_it_stopped_and_the_last_word_counts(
    played: Path, tmp_path: Path
) -> None:
    found = cases(played)
    path = tmp_path / "decisions.jsonl"
    with Decisions(path) as decisions:
        assert decisions.first_open(found) == 0
        decisions.decide(Decision(found[0].id, "drop"))
        decisions.decide(Decision(found[1].id, note="hm"))
        decisions.decide(Decision(found[0].id, "keep", note="after all"))
        with pytest.raises(DataError, match="another process"):
            Decisions(path)
    with path.open("a") as file:
        file.write('{"id": "to')  # a kill in the midst of a line
    with Decisions(path) as decisions:
        assert decisions.latest[found[0].id] == Decision(found[0].id, "keep", None, "after all")
        assert decisions.counts(found) == {"keep": 1, "open": 2}
        assert decisions.first_open(found) == 1
        assert decisions.first_open(found, 1) == 2
        decisions.decide(Decision(found[1].id, "drop"))
        decisions.decide(Decision(found[2].id, "drop"))
        assert decisions.first_open(found, 2) is None
    assert len(path.read_text().splitlines()) == 6  # with the header: nothing is ever taken out


def test_a_case_tells_the_committed_path_with_what_the_world_said(played: Path) -> None:
    case = next(case for case in cases(played) if case.source.run.strategy == "multibranch")  # type: ignore[union-attr]
    assert case.title == "put a cool mug in cabinet"
    assert case.facts == ("household", "tuned, multibranch", "completed", "score 1")
    assert [turn.message.role for turn in case.turns[:4]] == ["system", "user", "assistant", "user"]
    assert [turn.at is None for turn in case.turns[:4]] == [True, True, False, False]
    assert case.turns[2].at == case.turns[3].at


def test_traces_that_were_kept_and_cut_are_traces(played: Path, tmp_path: Path) -> None:
    found = cases(played)
    failed = next(case for case in found if case.source.run.strategy == "react")  # type: ignore[union-attr]
    solved = next(case for case in found if case.source.run.strategy == "multibranch")  # type: ignore[union-attr]
    at = sorted(failed.cuts())[2]
    out, as_rows = tmp_path / "out.jsonl", tmp_path / "rows.jsonl"
    with Decisions(tmp_path / "decisions.jsonl") as decisions:
        with pytest.raises(ConfigError, match="nothing has been kept"):
            apply(found, decisions, out, None)
        decisions.decide(Decision(solved.id, "keep"))
        decisions.decide(Decision(failed.id, "cut", at))
        assert apply(found, decisions, out, None).written == 2
        assert apply(found, decisions, as_rows, "messages").written == 2
    written = {trace.id: trace for trace in read_traces(out)}
    assert written[solved.id] == solved.source
    cut = written[failed.id]
    assert cut.finish is not None
    assert (cut.finish.leaf, cut.finish.stop, cut.finish.score.success) == (at, "cut in review", False)
    assert isinstance(failed.source, Trace)
    assert cut.nodes == failed.source.nodes
    expected = [*rows([solved.source]), *rows([cut], keep=lambda _: [at])]  # type: ignore[list-item]
    assert sorted(read_rows(as_rows), key=str) == sorted(expected, key=str)


def test_rows_are_cut_after_a_turn(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [ROW, ROW, Row("s", ROW.turns, ROW.tools)])
    found = cases(tmp_path / "rows.jsonl")
    assert len(found) == 2  # equal rows are one case
    assert found[0].cuts() == {1, 3}
    with Decisions(tmp_path / "decisions.jsonl") as decisions:
        decisions.decide(Decision(found[0].id, "cut", 1))
        decisions.decide(Decision(found[1].id, "drop"))
        assert apply(found, decisions, tmp_path / "out.jsonl", None).written == 1
        assert read_rows(tmp_path / "out.jsonl") == [Row("r", ROW.turns[:2], ROW.tools)]
        done = apply(found, decisions, tmp_path / "out.jsonl", "alpaca")
        assert (done.written, done.bad) == (0, 1)
        assert "calls or answers a tool" in done.first[0].why
        decisions.decide(Decision(found[0].id, "cut", 2))
        with pytest.raises(DataError, match="was cut at 2, which is none of its turns"):
            apply(found, decisions, tmp_path / "out.jsonl", None)


def test_pairs_are_kept_or_dropped(tmp_path: Path) -> None:
    asked = (Message("user", "a"),)
    pairs = [Pair(id, asked, Message("assistant", "b"), Message("assistant", "c")) for id in "pq"]
    write_pairs(tmp_path / "pairs.jsonl", pairs)
    found = cases(tmp_path / "pairs.jsonl")
    assert found[0].cuts() == set()
    with Decisions(tmp_path / "decisions.jsonl") as decisions:
        decisions.decide(Decision(found[1].id, "keep"))
        assert apply(found, decisions, tmp_path / "out.jsonl", None).written == 1
    assert read_pairs(tmp_path / "out.jsonl") == pairs[1:]


def test_a_broken_decision_is_named(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    Decisions(path).close()
    path.write_text(path.read_text() + '{"id": "a", "verdict": "maybe"}\n{"id": "a"}\n')
    with pytest.raises(DataError, match=r"decisions\.jsonl:2: broken record"):
        Decisions(path)
