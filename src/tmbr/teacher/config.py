"""All that may be set about making data with a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tmbr.config import BudgetConfig, Config, ModelConfig, Positive, SamplingConfig, StrategyConfig

#: What a trace says of where its sample is from.
MADE = "made"


class VerifyConfig(Config):
    """Who reaches a question's target a second time."""

    #: Let the task's expert try first, where it has one.
    expert: bool = True
    #: Where the expert does not reach it: so many tries of the action maker …
    samples: Annotated[int, Field(ge=0)] = 0
    #: … of which so many have to.
    agree: Positive = 2

    @model_validator(mode="after")
    def _can_agree(self) -> Self:
        if self.samples and self.agree > self.samples:
            raise ValueError(f"agree: {self.agree} of {self.samples} samples can never agree")
        if not self.expert and not self.samples:
            raise ValueError("neither the expert nor samples verify: set `expert` or `samples`")
        return self


class EndpointConfig(Config):
    """How endpoints are asked."""

    #: Seconds an answer may take.
    timeout: Annotated[float, Field(gt=0)] = 120.0
    #: How often a request is sent at most; 429 and its Retry-After are heeded.
    attempts: Positive = 8
    #: Seconds before the second attempt; doubled for each one after it.
    backoff: Annotated[float, Field(gt=0)] = 0.5
    #: Tokens that fit into the model.
    context_limit: Positive = 32_768


class MakeConfig(Config):
    """Questions generated and verified, then played and kept where they were solved."""

    #: `household`, `database`, `webshop`, a task of your own: `FILE.py:CLASS`, or a world that only a
    #: model can play: `FILE.yaml`, see docs/teacher.md.
    task: str = "household"
    #: Who knows the world: by default the task's, or your own as `FILE.py:CLASS`, see docs/teacher.md.
    asker: str | None = None
    #: How the task is put: `text` (Thought, Action) or `agentbench` (tool calls).
    form: str = "text"
    #: The teacher, in every role that has no model of its own below.
    model: ModelConfig = ModelConfig(model="expert")
    #: Who asks questions.
    questions: ModelConfig | None = None
    #: Who thinks and acts.
    actions: ModelConfig | None = None
    #: Who answers for the world where `world` is `model`.
    environment: ModelConfig | None = None
    #: `real`, or `model`: played by a model, marked so, and replayed in the real one.
    world: Literal["real", "model"] = "real"
    #: Questions that are wanted.
    wanted: Positive = 100
    #: Questions that are asked for in each world drawn.
    per_world: Positive = 2
    #: Give up after so many proposals for each question wanted.
    tries: Positive = 10
    verify: VerifyConfig = VerifyConfig()
    #: Share of five-character runs in common (Jaccard) from which two questions count as one.
    near: Annotated[float, Field(gt=0, le=1)] = 0.85
    #: `DATA:SPLIT`s of the task whose questions and worlds may not be made.
    decontaminate: tuple[str, ...] = ("generated:validation", "generated:test")
    #: Tell the action maker its role; one that was tuned on the task needs no telling.
    instruct: bool = True
    #: Complete example trajectories that the action maker imitates; 0 makes it plan by its own prompt.
    examples: Annotated[int, Field(ge=0)] = 0
    #: File of traces to take them from; by default the task's expert plays some of the training split.
    examples_from: Path | None = None
    strategy: StrategyConfig = StrategyConfig(strategy="react")
    sampling: SamplingConfig = SamplingConfig()
    budget: BudgetConfig = BudgetConfig()
    endpoint: EndpointConfig = EndpointConfig()
    #: YAML: model -> {in, cached, out}, US dollars a million tokens.
    prices: Path | None = None
    #: US dollars that are never passed, over all runs into the same folder; null is no limit.
    max_usd: Annotated[float, Field(gt=0)] | None = None
    #: Under which terms the teacher's output may be used; recorded with the data.
    terms: str | None = None
    seed: int = 0
    #: Requests, or episodes, under way at a time.
    concurrency: Positive = 16
    out: Path = Path("runs/make")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.max_usd is not None and self.prices is None:
            raise ValueError("max_usd: no limit can be kept without `prices`, a YAML file")
        if self.examples and not self.instruct:
            raise ValueError("instruct: examples are told, or nothing is; leave one of them out")
        return self

    def shape(self) -> dict[str, object]:
        """What decides which set is made: all but how fast, how far and where to."""
        free = {"prices", "max_usd", "concurrency", "out", "endpoint", "terms"}
        return self.model_dump(mode="json", exclude=free)
