"""What a run can be told, one class for each command (read by `tmbr.config_file`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tmbr.core.errors import nearest
from tmbr.core.grammar import Constraint

Positive = Annotated[int, Field(ge=1)]


class Config(BaseModel):
    """Base of all configs: unknown keys are errors, values are not changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelConfig(Config):
    #: `nano`, `expert`, `walkthrough` (the solution itself: privileged), `NAME@http://HOST/v1`, a path
    #: or a hub name. `noisy-expert:P` errs anew each turn, `noisy-expert:P:per-state` in the same
    #: states, `noisy-expert:P:slips` as a learner does, and mends it. `coached:MODEL` acts, and after
    #: each turn in which it says otherwise than the expert, the expert says the next.
    model: str = "nano"
    #: Folder or hub name of a PEFT adapter.
    adapter: str | None = None
    #: `cpu`, `cuda`, …; by default the best there is.
    device: str | None = None
    #: `float32`, `bfloat16` or `float16`; by default float32 on a CPU, the checkpoint's own elsewhere.
    dtype: str | None = None
    #: Most sequences decoded at once by a local model.
    max_batch: Positive = 64
    #: Environment variable that holds an endpoint's key.
    key_env: str = "OPENAI_API_KEY"


class SamplingConfig(Config):
    """Overrides; null leaves it to the strategy, which knows whether it needs variety."""

    #: 0 is greedy.
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    #: Most tokens of one completion.
    max_tokens: Positive | None = None


class StrategyConfig(Config):
    #: As `tmbr strategies` lists them; by default the name it is given in this config.
    strategy: str | None = None
    #: Who judges: `default` (rules and confidence), `rules`, `confidence`, `none` (all alike), `self`
    #: (the acting model's own yes or no), `model=SPEC` (another's), `reward=FOLDER` (what `tmbr tune
    #: reward` wrote), or a weighted mix as `rules:0.6+self:0.4`. Null leaves it to the strategy.
    judge: str | None = None
    #: Its actions can be nothing but turns that the task reads (`format`), or nothing but actions that
    #: the world lists (`admissible`); see docs/search.md. Null constrains nothing, and is no part of
    #: what an episode is known by.
    constrain: Annotated[Constraint | None, Field(exclude_if=lambda told: told is None)] = None
    #: Overrides of how this strategy samples, over those of the whole run.
    sampling: SamplingConfig = SamplingConfig()
    #: What else that strategy can be told; see `tmbr strategies`.
    settings: dict[str, Any] = {}


class BudgetConfig(Config):
    """The outer law of an episode; null is no limit, and the steps bound a search that never ends."""

    #: Prompt tokens asked plus tokens generated, of agent, planner and judge together.
    tokens: Positive | None = None
    #: Calls of any model.
    calls: Positive | None = None
    #: World steps, forks included.
    steps: Positive | None = 100
    #: Of the clock; what is reached within them depends on the machine and on what else it does. Null
    #: is no part of what an episode is known by.
    seconds: Annotated[float | None, Field(gt=0, exclude_if=lambda told: told is None)] = None


class PlayConfig(Config):
    """What `eval` and `collect` share: who is asked what, and within which limits."""

    #: As `tmbr tasks` lists them, or one of your own: `FILE.py:CLASS`.
    task: str = "household"
    #: Where the samples come from: `generated` or a split of the benchmark, as `alfworld-valid_seen`.
    data: str = "generated"
    #: How the task is put: `text` (Thought, Action) or `agentbench` (tool calls).
    form: str = "text"
    split: str = "test"
    #: The first so many of the split; null is all.
    samples: Positive | None = None
    seeds: Annotated[list[int], Field(min_length=1)] = [0]
    #: Overrides of how all strategies sample.
    sampling: SamplingConfig = SamplingConfig()
    budget: BudgetConfig = BudgetConfig()
    #: Episodes under way at a time.
    concurrency: Positive = 16
    #: Folder for traces and results.
    out: Path


