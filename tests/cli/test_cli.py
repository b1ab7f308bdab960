"""The command line as a user meets it: help, mistakes, bugs."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from tests.support.doors import doors_jobs
from tmbr.cli import commands, run  # noqa: F401 (hang themselves on the tree)
from tmbr.cli.app import app
from tmbr.core.store import TraceStore

HEAVY = ("torch", "transformers", "openai", "trl", "pydantic", "rich", "jinja2")


def tree(app: typer.Typer) -> list[tuple[str, ...]]:
    """All commands, as the words that call them."""
    found = [
        (info.name or info.callback.__name__,) for info in app.registered_commands if info.callback
    ]
    for group in app.registered_groups:
        assert group.name
        assert group.typer_instance
        found += [(group.name, *words) for words in tree(group.typer_instance)]
    return found


async def _episode() -> None: ...


def _made_and_not_run() -> None:
    made = _episode()  # noqa: F841
    raise KeyboardInterrupt


def _half_an_event_loop() -> None:
    asyncio.run(_episode())


@pytest.mark.parametrize("command", [_made_and_not_run, _half_an_event_loop])
def test_ctrl_c_before_an_episode_began_is_one_line(
    command: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the key is pressed decides what is under way. The sockets of a real event loop are made by a
    patch that presses it there: a signal hits that moment once in thousands."""

    def pressed() -> None:
        raise KeyboardInterrupt

    ours = typer.Typer(cls=type(typer.main.get_command(app)))
    ours.callback(invoke_without_command=True)(command)
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    monkeypatch.setattr(socket, "socketpair", pressed)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert run(["--"], ours) == 130
        gc.collect()
    assert [str(one.message) for one in warned] == []
    assert unraisable == []
    assert capsys.readouterr().err == "tmbr: interrupted; the same command goes on where it stopped\n"


def test_help_loads_no_stage() -> None:
    code = (
        "import sys; from tmbr.cli import run; assert run(['--help']) == 0; "
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.splitlines()[-1] == "loaded: []"
    assert "eval" in said.stdout


@pytest.mark.parametrize("words", tree(app), ids=" ".join)
def test_every_command_shows_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--help"]) == 0
    assert re.search(rf"Examples?:\n +tmbr {' '.join(words)}", capsys.readouterr().out)


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["evl"], "'eval'"),
        (["data", "chek"], "'check'"),
        (["eval", "--modl", "nano"], "--model"),
        (["eval", "samplse=3"], "'samples'"),
        (["eval", "models.nano.adaptr=x"], "'adapter'"),
        (["eval", "task=houshold"], "'household'"),
        (["eval", "data=alfworld-valid_sen"], "'alfworld-valid_seen'"),
        (["eval", "form=txt"], "'text'"),
        (["eval", "--model", "noisy-expert:1.5", "--out", "DIR"], "0 <= P <= 1"),
        (["eval", "--model", "noisy-expert:0.1:slip", "--out", "DIR"], "noisy-expert:P:slips"),
        (["eval", "DIR/grd.yaml"], "grid.yaml'"),
        (["data", "validate", "DIR/grd.yaml"], "grid.yaml'"),
        (["data", "convert", "DIR/grid.yaml", "DIR/out.jsonl", "--to", "sharegtp"], "'sharegpt'"),
        (["eval", "a.yaml", "b.yaml"], "one config file"),
        (["eval", "--samples", "many"], "--samples"),
        (["data"], "`tmbr --help`"),
        (["eval", "--adapter", "x"], "--model"),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest_right_name(
    arguments: list[str], nearest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "grid.yaml").write_text("")
    assert run([text.replace("DIR", str(tmp_path)) for text in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("tmbr: ")
    assert nearest in said.err


def test_a_bug_is_one_line_and_a_file_with_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def broken() -> None:
        raise ZeroDivisionError("two\nlines")

    assert run([], app) == 0
    assert capsys.readouterr().out
    app.callback()(lambda: None)
    assert run(["broken"], app) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    log = Path(said.split("the traceback is in ")[1].strip())
    assert "in broken\n    raise ZeroDivisionError" in log.read_text()
    log.unlink()


def test_data_validate_says_what_a_trace_file_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    from tmbr.runner import run as play

    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        asyncio.run(play(doors_jobs(count=4), store))
    assert run(["data", "validate", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: 4 whole episodes, ")
    path.write_bytes(path.read_bytes().replace(b'"kind":"act"', b'"kind":"cat"', 1))
    assert run(["data", "validate", str(path)]) == 2
    assert re.search(r"traces\.jsonl:\d: broken record", capsys.readouterr().err)
