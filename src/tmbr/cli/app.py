"""The tree of commands, on which the files of `commands/` hang theirs."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import typer
from typer.core import TyperGroup


class _Tree(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # typer makes an exit of it that nobody could tell from others
            _hush()
            raise typer.Abort from None


def _hush() -> None:
    """What was about to begin when the key was pressed has nothing to say about that: an episode that
    was made and not run, an event loop of which half is there."""
    from asyncio import BaseEventLoop

    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    warnings.filterwarnings("ignore", "unclosed event loop", ResourceWarning)
    tell = sys.unraisablehook

    def others(said: sys.UnraisableHookArgs) -> None:
        if said.object is not BaseEventLoop.__del__:
            tell(said)

    sys.unraisablehook = others


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
