"""The tree of commands, on which the files of `commands/` hang theirs."""

from __future__ import annotations

import warnings
from typing import Any

import typer
from typer.core import TyperGroup


class _Tree(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # typer makes an exit of it that nobody could tell from others
            # What was about to be run when it came has nothing to say about that.
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            raise typer.Abort from None


_TREE: dict[str, Any] = {
    "rich_markup_mode": None,
    "add_completion": False,
    "pretty_exceptions_enable": False,
}
_TUNE = """Train on traces: an adapter, or a whole model.

On several GPUs: `accelerate launch --config_file recipes/accelerate/ddp.yaml -m tmbr tune ...`.
"""
app = typer.Typer(
    help="Tune small language models into agents, let them search, and measure both.",
    cls=_Tree,
    **_TREE,
)
tune = typer.Typer(help=_TUNE, **_TREE)
data = typer.Typer(help="Look at data, check it, review it, and write it for others.", **_TREE)
task = typer.Typer(help="Look at a task.", **_TREE)
app.add_typer(tune, name="tune")
app.add_typer(data, name="data")
app.add_typer(task, name="task")