class EvalConfig(PlayConfig):
    """A grid: models × strategies × samples × seeds."""

    #: Name in the table -> model; a list of model names is short for itself.
    models: Annotated[dict[str, ModelConfig], Field(min_length=1)] = {"nano": ModelConfig()}
    #: Name in the table -> strategy; a list of strategy names is short for itself.
    strategies: Annotated[dict[str, StrategyConfig], Field(min_length=1)] = {"react": StrategyConfig()}
    #: Pairs [model, strategy] to play; null is all.
    cells: list[tuple[str, str]] | None = None
    #: Several budgets, each over `budget`, as `[{tokens: 4000}, {tokens: 16000}]`: every strategy is
    #: played under each, and the report joins its points. Empty is `budget` alone.
    budgets: list[BudgetConfig] = []
    out: Path = Path("runs/eval")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        data = dict(data)
        for key, field in (("models", "model"), ("strategies", "strategy")):
            if isinstance(data.get(key), list):
                data[key] = {name: {field: name} for name in data[key]}
        return data

    def every_budget(self) -> list[BudgetConfig]:
        """What each of `budgets` leaves out is as in `budget`."""
        told = (one.model_dump(exclude_unset=True) for one in self.budgets)
        return [self.budget.model_copy(update=one) for one in told]

    @model_validator(mode="after")
    def _budgets_differ(self) -> EvalConfig:
        for at, budget in enumerate(self.every_budget()):
            if budget in self.every_budget()[:at]:
                raise ValueError(f"budgets: the one at {at} is there before; leave one of them out")
        return self

    @model_validator(mode="after")
    def _cells_exist(self) -> EvalConfig:
        for model, strategy in self.cells or []:
            for name, known in ((model, self.models), (strategy, self.strategies)):
                if name not in known:
                    raise ValueError(f"cells: {name!r} is not defined; {nearest(name, known)}")
        return self


class CollectConfig(PlayConfig):
    """One model, by default the expert, plays a split for the teacher's sake."""

    model: ModelConfig = ModelConfig(model="expert")
    strategy: StrategyConfig = StrategyConfig(strategy="react")
    split: str = "train"
    out: Path = Path("runs/collect")


class ValuesConfig(Config):
    """What nodes of stored traces are worth, by rollouts: see `tmbr data values`."""

    #: A file of traces of a train split.
    traces: Path
    #: Who plays the rest of an episode, best the model that is to be trained.
    model: ModelConfig = ModelConfig()
    strategy: StrategyConfig = StrategyConfig(strategy="react")
    #: Rollouts must differ: a temperature above 0 for a model that samples.
    sampling: SamplingConfig = SamplingConfig(temperature=0.7)
    #: Of one rollout; the steps before its node are not counted.
    budget: BudgetConfig = BudgetConfig()
    #: Which turns: `siblings` (different actions in one state), `branch` (the committed one) or `all`.
    which: Literal["siblings", "branch", "all"] = "siblings"
    #: Most turns of one episode, chosen by the seed; null is all.
    most: Positive | None = None
    #: Rollouts from each turn: with k the value errs by at most 0.5 / sqrt(k), one sigma.
    rollouts: Positive = 8
    #: How the task was put: `text` or `agentbench`.
    form: str = "text"
    #: Least difference of value between the turns of a pair.
    margin: Annotated[float, Field(gt=0, le=1)] = 0.5
    seed: int = 0
    #: Turns that are valued at a time, each with all its rollouts.
    concurrency: Positive = 8
    #: Folder for step_values.jsonl, values.jsonl and pairs.jsonl.
    out: Path = Path("runs/values")


class ThoughtsConfig(Config):
    """Thoughts that a model adds to solved episodes: see `tmbr data thoughts`."""

    #: A file of traces.
    traces: Path
    #: Who explains.
    model: ModelConfig = ModelConfig()
    sampling: SamplingConfig = SamplingConfig(temperature=0.7)
    #: Answers asked for at once; the first that names nothing hidden is kept.
    tries: Positive = 2
    #: How the task was put: `text` or `agentbench`.
    form: str = "text"
    seed: int = 0
    #: Episodes under way at a time.
    concurrency: Positive = 16
    #: Folder for traces.jsonl.
    out: Path = Path("runs/thoughts")


