"""A person at the terminal: acting, going back, looking at the tree."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator

from rich.console import Console

from tests.support.doors import DoorsTask
from tmbr.cli.terminal import Play
from tmbr.tasks.household import Household


def played(task: object, *lines: str, sample: int = 0) -> str:
    console = Console(file=io.StringIO(), width=100)
    said: Iterator[str] = iter(lines)

    def ask(_: str) -> str:
        try:
            return next(said)
        except StopIteration:
            raise EOFError from None

    Play(task, task.samples("train")[sample], console).run(ask)  # type: ignore[attr-defined, arg-type]
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_every_state_stays_and_can_be_gone_back_to() -> None:
    task = DoorsTask()
    way = task.samples("train")[0].setup["way"]
    wrong = "b" if way[0] == "a" else "a"
    right = [f"open {door}" for door in way]
    said = played(task, f"open {wrong}", ":undo", *right, ":tree", ":go 0", ":go 99", "open c")
    assert "completed: score 1" in said
    assert f"1 open {wrong}" in said
    assert f"2 open {way[0]}" in said
    assert f"states 0 to {1 + len(way)}" in said
    assert "(not possible here)" in said


def test_what_is_no_action_and_no_command_is_told() -> None:
    said = played(DoorsTask(), "jump", ":undo", ":undo", ":fly", ":hint")
    assert "(no action: neither `open` nor `leave`)" in said
    assert "This is the start." in said
    assert ":undo      back to the state before" in said
    assert "This task has no expert." in said


def test_hints_lead_to_the_goal() -> None:
    task = Household()
    lines: list[str] = []
    for _ in range(20):
        said = played(task, *lines, ":hint")
        if "completed: score 1" in said:
            break
        lines.append(said.rsplit("Action: ", 1)[1].strip())
    assert "completed: score 1" in said


def test_the_command_reads_lines_from_the_terminal() -> None:
    code = "from tmbr.cli import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", code, "play", "household"],
        input="look\n:prompt\n:quit\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "state 1" in process.stdout
    assert "You are an agent in a household" in process.stdout
