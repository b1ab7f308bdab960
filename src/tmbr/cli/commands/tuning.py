"""From data to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tmbr.cli.app import app, tune
from tmbr.cli.arguments import Arguments, read


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
      tmbr tune sft --model nano --data rows.jsonl evaluate_every=50 patience=4 validation.task=database
    """
    from tmbr.cli.tune import SftRun
    from tmbr.cli.tune import tune as run

    if source is None:
        raise typer.BadParameter("--data is missing: a file of traces (`tmbr collect`) or of rows.")
    run(read(SftRun, arguments, {"model": model}), source, out)


@tune.command()
def reward(
    arguments: Arguments = None,
    source: Annotated[
        Path | None,
        typer.Option("--data", help="Pairs, valued conversations, both in one file, or traces.jsonl."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="The base: nano, a path or a hub name.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/reward"),
) -> None:
    """A reward model: a scalar head on an adapter, which the judge `reward=OUT` asks.

    It learns which of two answers is better (pairs, Bradley-Terry) and how promising a conversation is
    (values in [0, 1], cross-entropy). Accuracy, AUC and calibration on held-out samples are in
    OUT/result.json. The same command again goes on from the last checkpoint.

    \b
    Examples:
      tmbr tune reward --model nano --data runs/collect/traces.jsonl
      tmbr tune reward recipes/reward_llama2_7b.yaml --data pairs.jsonl margin=1
      tmbr judges runs/eval/traces.jsonl --judge rules --judge reward=runs/reward
    """
    from tmbr.cli.prefer import tune_reward as run
    from tmbr.tuning.preference_config import RewardConfig

    if source is None:
        raise typer.BadParameter("--data is missing: pairs, valued conversations or traces.")
    run(read(RewardConfig, arguments, {"model": model}), source, out)


@tune.command()
def dpo(
    arguments: Arguments = None,
    source: Annotated[
        Path | None, typer.Option("--data", help="Pairs, or traces.jsonl with branches.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The base: nano, a path or a hub name.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/dpo"),
) -> None:
    """Direct preference optimisation on pairs of answers to the same conversation.

    The reference is the base with the adapter off; with adapter=FOLDER training goes on from that
    adapter, which is the reference too. The same command again goes on from the last checkpoint.

    \b
    Examples:
      tmbr tune dpo --model runs/sft/model --data pairs.jsonl
      tmbr tune dpo recipes/dpo_qwen_0.5b.yaml --data pairs.jsonl adapter=runs/sft/adapter beta=0.05
      tmbr tune dpo --model runs/sft/model --data pairs.jsonl evaluate_every=25 validation.samples=64
    """
    from tmbr.cli.prefer import DpoRun
    from tmbr.cli.prefer import tune_dpo as run

    if source is None:
        raise typer.BadParameter("--data is missing: a file of pairs, or of traces with branches.")
    run(read(DpoRun, arguments, {"model": model}), source, out)


@tune.command()
def plan(
    arguments: Arguments = None,
    model: Annotated[str | None, typer.Option(help="The base: nano, a path or a hub name.")] = None,
    source: Annotated[
        Path | None, typer.Option("--data", help="Traces or rows: counts tokens and time of an epoch.")
    ] = None,
    card: Annotated[str, typer.Option(help="cpu, or a GPU: rtx4090, l4, a100, h100, …")] = "cpu",
    gpus: Annotated[int, typer.Option(min=1, help="How many of them.")] = 1,
    sharding: Annotated[
        Literal["ddp", "zero2", "zero3", "fsdp2"], typer.Option(help="How they share the state.")
    ] = "ddp",
    tflops: Annotated[
        float | None, typer.Option(help="Peak of one card in 10^12 operations a second.")
    ] = None,
    utilisation: Annotated[float, typer.Option(help="Share of the peak that training reaches.")] = 0.4,
) -> None:
    """Memory and time that a config of `tmbr tune sft` needs; reads the model's config, no weights.

    Memory is what the largest batch takes, besides what the driver keeps for itself. Time is an
    estimate: the share of a card's peak that training reaches differs.

    \b
    Examples:
      tmbr tune plan recipes/sft_llama2_7b.yaml --card rtx4090
      tmbr tune plan recipes/sft_llama2_13b.yaml --card a100 --gpus 4 --sharding fsdp2 method=full
    """
    from tmbr.cli.plan import Machine
    from tmbr.cli.plan import plan as run
    from tmbr.tuning.config import SftConfig

    machine = Machine(card, gpus, sharding, tflops, utilisation)
    run(read(SftConfig, arguments, {"model": model}), machine, source)


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

    tune_policy(read(PpoRun, arguments, {"model": model, "adapter": adapter}), out)


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

    tune_policy(read(GrpoRun, arguments, {"model": model, "adapter": adapter}), out)


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
