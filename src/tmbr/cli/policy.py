"""`tmbr tune ppo` and `tmbr tune grpo`: the policy under training plays in our worlds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count, islice, pairwise
from pathlib import Path
from random import Random
from typing import Any

from tmbr.begun import Begun
from tmbr.cli.build import build_strategy, model_path
from tmbr.cli.tasks import make_task
from tmbr.cli.underway import Underway, Validator, Way, first
from tmbr.config import RolloutConfig, SamplingConfig, StrategyConfig, ValidationConfig
from tmbr.core.trace import Trace
from tmbr.core.types import Context, Sample, Tool, derive_seed
from tmbr.runner import Job
from tmbr.tuning import ranks, run_folder
from tmbr.tuning.policy.config import GrpoConfig, PolicyConfig, PpoConfig
from tmbr.tuning.policy.run import PolicyResult
from tmbr.tuning.policy.run import run as train
from tmbr.tuning.policy.sampler import Ask, Played
from tmbr.tuning.policy.turns import outcome

WORLD = "world"


class _Played(PolicyConfig):
    rollouts: RolloutConfig = RolloutConfig()
    """What is played; see `tmbr.config.RolloutConfig`."""
    validation: ValidationConfig = ValidationConfig()
    """What is measured on every `evaluate_every` rounds; see `tmbr.config.ValidationConfig`."""
    reward: str = WORLD
    """`world`: its score, at the end. Or a judge (as in StrategyConfig): what each turn adds to how
    promising the branch is, which sums up to what the judge says of the end."""


class PpoRun(_Played, PpoConfig):
    """All that `tmbr tune ppo` can be told."""


class GrpoRun(_Played, GrpoConfig):
    """All that `tmbr tune grpo` can be told."""


def tune_policy(config: PpoRun | GrpoRun, out: Path) -> PolicyResult:
    """Train and say where the result is. Raises ConfigError or DataError, each in one line."""
    sampler = Worlds(config, out)
    told = config.model_copy(update={"model": model_path(config.model)})
    rewards = outcome if config.reward == WORLD else sampler.judged
    with run_folder.alone(out):
        result = train(told, sampler, out, rewards)
    if not ranks.first():
        return result
    validated = "" if result.validated is None else f", validation {100 * result.validated:.1f}%"
    kept = f"round {result.round}" if result.round else "what it began with, which no round bettered"
    print(
        f"{result.rounds} rounds ({result.stopped}), success {100 * result.success:.1f}% in the last;"
        f" kept: {kept}{validated}"
    )
    print(f"{result.folder}: {out / result.folder}")
    return result


class Worlds:
    """Plays rounds of episodes with the policy; see `tmbr.tuning.policy.sampler.Sampler`.

    A round's episodes are kept in OUT/rollouts until a checkpoint makes them needless, so that a killed
    run plays none of them twice.
    """

    def __init__(self, config: PpoRun | GrpoRun, out: Path) -> None:
        self.config, self.told = config, config.rollouts
        self.folder = ranks.own(out / "rollouts")
        task = make_task(self.told.task, self.told.data, self.told.form)
        self.underway = Underway(
            task, self.told.data, config.model, self.told.max_batch, self.told.concurrency
        )
        self.samples = first(task, self.told.data, self.told.split, self.told.first)
        told = StrategyConfig(
            strategy=self.told.strategy, judge=self.told.judge, settings=self.told.settings
        )
        drawn = SamplingConfig(temperature=1.0, top_p=1.0, max_tokens=self.told.max_tokens)
        self.way = Way(build_strategy(self.told.strategy, told, drawn), told, self.told.budget)
        self.validator = (
            Validator(
                self.underway, config.validation, self.told.budget, self.folder / "validation.jsonl"
            )
            if config.evaluate_every
            else None
        )

    def open(self, model: Any, tokenizer: Any) -> None:
        self.underway.open(model, tokenizer)
        if self.config.reward != WORLD:
            self.underway.judge(self.config.reward)
        for way in (self.way, *([self.validator.way] if self.validator else [])):
            self.underway.judge(way.told.judge)

    def close(self) -> None:
        self.underway.close()

    def prompt(self, context: Context, tools: Sequence[Tool]) -> tuple[int, ...]:
        return self.underway.model.prompt(context, tools)

    def judged(self, trace: Trace, nodes: Sequence[int]) -> list[float]:
        """What each turn adds to the judge's opinion of the branch, also one that was forked."""
        from tmbr.models.loading import lent

        judge = self.underway.judge(self.config.reward)
        assert judge is not None
        before = trace.nodes[nodes[0]].parent
        begun = [before] if before is not None and trace.nodes[before].kind == "act" else []
        with lent(self.underway.trained):
            found = asyncio.run(judge.judge(trace, [*begun, *nodes]))
        values = [*([] if begun else [0.0]), *(judgement.value for judgement in found)]
        return [value - earlier for earlier, value in pairwise(values)]

    def play(self, round: int, ask: Ask) -> list[Played]:
        """The trunks, and then what is forked from them."""
        path = self._path(round)
        trunks = list(self._trunks(round, ask))
        found = [Played(trace) for trace in self.underway.play(f"round {round}", trunks, path)]
        branches = {job.key: (job, one) for one in found for job in self._branches(one.trace, ask)}
        traces = self.underway.play(f"round {round}", [job for job, _ in branches.values()], path)
        for trace, (job, trunk) in zip(traces, branches.values(), strict=True):
            assert job.begun is not None
            found.append(Played(trace, trunk.trace.id, job.begun.node))
        return found

    def forget(self, round: int) -> None:
        for path in self.folder.glob("round-*.jsonl"):
            if path.name < self._path(round + 1).name:
                path.unlink()

    def evaluate(self) -> float:
        assert self.validator is not None
        return self.validator.evaluate()

    def _path(self, round: int) -> Path:
        return self.folder / f"round-{round:05d}.jsonl"

    def _trunks(self, round: int, ask: Ask) -> Iterator[Job]:
        drawn = islice(self._order(), round * ask.samples, (round + 1) * ask.samples)
        for place, sample in enumerate(drawn):
            for number in range(ask.episodes):
                seed = derive_seed(self.config.seed, "round", round, place, number)
                yield self.underway.job(sample, self.way, seed)

    def _branches(self, trunk: Trace, ask: Ask) -> Iterator[Job]:
        """Episodes that go on from states of a trunk, drawn by chance."""
        if not ask.forks or trunk.finish is None or trunk.finish.status == "task error":
            return
        states = [
            index
            for index in trunk.branch(trunk.finish.leaf)
            if (step := trunk.nodes[index].step) is not None and not step.done
        ]
        rng = Random(derive_seed(trunk.id, "forks"))
        for node in sorted(rng.sample(states, min(ask.forks, len(states)))):
            for number in range(ask.branches):
                seed = derive_seed(trunk.run.seed, "branch", node, number)
                yield self.underway.job(trunk.sample, self.way, seed, Begun(trunk, node))

    def _order(self) -> Iterator[Sample]:
        """All samples once, in random order, and then again in another."""
        for time in count():
            order = list(range(len(self.samples)))
            Random(derive_seed(self.config.seed, "samples", time)).shuffle(order)
            yield from (self.samples[index] for index in order)
