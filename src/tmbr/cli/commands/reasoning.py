"""Strategies, and one sample solved by one."""

from __future__ import annotations

from typing import Annotated

import typer

from tmbr.cli.app import app
from tmbr.cli.arguments import Adapter, Arguments, KeyEnv, Out, read, told_model


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
    judge: Annotated[
        str | None, typer.Option(help="default, rules, self, model=SPEC, reward=FOLDER, a mix.")
    ] = None,
    constrain: Annotated[
        str | None,
        typer.Option(help="format: only turns that can be read; admissible: only what is listed."),
    ] = None,
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
      tmbr run household form=agentbench --constrain admissible --explain
      tmbr run household --from runs/run/traces.jsonl:generated-test-0:12 --strategy paper --judge self
    """
    from tmbr.cli.solve import solve
    from tmbr.config import RunConfig

    told = {"strategy": strategy, "judge": judge, "constrain": constrain}
    options = {
        **{"task": task, "data": data, "split": split, "sample": sample, "seed": seed, "out": out},
        **{"instruction": instruction, "begin": begin, "model": told_model(model, adapter, key_env)},
        **{f"strategy.{key}": value for key, value in told.items()},
    }
    return solve(read(RunConfig, arguments, options), explain)
