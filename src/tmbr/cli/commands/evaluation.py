"""Measures, and the report of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tmbr.cli.app import app
from tmbr.cli.arguments import (
    Adapter,
    Arguments,
    KeyEnv,
    Models,
    Out,
    Samples,
    file_and_overrides,
    read,
    told_model,
)


@app.command("eval")
def evaluate(
    arguments: Arguments = None,
    model: Models = None,
    adapter: Adapter = None,
    key_env: KeyEnv = None,
    strategy: Annotated[list[str] | None, typer.Option(help="See `tmbr strategies`.")] = None,
    samples: Samples = None,
    out: Out = None,
) -> int:
    """Measure models × strategies × samples × seeds.

    Writes OUT/traces.jsonl and OUT/summary.json and prints the table. The same command again resumes a
    run that was stopped and reuses what is finished. --model and --strategy may be repeated.

    \b
    Examples:
      tmbr eval --model nano --strategy react --strategy multibranch --samples 50
      tmbr eval --model Qwen2.5-7B@http://localhost:8000/v1 --out runs/qwen
      tmbr eval recipes/grid.yaml budget.steps=40 seeds=[0,1,2]
    """
    from tmbr.cli.play import evaluate
    from tmbr.config import EvalConfig

    options: dict[str, Any] = {
        "models": {spec: told_model(spec, adapter, key_env) for spec in model or []} or None,
        "strategies": {name: {"strategy": name} for name in strategy or []} or None,
        "samples": samples,
        "out": out,
    }
    if (adapter or key_env) and not model:
        raise typer.BadParameter("--adapter and --key-env belong to a --model.")
    return evaluate(read(EvalConfig, arguments, options))


@app.command()
def judges(
    traces: Annotated[Path, typer.Argument(metavar="TRACES.jsonl", help="What `tmbr eval` wrote.")],
    judge: Annotated[
        list[str] | None,
        typer.Option(
            help="rules, confidence, default, self, model=SPEC, reward=FOLDER, or a mix as "
            "rules:0.6+self:0.4; "
            "by default the first three."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Whom `self` asks; as for `tmbr eval`.")] = None,
    adapter: Adapter = None,
    key_env: KeyEnv = None,
    task: Annotated[
        str | None, typer.Option(help="FILE.py:CLASS, where the traces are of a task of your own.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Of the first so many samples only.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the intervals.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder; by default that of the traces.")] = None,
) -> None:
    """Measure judges on stored episodes: do they know a good branch, and what do they cost?

    Writes OUT/judges.json and OUT/judges.svg, the calibration, and prints the table. --judge may be
    repeated. Choose judges on a validation split.

    \b
    Examples:
      tmbr judges runs/eval/traces.jsonl
      tmbr judges runs/eval/traces.jsonl --judge rules --judge self --model nano --samples 50
    """
    from tmbr.cli.judges import judges as run
    from tmbr.config import ModelConfig
    from tmbr.config_file import load

    if (adapter or key_env) and not model:
        raise typer.BadParameter("--adapter and --key-env belong to a --model.")
    told = told_model(model, adapter, key_env)
    given = [f"{key}={json.dumps(value)}" for key, value in (told or {}).items()]
    acting = load(ModelConfig, None, given) if told else None
    run(traces, judge or ["rules", "confidence", "default"], acting, task, samples, seed, out)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="What `tmbr eval` wrote: its --out.")] = Path(
        "runs/eval"
    ),
) -> None:
    """Write FOLDER/report.html: table, plots and the trees of chosen episodes, in one offline page.

    \b
    Example:
      tmbr report runs/eval
    """
    from tmbr.cli.report import report as write

    typer.echo(write(folder))


@app.command()
def quickstart(arguments: Arguments = None, out: Out = None) -> int:
    """The whole path on the embedded defaults: collect, tune, evaluate, report.

    Needs no GPU and no download. The same command again reuses what is finished.

    \b
    Examples:
      tmbr quickstart
      tmbr quickstart --out runs/try eval.samples=50
    """
    from tmbr.cli.quickstart import default, quickstart
    from tmbr.config import QuickstartConfig
    from tmbr.config_file import load

    config, overrides = file_and_overrides(arguments)
    given = [f"out={json.dumps(str(out))}"] if out else []
    return quickstart(load(QuickstartConfig, config or default(), given + overrides))
