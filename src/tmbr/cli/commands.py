"""The commands of the loop, one function each, in its order; add yours where its stage stands.

A function only reads its arguments into a config and calls the stage, which it imports inside, so that
`tmbr --help` loads no stage at all. Its docstring is its help and ends with an example.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tmbr.cli.app import app, tune
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

    options = {"model": told_model(model, adapter, key_env), "samples": samples, "out": out}
    return collect(read(CollectConfig, arguments, options))


# tuning ----------------------------------------------------------------------------------------------


@tune.command()
def sft(
    arguments: Arguments = None,
    source: Annotated[
        Path | None, typer.Option("--data", help="traces.jsonl, or rows in the OpenAI shape.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The base: nano, a path or a hub name.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/sft"),
) -> None:
    """Supervised fine-tuning with LoRA, or of all weights; loss on what the model wrote only.

    The same command again goes on from the last checkpoint. OUT/adapter (or OUT/model) is the result.

    \b
    Examples:
      tmbr tune sft --model nano --data runs/collect/traces.jsonl
      tmbr tune sft recipes/sft_llama2_7b.yaml --data runs/gpt4/traces.jsonl rank=32 epochs=2
    """
    from tmbr.cli.tune import tune as run
    from tmbr.config import load
    from tmbr.tuning.sft_config import SftConfig

    if source is None:
        raise typer.BadParameter("--data is missing: a file of traces (`tmbr collect`) or of rows.")
    config, overrides = file_and_overrides(arguments)
    given = [f"model={json.dumps(model)}"] if model else []
    run(load(SftConfig, config, given + overrides), source, out)


@app.command()
def merge(
    adapter: Annotated[Path, typer.Argument(help="Folder of a PEFT adapter.")],
    base: Annotated[str, typer.Option("--model", help="Its base: nano, a path or a hub name.")],
    out: Annotated[Path, typer.Option(help="Folder of the merged checkpoint; must not exist.")],
) -> None:
    """Write a base and its adapter as one checkpoint that needs no PEFT.

    \b
    Example:
      tmbr merge runs/sft/adapter --model nano --out runs/merged
    """
    from tmbr.cli.tune import merge as run

    run(base, adapter, out)


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


@app.command()
def run(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A name, or FILE.py:CLASS.")],
    arguments: Arguments = None,
    data: Annotated[str | None, typer.Option(help="As `tmbr tasks` lists them.")] = None,
    split: Annotated[str | None, typer.Option(help="train, validation or test.")] = None,
    sample: Annotated[int | None, typer.Option(min=0, help="Which sample of the split.")] = None,
    instruction: Annotated[
        str | None, typer.Option(help="Asked in the sample's world instead of its own; has no score.")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TRACES.jsonl:EPISODE:NODE", help="Go on from a node."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="As for `tmbr eval`; by default nano.")] = None,
    adapter: Adapter = None,
    key_env: KeyEnv = None,
    strategy: Annotated[str | None, typer.Option(help="See `tmbr strategies`.")] = None,
    judge: Annotated[str | None, typer.Option(help="default, rules, self, model=SPEC, a mix.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of all that is sampled.")] = None,
    explain: Annotated[bool, typer.Option(help="Say why each branch was left.")] = False,
    out: Out = None,
) -> int:
    """Solve one sample and look on: a live tree on a terminal, plain lines elsewhere.

    The numbers (#12) are the nodes of the trace. --from goes on from one of them: EPISODE is the
    trace's id or its sample's; the world is opened again and the actions of the branch are replayed
    (an answer that differs is an error), and what was paid for before is not charged again. A node
    that was only proposed is executed first.

    The score is told after the end. With --instruction there is none; the world still ends where its
    own task ends.

    It is always played anew and appended to OUT/traces.jsonl: of two equal runs the later one counts;
    give another --seed to keep both. OUT/summary.json is written anew, for `tmbr report OUT`. Ctrl-C
    drops the episode.

    \b
    Examples:
      tmbr run household --strategy multibranch --explain
      tmbr run webshop --sample 3 --model Qwen2.5-7B@http://localhost:8000/v1 budget.steps=40
      tmbr run household --instruction "put a clean mug on the desk." --model expert
      tmbr run household --from runs/run/traces.jsonl:generated-test-0:12 --strategy paper --judge self
    """
    from tmbr.cli.solve import solve
    from tmbr.config import RunConfig

    told = {"strategy": strategy, "judge": judge}
    options = {
        **{"task": task, "data": data, "split": split, "sample": sample, "seed": seed, "out": out},
        **{"instruction": instruction, "begin": begin, "model": told_model(model, adapter, key_env)},
        **{f"strategy.{key}": value for key, value in told.items()},
    }
    return solve(read(RunConfig, arguments, options), explain)


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
        "models": {spec: told_model(spec, adapter, key_env) for spec in model or []} or None,
        "strategies": strategy or None,
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
            help="rules, confidence, default, self, model=SPEC, or a mix as rules:0.6+self:0.4; "
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
    from tmbr.config import ModelConfig, load

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
    from tmbr.config import QuickstartConfig, load

    config, overrides = file_and_overrides(arguments)
    given = [f"out={json.dumps(str(out))}"] if out else []
    return quickstart(load(QuickstartConfig, config or default(), given + overrides))
