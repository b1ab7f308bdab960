"""Which turns of which branches become training data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tmbr.core.errors import DataError
from tmbr.core.rows import Row, Turn, read_rows, rows, write_rows
from tmbr.core.trace import Finish, Node, Run, Trace
from tmbr.core.types import Action, Completion, Message, Sample, Score, Step, ToolCall

TOOL = {"type": "function", "function": {"name": "take_action", "parameters": {"type": "object"}}}


def _act(trace: Trace, parent: int, text: str, context: int | None = None, **more: object) -> int:
    """A sampled action and what the world answered to it."""
    call = ToolCall(f"c{len(trace.nodes)}", "take_action", json.dumps({"action": text}))
    settings = {
        "action": Action("take_action", {"action": text}),
        "step": Step(f"after {text}"),
        **more,
    }
    message = Message("assistant", f"I {text}.", (call,))
    at = parent if context is None else context
    return trace.add(Node(parent, at, "act", message, sampled=True, **settings))  # type: ignore[arg-type]


def _trace() -> tuple[Trace, int]:
    """Instruction, few-shot answer, task; then a branch left again, and the one that is committed."""
    sample = Sample("s1", "household", "train", "do", {})
    trace = Trace("t1", sample, Run("c", "t", "m", "s", "none", 0), tools=(TOOL,))
    root = trace.add(Node(None, None, "root", Message("user", "example")))
    shot = trace.add(Node(root, root, "root", Message("assistant", "few shot")))
    task = trace.add(Node(shot, shot, "root", Message("user", "task")))
    _act(trace, task, "go wrong")
    right = _act(trace, task, "go right")
    refused = _act(trace, right, "jump", step=Step("Nothing happens.", admissible=False))
    mumbled = _act(trace, refused, "mumble", action=None, error="no call")
    strayed = _act(trace, mumbled, "stray", completion=Completion("", finish_reason="mistake"))
    leaf = _act(trace, strayed, "finish")
    trace.finish = Finish(leaf, Score(1.0, True), "completed")
    return trace, leaf


def test_only_sound_sampled_turns_of_the_kept_branch_carry_loss() -> None:
    trace, _ = _trace()
    (row,) = rows([trace])
    assert [(t.message.role, t.message.content, t.loss) for t in row.turns] == [
        ("user", "example", 0),
        ("assistant", "few shot", 0),
        ("user", "task", 0),
        ("assistant", "I go right.", 1),
        ("tool", "after go right", 0),
        ("assistant", "I jump.", 0),
        ("tool", "Nothing happens.", 0),
        ("assistant", "I mumble.", 0),
        ("tool", "after mumble", 0),
        ("assistant", "I stray.", 0),
        ("tool", "after stray", 0),
        ("assistant", "I finish.", 1),
        ("tool", "after finish", 0),
    ]
    assert row.id == "s1"
    assert row.tools == (TOOL,)


def test_a_failed_attempt_told_before_a_restart_is_context() -> None:
    trace, _ = _trace()
    failed = 3
    again = _act(trace, 2, "go again", context=failed)
    (row,) = rows([trace], keep=lambda _: [again])
    assert [(t.message.content, t.loss) for t in row.turns[3:]] == [
        ("I go wrong.", 0),
        ("after go wrong", 0),
        ("I go again.", 1),
        ("after go again", 0),
    ]


def test_failures_are_left_out_unless_asked_for() -> None:
    trace, leaf = _trace()
    trace.finish = Finish(leaf, Score(0.3, False), "completed")
    assert list(rows([trace])) == []
    assert len(list(rows([trace], keep=lambda t: t.leaves()))) == 2


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    trace, _ = _trace()
    odd = Row("odd", (Turn(Message("assistant", "a\u2028b  é"), 0.5, ((0, 1, 12.0),)),))
    made = [*rows([trace]), odd]
    assert write_rows(tmp_path / "rows.jsonl", made) == 2
    assert read_rows(tmp_path / "rows.jsonl") == made
    marked = tmp_path / "from_an_editor.jsonl"  # that begins a file with a byte order mark
    marked.write_bytes(b"\xef\xbb\xbf" + (tmp_path / "rows.jsonl").read_bytes())
    assert read_rows(marked) == made


def test_an_older_file_outlives_a_failure_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    made = [Row("a", (Turn(Message("assistant", "b"), 1.0),))]
    write_rows(path, made)

    def broken() -> Iterator[Row]:
        yield Row("c", made[0].turns)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(path, broken())
    assert read_rows(path) == made
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"messages": [{"role": "robot", "content": ""}]}', r"rows\.jsonl:2: messages\.0\.role: "),
        ('{"messages": [{"role": "user", "content": "a", "los": 1}]}', r":2: messages\.0\.los: "),
        ('{"messages": [{"role": "user", "content": "a", "loss": 1}]}', r"belong to assistant turns"),
        (
            '{"messages": [{"role": "assistant", "content": "ab", "loss": 1, "weights": [[0, 3, 2]]}]}',
            r"is no span of this content",
        ),
        (
            '{"messages": [{"role": "assistant", "content": "ab", "weights": [[0, 1, Infinity]]}]}',
            r"is no span of this content",
        ),
        ('{"messages": []}', r":2: messages: "),
        ('{"messages": [{"role": "us', r":2: row: Invalid JSON"),
    ],
)
def test_a_bad_row_names_file_line_and_key(tmp_path: Path, line: str, why: str) -> None:
    good = '{"messages": [{"role": "user", "content": "a"}]}'
    (tmp_path / "rows.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(DataError, match=why) as caught:
        read_rows(tmp_path / "rows.jsonl")
    assert "\n" not in str(caught.value)


def test_no_rows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n")
    with pytest.raises(DataError, match="holds no training rows"):
        read_rows(tmp_path / "rows.jsonl")
    with pytest.raises(DataError, match=r"none\.jsonl"):
        read_rows(tmp_path / "none.jsonl")
