"""One function per command, in the order of the loop; add yours where its stage stands.

A function only reads its arguments into a config and calls the stage, which it imports inside, so that
`tmbr --help` loads no stage at all. Its docstring is its help and ends with an example.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from tmbr.config import Config

C = TypeVar("C", bound="Config")

_TREE: dict[str, Any] = {
    "rich_markup_mode": None,
    "add_completion": False,
    "pretty_exceptions_enable": False,
}
app = typer.Typer(
    help="Tune small language models into agents, let them search, and measure both.", **_TREE
)
data = typer.Typer(help="Look at data and traces.", **_TREE)
app.add_typer(data, name="data")

Arguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="CONFIG.yaml|KEY=VALUE", help="A config file and overrides of its keys."),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="nano, expert, noisy-expert:P[:per-state], NAME@http://HOST/v1, a path or a hub name.",
    ),
]
Adapter = Annotated[str | None, typer.Option(help="PEFT adapter of the model: a folder or a hub name.")]
KeyEnv = Annotated[str | None, typer.Option(help="Environment variable with the endpoint's key.")]
Samples = Annotated[int | None, typer.Option(help="The first so many samples of the split.")]
Out = Annotated[Path | None, typer.Option(help="Folder for traces and results.")]


# teacher ---------------------------------------------------------------------------------------------


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

    options = {"model": _model(model, adapter, key_env), "samples": samples, "out": out}
    return collect(_config(CollectConfig, arguments, options))


# reasoning -------------------------------------------------------------------------------------------


@app.command()
def strategies() -> None:
    """List the strategies and what each may do.

    \b
    Example:
      tmbr strategies
    """
    from tmbr.cli.build import describe_strategies

    for line in describe_strategies():
        typer.echo(line)


# evaluation ------------------------------------------------------------------------------------------


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

    options = {
        "models": {spec: _model(spec, adapter, key_env) for spec in model or []} or None,
        "strategies": strategy or None,
        "samples": samples,
        "out": out,
    }
    if (adapter or key_env) and not model:
        raise typer.BadParameter("--adapter and --key-env belong to a --model.")
    return evaluate(_config(EvalConfig, arguments, options))


# data ------------------------------------------------------------------------------------------------


@data.command()
def check(paths: Annotated[list[Path] | None, typer.Argument(help="Trace files.")] = None) -> None:
    """Check trace files, or say which benchmark data is found.

    \b
    Examples:
      tmbr data check runs/eval/traces.jsonl
      tmbr data check
    """
    from tmbr.cli.check import check_benchmarks, check_traces

    lines = [check_traces(path) for path in paths] if paths else check_benchmarks()
    for line in lines:
        typer.echo(line)


# reading of arguments --------------------------------------------------------------------------------


def _config(kind: type[C], arguments: list[str] | None, options: dict[str, Any]) -> C:
    """The config file, if one is among the arguments, then options, then overrides."""
    from tmbr.config import load

    files = [text for text in arguments or [] if "=" not in text]
    if len(files) > 1:
        raise typer.BadParameter(f"one config file at most, but {' and '.join(files)} were given.")
    given = [
        f"{key}={json.dumps(value, default=str)}" for key, value in options.items() if value is not None
    ]
    overrides = [text for text in arguments or [] if "=" in text]
    return load(kind, Path(files[0]) if files else None, given + overrides)


def _model(spec: str | None, adapter: str | None, key_env: str | None) -> dict[str, str] | None:
    told = {"model": spec, "adapter": adapter, "key_env": key_env}
    return {key: value for key, value in told.items() if value is not None} or None
