"""Commands that look at what there is: tasks, worlds, and this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from tmbr.cli.app import app, task


@task.command("check")
def check_task(
    name: Annotated[str, typer.Argument(metavar="TASK", help="A name, or FILE.py:CLASS.")],
    split: Annotated[str, typer.Option(help="Split whose samples are tried.")] = "train",
    walks: Annotated[int, typer.Option(min=1, help="Random walks a clause.")] = 20,
) -> int:
    """Try the fork contract on a task: does going back go back?

    \b
    Examples:
      tmbr task check household
      tmbr task check docs/counter.py:Counter --walks 200
    """
    from tmbr.cli.tasks import check_contract

    return check_contract(name, split, walks)


@app.command()
def play(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A name, or FILE.py:CLASS.")],
    data: Annotated[str, typer.Option(help="As `tmbr tasks` lists them.")] = "generated",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "train",
    sample: Annotated[int, typer.Option(min=0, help="Which sample of the split.")] = 0,
) -> None:
    """Play a world yourself, and go back to any state of it.

    \b
    Examples:
      tmbr play household
      tmbr play database --data dbbench-dev --sample 3
    """
    from tmbr.cli.terminal import play

    play(task, data, split, sample)


@app.command()
def tasks() -> None:
    """List the tasks, where their samples may come from, and how many there are.

    \b
    Examples:
      tmbr tasks
      tmbr eval task=database data=dbbench-dev --model nano
    """
    from tmbr.cli.tasks import describe

    for line in describe():
        typer.echo(line)


@app.command()
def doctor() -> None:
    """Say what this machine gives tmbr: devices, extras, the sandbox, servers and data.

    \b
    Example:
      tmbr doctor
    """
    from tmbr.cli.doctor import findings

    for line in findings():
        typer.echo(line)
