"""From a teacher to traces and data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tmbr.cli.app import app, data
from tmbr.cli.arguments import (
    Adapter,
    Arguments,
    KeyEnv,
    Out,
    Samples,
    file_and_overrides,
    read,
    told_model,
)


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


@data.command()
def build(arguments: Arguments = None, out: Out = None) -> None:
    """Make training data of traces: rows, preference pairs and values, filtered and mixed.

    Only traces of a train split: the score decides what is kept. A row is the committed branch; what
    the tree went back from is cut (detours=cut) or told as a wrong turn and its mending (detours=tell).
    Turns that told nothing new and changed nothing are cut when a replay in the world agrees.
    agent_share is λ: the agent's share of the rows (mix_by=rows), or of the loss (mix_by=weights).

    Writes OUT/rows.jsonl (for `tmbr tune sft`), OUT/pairs.jsonl, OUT/values.jsonl and OUT/yields.json:
    what each filter saw and dropped, with examples, and what was mixed. The same command again goes on
    where it stopped. Every key is described in tmbr/teacher/build_config.py.

    \b
    Examples:
      tmbr data build 'traces=[runs/collect/traces.jsonl]'
      tmbr data build recipes/data.yaml agent_share=0.5 mix_by=weights tokenizer=nano
      tmbr data build recipes/data.yaml filters.duplicates=near filters.most_per_group=5000
    """
    from tmbr.cli.build_data import build_data
    from tmbr.config import load
    from tmbr.teacher.build_config import DataConfig

    config, overrides = file_and_overrides(arguments)
    given = [f"out={json.dumps(str(out))}"] if out else []
    build_data(load(DataConfig, config, given + overrides))


@data.command()
def values(
    traces: Annotated[Path, typer.Argument(metavar="TRACES.jsonl", help="Of a train split.")],
    arguments: Arguments = None,
    model: Annotated[
        str | None, typer.Option(help="Who plays the rest; as for `tmbr eval`, by default nano.")
    ] = None,
    adapter: Adapter = None,
    key_env: KeyEnv = None,
    rollouts: Annotated[int | None, typer.Option(min=1, help="From each turn; by default 8.")] = None,
    out: Out = None,
) -> int:
    """Value turns of stored trees by rollouts: how often does it end well from here?

    The world of a turn is opened and replayed once and then forked, so a rollout costs only its own
    turns. Writes OUT/step_values.jsonl (which `tmbr data build` takes as step_values), and of these
    traces OUT/values.jsonl and OUT/pairs.jsonl. The same command again goes on where it stopped.

    \b
    Examples:
      tmbr data values runs/collect/traces.jsonl --model runs/sft/model --rollouts 4
      tmbr data values runs/collect/traces.jsonl --model noisy-expert:0.3 which=branch most=5
    """
    from tmbr.cli.build_data import value_data
    from tmbr.config import ValuesConfig

    options = {
        "traces": traces,
        "model": told_model(model, adapter, key_env),
        "rollouts": rollouts,
        "out": out,
    }
    return value_data(read(ValuesConfig, arguments, options))


@data.command()
def thoughts(
    traces: Annotated[Path, typer.Argument(metavar="TRACES.jsonl", help="Solved episodes.")],
    arguments: Arguments = None,
    model: Annotated[str | None, typer.Option(help="Who explains; as for `tmbr eval`.")] = None,
    adapter: Adapter = None,
    key_env: KeyEnv = None,
    out: Out = None,
) -> int:
    """Let a model add thoughts to the actions of solved episodes.

    The actions stay as they are. A thought is kept only if it names no object, place or id that was not
    yet seen when the action was taken; else the turn keeps its own words. Writes OUT/traces.jsonl; the
    same command again goes on where it stopped.

    \b
    Example:
      tmbr data thoughts runs/collect/traces.jsonl --model Qwen2.5-7B@http://localhost:8000/v1
    """
    from tmbr.cli.thoughts import add_thoughts
    from tmbr.config import ThoughtsConfig

    options = {"traces": traces, "model": told_model(model, adapter, key_env), "out": out}
    return add_thoughts(read(ThoughtsConfig, arguments, options))
