"""Tasks by name: each can be listed, played and learnt from by the same commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_eval import finished
from tmbr.cli.tasks import TASKS, describe, load, make_task
from tmbr.core.errors import ConfigError


def test_every_task_is_listed_with_what_it_holds() -> None:
    lines = list(describe())
    for name in TASKS:
        assert f"{name} generated: 20,000 train, 500 validation, 500 test" in lines
        for source in load(name).sources:
            assert any(line.startswith(f"{name} {source}: ") for line in lines)
    assert not any(" generated" in line.partition(":")[0] for line in describe(generated=False))


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'database'"):
        make_task("databse", "generated", "text")


@pytest.mark.parametrize("task", [name for name in TASKS if name != "household"])
@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_teachers_and_strategies_play_it(task: str, form: str, tmp_path: Path) -> None:
    """The expert wins in every world whatever the strategy, and slips are mended by most."""
    said = finished(
        *("eval", f"task={task}", f"form={form}", "split=validation", "--samples", "20"),
        *("--model", "expert", "--model", "noisy-expert:0.25:slips"),
        *("--strategy", "react", "--strategy", "paper", "--strategy", "multibranch"),
        *("--out", str(tmp_path)),
    )
    assert task in said
    rows = json.loads((tmp_path / "summary.json").read_text())["rows"]
    found = {(row["model"], row["strategy"]): row for row in rows}
    assert all(found["expert", name]["success"] == 1.0 for name in ("react", "paper", "multibranch"))
    slips = found["noisy-expert:0.25:slips", "react"]
    assert slips["malformed"] + slips["inadmissible"] > 0  # a shell does nearly all that it is told
    assert found["noisy-expert:0.25:slips", "multibranch"]["success"] >= 0.6
    assert found["noisy-expert:0.25:slips", "multibranch"]["steps_on_forks"] > 0


@pytest.mark.parametrize(
    ("task", "library"), [("database", "sqlglot"), ("knowledge_graph", "pyoxigraph")]
)
def test_a_library_that_is_not_there_is_one_line(task: str, library: str, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.modules[{library!r}] = None; from tmbr.cli import run; "
        f"sys.exit(run(['eval', 'task={task}', '--model', 'expert', '--out', {str(tmp_path)!r}]))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert library in process.stderr
    assert "tmbr[" in process.stderr
