"""Who plays which role of `tmbr data make`, and how a question is played."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from tmbr.cli.build import ENDPOINT, build_model, build_strategy
from tmbr.config import ModelConfig
from tmbr.core.errors import ConfigError
from tmbr.core.protocols import Model, Task
from tmbr.core.types import Sample, Sampling
from tmbr.teacher import examples
from tmbr.teacher.asker import Asker
from tmbr.teacher.config import MakeConfig
from tmbr.teacher.imagined import Imagined
from tmbr.teacher.money import Account
from tmbr.teacher.roles import action_maker, imitator
from tmbr.teacher.simulation import Simulated
from tmbr.teacher.solution import Playing


@dataclass(frozen=True, slots=True)
class Roles:
    """The models of a run. expert: None where the task brings none, or is not asked to verify."""

    questions: Model
    actions: Model
    environment: Model | None
    expert: Model | None


def make_roles(config: MakeConfig, task: Task, account: Account, stack: AsyncExitStack) -> Roles:
    """The models, each loaded once however many roles it plays; closed with the stack."""
    made: dict[ModelConfig, Model] = {}

    def build(told: ModelConfig | None) -> Model:
        told = told or config.model
        if told not in made:
            made[told] = _model(config, told, task, account)
            stack.push_async_callback(made[told].aclose)
        return made[told]

    simulated = config.world == "model"
    verifies = config.verify.expert and hasattr(task, "expert")
    return Roles(
        questions=build(config.questions),
        actions=build(config.actions),
        environment=build(config.environment) if simulated else None,
        expert=build(ModelConfig(model="expert")) if verifies else None,
    )


def _model(config: MakeConfig, told: ModelConfig, task: Task, account: Account) -> Model:
    endpoint = ENDPOINT.fullmatch(told.model)
    if endpoint is None:
        return build_model(told, task)
    from tmbr.models.remote import RemoteModel

    return RemoteModel(
        endpoint["name"],
        endpoint["url"],
        told.key_env,
        **config.endpoint.model_dump(),
        concurrency=config.concurrency,
        purse=account,
    )


def without_examples(config: MakeConfig, roles: Roles) -> Model:
    """Who tries a question without an example."""
    return action_maker(roles.actions) if config.instruct else roles.actions


async def make_actor(config: MakeConfig, task: Task, roles: Roles) -> Model:
    """The action maker: plans by its own prompt, imitates example trajectories, or is told nothing."""
    if config.examples == 0:
        return without_examples(config, roles)
    if config.examples_from is not None:
        return imitator(roles.actions, examples.given(config.examples_from, config.examples))
    strategy = build_strategy("react", config.strategy, config.sampling)
    expert = build_model(ModelConfig(model="expert"), task)
    return imitator(
        roles.actions, await examples.played(task, strategy, expert, config.examples, config.seed)
    )


def make_playing(
    config: MakeConfig, task: Task, asker: Asker, env: Model | None, verifying: bool = False
) -> Playing:
    """How a question is played: in the real world, or in one that a model plays.

    verifying: what a played world is asked is verified in the real one, where there is one.
    """
    real = not isinstance(task, Imagined)
    if env is None or (verifying and real):
        strategy = build_strategy("react", config.strategy, config.sampling)
        return lambda sample, seed: strategy  # noqa: ARG005
    sampling = Sampling(**{"temperature": 0.7, **config.sampling.model_dump(exclude_none=True)})

    def played(sample: Sample, seed: int) -> Simulated:
        done_when = "" if real else str(sample.target)
        world = asker.content(seed).text
        return Simulated(sampling, env, world, sample.instruction, done_when, real)

    return played


def check_world(config: MakeConfig, task: Task) -> None:
    """Raises ConfigError where a world in words is to be played, or verified, by itself."""
    if not isinstance(task, Imagined):
        return
    if config.world != "model":
        raise ConfigError(f"{config.task}: no program plays this world; set world=model")
    if not config.verify.samples:
        raise ConfigError(
            f"{config.task}: nothing can be executed in this world; set verify.samples=3, of which"
            f" {config.verify.agree} have to solve a question"
        )
