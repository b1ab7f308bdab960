"""From a teacher to traces and data."""

from __future__ import annotations

from typing import Annotated

import typer

from tmbr.cli.app import app
from tmbr.cli.arguments import Adapter, Arguments, KeyEnv, Out, Samples, read, told_model


@app.command()
def collect(
    arguments: Arguments = None,
    model: Annotated[
        str | None, typer.Option(help="As for `tmbr eval`; by default the expert.")
    ] = None,
    adapter: Adapter = None,
    key_env: KeyEnv = None,
    samples: Samples = None,
    out: Out = None,
) -> int:
    """Let the expert or a model play, and keep the traces.

    \b
    Example:
      tmbr collect --samples 500 --out runs/expert
    """
    from tmbr.cli.play import collect
    from tmbr.config import CollectConfig

    options = {"model": told_model(model, adapter, key_env), "samples": samples, "out": out}
    return collect(read(CollectConfig, arguments, options))