class RunConfig(Config):
    """One sample is solved, before one's eyes."""

    #: As `tmbr tasks` lists them, or one of your own: `FILE.py:CLASS`.
    task: str = "household"
    data: str = "generated"
    #: How the task is put: `text` (Thought, Action) or `agentbench` (tool calls).
    form: str = "text"
    split: str = "test"
    #: Which of the split, from 0.
    sample: Annotated[int, Field(ge=0)] = 0
    #: Asked in the sample's world instead of its own instruction; it has no score.
    instruction: Annotated[str, Field(min_length=1)] | None = None
    #: `TRACES.jsonl:EPISODE:NODE` to go on from; EPISODE is a trace's id, or its sample's.
    begin: str | None = None
    model: ModelConfig = ModelConfig()
    strategy: StrategyConfig = StrategyConfig(strategy="react")
    #: Overrides of how the strategy samples.
    sampling: SamplingConfig = SamplingConfig()
    budget: BudgetConfig = BudgetConfig()
    seed: int = 0
    #: Folder to whose traces.jsonl the episode is appended.
    out: Path = Path("runs/run")

    @model_validator(mode="after")
    def _one_question(self) -> RunConfig:
        told = self.model_fields_set & {"data", "split", "sample", "instruction"}
        if self.begin is not None and told:
            raise ValueError(f"a stored episode brings its own {min(told)}; leave it out with --from")
        return self


class RolloutConfig(Config):
    """What a policy plays while it learns; it is sampled at temperature 1, nothing cut off."""

    #: As `tmbr tasks` lists them, or one of your own: `FILE.py:CLASS`.
    task: str = "household"
    data: str = "generated"
    #: How the task is put: `text` (Thought, Action) or `agentbench` (tool calls).
    form: str = "text"
    split: str = "train"
    #: The first so many of the split; null is all.
    first: Positive | None = None
    #: As `tmbr strategies` lists them. One that chooses among candidates (react+retry, multibranch)
    #: trains what was chosen, which is not what the policy would do alone.
    strategy: str = "react"
    #: As in StrategyConfig.
    judge: str | None = None
    settings: dict[str, Any] = {}
    #: Most tokens of one completion.
    max_tokens: Positive = 256
    budget: BudgetConfig = BudgetConfig()
    #: Episodes under way at a time, and most sequences decoded at once.
    concurrency: Positive = 64
    max_batch: Positive = 64


class ValidationConfig(Config):
    """What a model under training is measured on; task, data and form are the rollouts'."""

    split: str = "validation"
    #: The first so many of the split.
    samples: Positive = 32
    strategy: StrategyConfig = StrategyConfig(strategy="react")
    sampling: SamplingConfig = SamplingConfig()
    seed: int = 0


class TaskValidationConfig(ValidationConfig):
    """What `tmbr tune sft` and `dpo` measure while they train, every `evaluate_every` updates."""

    #: As `tmbr tasks` lists them, or one of your own: `FILE.py:CLASS`.
    task: str = "household"
    data: str = "generated"
    #: How the task is put: `text` (Thought, Action) or `agentbench` (tool calls).
    form: str = "text"
    budget: BudgetConfig = BudgetConfig()
    #: Episodes under way at a time, and most sequences decoded at once.
    concurrency: Positive = 32
    max_batch: Positive = 32


class QuickstartConfig(Config):
    """The whole loop; each part is what its own command takes. See tmbr/cli/quickstart.yaml."""

    #: As CollectConfig; traces go to OUT/teacher.
    collect: dict[str, Any]
    #: As SftConfig; `model` is also the base that is measured. The run goes to OUT/tune.
    tune: dict[str, Any]
    #: As EvalConfig, with the models `base` and `tuned` given.
    eval: dict[str, Any]
    #: Most sequences decoded at once.
    max_batch: Positive = 64
    out: Path = Path("runs/quickstart")
