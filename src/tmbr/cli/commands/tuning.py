"""From data to a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tmbr.cli.app import app, tune
from tmbr.cli.arguments import Arguments, file_and_overrides


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
    from tmbr.tuning.config import SftConfig

    if source is None:
        raise typer.BadParameter("--data is missing: a file of traces (`tmbr collect`) or of rows.")
    config, overrides = file_and_overrides(arguments)
    given = [f"model={json.dumps(model)}"] if model else []
    run(load(SftConfig, config, given + overrides), source, out)


@tune.command()
def ppo(
    arguments: Arguments = None,
    model: Annotated[str | None, typer.Option(help="The base: nano, a path or a hub name.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="An adapter of it to start from.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/ppo"),
) -> None:
    """Proximal policy optimisation: the model plays, a critic tells how good each turn was.

    Actor, critic and reference are adapters on one base in memory (`layout` has other ways). The same
    command again goes on from the last checkpoint. OUT/adapter (or OUT/model) is the result.

    \b
    Examples:
      tmbr tune ppo recipes/ppo_household.yaml --model runs/quickstart/tune/model
      tmbr tune ppo --model Qwen/Qwen2.5-0.5B-Instruct --adapter runs/sft/adapter rollouts.task=webshop
    """
    from tmbr.cli.policy import PpoRun, tune_policy
    from tmbr.config import load

    config, overrides = file_and_overrides(arguments)
    tune_policy(load(PpoRun, config, _given(model=model, adapter=adapter) + overrides), out)


@tune.command()
def grpo(
    arguments: Arguments = None,
    model: Annotated[str | None, typer.Option(help="The base: nano, a path or a hub name.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="An adapter of it to start from.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/grpo"),
) -> None:
    """Group relative policy optimisation: episodes of one sample are each other's measure.

    `groups=tree` compares the branches of a state from which the world was forked. The same command
    again goes on from the last checkpoint. OUT/adapter (or OUT/model) is the result.

    \b
    Examples:
      tmbr tune grpo recipes/grpo_household.yaml --model runs/quickstart/tune/model
      tmbr tune grpo recipes/grpo_tree.yaml group=4 forks=2 rollouts.task=database
    """
    from tmbr.cli.policy import GrpoRun, tune_policy
    from tmbr.config import load

    config, overrides = file_and_overrides(arguments)
    tune_policy(load(GrpoRun, config, _given(model=model, adapter=adapter) + overrides), out)


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


def _given(**options: object) -> list[str]:
    """Options as overrides."""
    return [
        f"{key}={json.dumps(value, default=str)}" for key, value in options.items() if value is not None
    ]
