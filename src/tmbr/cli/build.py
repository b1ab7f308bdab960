"""From names in a config to what they stand for; nothing heavy is imported before it is needed."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from tmbr.config import ModelConfig, SamplingConfig, StrategyConfig
from tmbr.core.constraints import constrained
from tmbr.core.errors import ConfigError, nearest
from tmbr.core.protocols import Judge, Model, Strategy, Task

ENDPOINT = re.compile(r"(?P<name>.+)@(?P<url>https?://.+)")
NOISY = re.compile(r"noisy-expert:(?P<p>0?\.\d+|[01](?:\.0*)?)(?::(?P<how>per-state|slips))?")
COACHED = "coached:"
TEACHER = re.compile(r"(expert|walkthrough)$|noisy-expert|coached:")
WEIGHT = re.compile(r":\d*\.?\d+$")
#: Share of a learner's errors from which no action can be read; the others name what is not there.
SLIPS_MALFORMED = 0.1


def build_model(config: ModelConfig, task: Task) -> Model:
    """The model that `config.model` names. Raises ConfigError."""
    spec = config.model
    if spec == "expert":
        from tmbr.models.expert import ExpertModel

        return ExpertModel("expert", _teacher(task, "expert"))
    if spec == "walkthrough":
        from tmbr.models.expert import Walkthrough

        return Walkthrough("walkthrough", _teacher(task, "walkthrough"))
    if spec.startswith("noisy-expert"):
        return _noisy(spec, task)
    if spec.startswith(COACHED):
        return _coached(config, task)
    if endpoint := ENDPOINT.fullmatch(spec):
        from tmbr.models.remote import RemoteModel

        return RemoteModel(endpoint["name"], base_url=endpoint["url"], key_env=config.key_env)
    from tmbr.models.local import LocalModel

    return LocalModel.load(
        model_path(spec),
        adapter=config.adapter,
        device=config.device,
        dtype=config.dtype,
        max_batch=config.max_batch,
    )


def model_path(spec: str) -> str:
    """Where a local model lies: `nano` comes with tmbr, all else is a path or hub name."""
    return str(files("tmbr") / "assets" / "nano") if spec == "nano" else spec


def _noisy(spec: str, task: Task) -> Model:
    from tmbr.models.expert import NoisyExpert

    told = NOISY.fullmatch(spec)
    if not told:
        raise ConfigError(
            f"model {spec!r}: write noisy-expert:P, noisy-expert:P:per-state or noisy-expert:P:slips,"
            " 0 <= P <= 1"
        )
    p, expert = float(told["p"]), _teacher(task, "expert")
    if told["how"] == "slips":
        slip = _teacher(task, "slip")
        return NoisyExpert(spec, expert, slip, p, malformed_share=SLIPS_MALFORMED)
    errors: Literal["anew", "per state"] = "per state" if told["how"] else "anew"
    return NoisyExpert(spec, expert, _teacher(task, "mistake"), p, errors)


def _coached(config: ModelConfig, task: Task) -> Model:
    from tmbr.models.coached import Coached

    learner = config.model.removeprefix(COACHED)
    if learner in ("", "walkthrough"):
        raise ConfigError(
            f"model {config.model!r}: write coached:MODEL, the model being one that learns"
        )
    made = build_model(config.model_copy(update={"model": learner}), task)
    return Coached(config.model, made, _teacher(task, "expert"))


def _teacher(task: Task, name: str) -> Any:
    """A teacher that the task brings; a user's own task may lack some."""
    if not hasattr(task, name):
        raise ConfigError(f"the task {task.name!r} has no {name}(): choose another model")
    return getattr(task, name)


def build_strategy(name: str, config: StrategyConfig, sampling: SamplingConfig) -> Strategy:
    """The strategy as configured; `sampling` holds for all strategies of the run.

    Raises ConfigError for an unknown strategy or setting.
    """
    from tmbr.reasoning.strategies import strategy

    told = {**sampling.model_dump(exclude_none=True), **config.sampling.model_dump(exclude_none=True)}
    return strategy(config.strategy or name, told | {"constrain": config.constrain}, **config.settings)


def check_constrained(config: StrategyConfig, model: ModelConfig, task: Task) -> None:
    """Raises ConfigError where the strategy's constraint cannot hold, before anything is loaded."""
    if config.constrain is None:
        return
    constrained(task, config.constrain)
    if TEACHER.match(model.model):
        raise ConfigError(
            f"constrain: {config.constrain}: the teacher {model.model!r} says what it says; choose"
            " another model, or constrain nothing"
        )


def build_judge(spec: str | None, model: Model | None, task: Task) -> Judge | None:
    """The judge of a config: `rules:0.6+confidence:0.4`; None leaves it to the strategy.

    model: the acting one, which `self` asks and whose weights `reward=` shares where it can; None where
    nobody acts. Raises ConfigError.
    """
    from tmbr.reasoning.judges import Mix, default_judge

    if spec is None:
        return None
    if spec == "default":
        return default_judge()
    named = (part if WEIGHT.search(part) else f"{part}:1" for part in spec.split("+"))
    parts = [part.rpartition(":") for part in named]
    judges = [(_judge(name, model, task), float(weight)) for name, _, weight in parts]
    return judges[0][0] if len(judges) == 1 else Mix(tuple(judges), name=spec)


def _judge(name: str, model: Model | None, task: Task) -> Judge:
    from tmbr.reasoning.judges import Confidence, NoJudge, Reward, Rules, YesNo

    if name.startswith("model="):
        return YesNo(build_model(ModelConfig(model=name.removeprefix("model=")), task), name)
    if name.startswith("reward="):
        from tmbr.models.local import LocalModel
        from tmbr.models.reward import LocalReward

        acting = model if isinstance(model, LocalModel) else None
        return Reward(LocalReward.load(Path(name.removeprefix("reward=")), acting), name)
    if name == "self":
        if model is None:
            raise ConfigError("the judge 'self' asks the acting model: name it by --model")
        return YesNo(model)
    judges: dict[str, Judge] = {"rules": Rules(), "confidence": Confidence(), "none": NoJudge()}
    if name not in judges:
        raise ConfigError(
            f"no judge {name!r}; {nearest(name, [*judges, 'self', 'model=', 'reward=', 'default'])}"
        )
    return judges[name]


def describe_strategies() -> list[str]:
    """Three lines a strategy: what it is; what it may do and what it costs; its settings. Then what all
    can be told."""
    from tmbr.reasoning.strategies import STRATEGIES

    lines = []
    for name, entry in STRATEGIES.items():
        made = entry.make()
        settings = [
            f"{field.name}={getattr(made, field.name)}"
            for field in fields(made)
            if field.name not in ("name", "access", "sampling")
        ]
        lines += [
            f"{name}: {entry.summary}",
            f"    access {made.access}; {entry.cost}",
            f"    settings: {', '.join(settings) or 'none'}",
        ]
    lines += [
        "",
        "  decompose+NAME sends NAME through the subtasks of a plan.",
        "  All of them take judge, sampling and constrain: format (only turns that the task can read)",
        "  or admissible (only what the world lists), a baseline for format errors: docs/search.md.",
    ]
    return lines
