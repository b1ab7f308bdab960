"""From a teacher to traces and data."""

from __future__ import annotations

from typing import Annotated

import typer

from tmbr.cli.app import app, data
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


@data.command("make")
def make_data(
    arguments: Arguments = None,
    model: Annotated[
        str | None, typer.Option(help="The teacher, in every role; as for `tmbr eval`.")
    ] = None,
    key_env: KeyEnv = None,
    max_usd: Annotated[float | None, typer.Option(help="US dollars that are never passed.")] = None,
    out: Out = None,
) -> int:
    """Let a teacher ask questions of random worlds, verify them by execution, and play them.

    Three roles: a question generator, an action maker, and, only where `world=model` asks for it, an
    environment. A question enters when it names what its world holds, is not true at the start, is
    solved a second time (by the expert, or by samples that agree), and is no near-duplicate of another
    or of an evaluation sample.

    Writes OUT/questions.jsonl, OUT/traces.jsonl, OUT/dropped.jsonl (each with stage and reason) and
    OUT/report.json. It can be stopped at any moment; the same command goes on and makes the same set.

    \b
    Examples:
      tmbr data make recipes/teacher_local.yaml wanted=200 --out runs/made
      tmbr data make recipes/paper_planning.yaml --max-usd 20
    """
    from tmbr.cli.make import make
    from tmbr.teacher.config import MakeConfig

    told = told_model(model, None, key_env)
    return make(read(MakeConfig, arguments, {"model": told, "max_usd": max_usd, "out": out}))
