"""A user's own task: the one in the docs, and every way in which a file can be wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_eval import finished
from tmbr.core.constraints import constrained
from tmbr.core.errors import ConfigError
from tmbr.tasks.own import load

EXAMPLE = Path(__file__).parents[2] / "docs" / "counter.py"


def test_the_example_is_short_and_holds_the_contract() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 80
    said = finished("task", "check", f"{EXAMPLE}:Counter", "--walks", "50")
    assert said.count("holds") == 5
    assert "broken" not in said


def test_the_example_is_measured_like_any_task(tmp_path: Path) -> None:
    said = finished(
        *("eval", f"task={EXAMPLE}:Counter", "split=validation", "--model", "expert"),
        *("--strategy", "react", "--strategy", "multibranch", "--samples", "20"),
        *("--out", str(tmp_path)),
    )
    assert "counter" in said
    assert said.count("100.0%") >= 2


def test_a_teacher_that_it_lacks_is_one_line(tmp_path: Path) -> None:
    code = "from tmbr.cli import main; main()"
    told = ["eval", f"task={EXAMPLE}:Counter", "--model", "walkthrough", "--out", str(tmp_path)]
    process = subprocess.run([sys.executable, "-c", code, *told], capture_output=True, text=True)
    assert process.returncode == 2
    assert "the task 'counter' has no walkthrough()" in process.stderr


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        (None, "Mine", "no such file"),
        ("class Mine: pass", "Mien", "did you mean 'Mine'"),
        ("class Mine: pass", "Mine", "has no name, version, rounds, samples, open"),
        ("1 / 0", "Mine", "cannot be run: ZeroDivisionError"),
        ("def (", "Mine", "cannot be run: SyntaxError"),
        (
            "class Mine:\n    def __init__(self): raise ValueError('no')",
            "Mine",
            "fails: ValueError: no",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    text: str | None, name: str, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=why) as caught:
        load(f"{path}:{name}")
    assert "\n" not in str(caught.value)


def test_a_task_of_ones_own_can_bring_its_grammar(tmp_path: Path) -> None:
    """The words of docs/own_task.md, put into a task that has none."""
    said = (EXAMPLE.parent / "own_task.md").read_text().split("from tmbr.core.grammar", 1)[1]
    lines = [
        line.removeprefix("      ") for line in said.split("`tmbr task check`")[0].splitlines()[2:]
    ]
    body = "\n".join(f"    {line}" for line in lines)
    imports = "from counter import Counter\nfrom tmbr.core.grammar import LINE, Grammar, one_of\n"
    (tmp_path / "counter.py").write_text(EXAMPLE.read_text())
    (tmp_path / "mine.py").write_text(f"{imports}class Mine(Counter):\n{body}\n")
    load(f"{tmp_path / 'counter.py'}:Counter")
    task = constrained(load(f"{tmp_path / 'mine.py'}:Mine"), "format")
    grammar = task.grammar("format", "")
    assert grammar.text is not None
    assert grammar.text.fits("Thought: so\nAction: up")
    with pytest.raises(ConfigError, match="tells no list"):
        constrained(task, "admissible")
