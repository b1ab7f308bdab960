"""From data to a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

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


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished `tmbr tune`.")],
    out: Annotated[Path, typer.Option(help="Folder of the model; must not exist.")],
    results: Annotated[
        Path | None, typer.Option(help="Folder of `tmbr eval`, whose table the model card shows.")
    ] = None,
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        typer.Option(help="Of the weights; auto leaves them as they are stored."),
    ] = "auto",
    push: Annotated[
        str | None,
        typer.Option(metavar="REPO", help="Upload too, private where new; the key is HF_TOKEN's."),
    ] = None,
) -> None:
    """Write a tuned model for transformers, vLLM, llama.cpp and CTranslate2, with a model card.

    Adapters are merged into their base. Nothing leaves this machine without --push.

    \b
    Examples:
      tmbr export runs/sft --out runs/model --results runs/eval
      tmbr export runs/sft --out runs/model --dtype bfloat16 --push me/my-agent
      ct2-transformers-converter --model runs/model --output_dir runs/model-ct2
    """
    from tmbr.cli.export import export as run_export

    run_export(run, out, results, dtype, push)
