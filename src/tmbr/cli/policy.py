"""`tmbr tune ppo` and `tmbr tune grpo`: the policy under training plays in our worlds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from tmbr.begun import Begun
from tmbr.cli.build import build_judge, build_strategy, model_path
from tmbr.cli.play import settings_hash
from tmbr.cli.tasks import make_task
from tmbr.config import RolloutConfig, SamplingConfig, StrategyConfig, ValidationConfig
from tmbr.core.errors import DataError
from tmbr.core.protocols import Judge, Strategy
from tmbr.core.store import TraceStore, read_traces, timing_path
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Context, Sample, Tool, derive_seed
from tmbr.runner import Job, run
from tmbr.tuning.policy.config import GrpoConfig, PolicyConfig, PpoConfig
from tmbr.tuning.policy.run import PolicyResult
from tmbr.tuning.policy.run import run as train
from tmbr.tuning.policy.sampler import Ask, Played
from tmbr.tuning.policy.turns import outcome

if TYPE_CHECKING:
    from tmbr.models.local import LocalModel

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
    result = train(told, sampler, out, rewards)
    validated = "" if result.validated is None else f", validation {100 * result.validated:.1f}%"
    print(
        f"{result.rounds} rounds ({result.stopped}), success {100 * result.success:.1f}% in the last;"
        f" kept: round {result.round}{validated}"
    )
    print(f"{result.folder}: {out / result.folder}")
    return result


class Worlds:
    """Plays rounds of episodes with the policy; see `tmbr.tuning.policy.sampler.Sampler`.

    A round's episodes are kept in OUT/rollouts until a checkpoint makes them needless, so that a killed
    run plays none of them twice.
    """

    model: LocalModel
    trained: Any

    def __init__(self, config: PpoRun | GrpoRun, out: Path) -> None:
        self.config, self.told = config, config.rollouts
        self.folder = out / "rollouts"
        self.task = make_task(self.told.task, self.told.data, self.told.form)
        self.samples = self._samples(self.told.split, self.told.first)
        self.validation = (
            self._samples(config.validation.split, config.validation.samples)
            if config.evaluate_every
            else []
        )
        told = StrategyConfig(
            strategy=self.told.strategy, judge=self.told.judge, settings=self.told.settings
        )
        drawn = SamplingConfig(temperature=1.0, top_p=1.0, max_tokens=self.told.max_tokens)
        self.playing = (build_strategy(self.told.strategy, told, drawn), told)
        measured = config.validation.strategy
        self.measuring = (build_strategy("react", measured, config.validation.sampling), measured)

    def _samples(self, split: str, first: int | None) -> Sequence[Sample]:
        every = self.task.samples(split)
        samples = (
            every if first is None else every[:first]
        )  # a split that is long is made as it is read
        if not samples:
            raise DataError(f"{self.told.task} {self.told.data}: no samples in the split {split!r}")
        return samples

    def open(self, model: Any, tokenizer: Any) -> None:
        from tmbr.models.local import LocalModel

        self.trained = model
        self.model = LocalModel.around(model, tokenizer, self.config.model, self.told.max_batch)

    def close(self) -> None:
        asyncio.run(self.model.aclose())

    def prompt(self, context: Context, tools: Sequence[Tool]) -> tuple[int, ...]:
        return self.model.prompt(context, tools)

    def judged(self, trace: Trace, nodes: Sequence[int]) -> list[float]:
        """What each turn adds to the judge's opinion of the branch."""
        from tmbr.models.loading import lent

        judge = build_judge(self.config.reward, self.model, self.task)
        assert judge is not None
        with lent(self.trained):
            found = asyncio.run(judge.judge(trace, nodes))
        values = {judgement.node: judgement.value for judgement in found}
        before = [0.0, *(values[node] for node in nodes)]
        return [values[node] - earlier for node, earlier in zip(nodes, before, strict=False)]

    def play(self, round: int, ask: Ask) -> list[Played]:
        """The trunks, and then what is forked from them."""
        path = self._path(round)
        trunks = list(self._trunks(round, ask))
        found = [Played(trace) for trace in self._played(f"round {round}", trunks, path)]
        branches = {job.key: (job, one) for one in found for job in self._branches(one.trace, ask)}
        traces = self._played(f"round {round}", [job for job, _ in branches.values()], path)
        for trace, (job, trunk) in zip(traces, branches.values(), strict=True):
            assert job.begun is not None
            found.append(Played(trace, trunk.trace.id, job.begun.node))
        return found

    def forget(self, round: int) -> None:
        for path in self.folder.glob("round-*.jsonl"):
            if path.name < self._path(round + 1).name:
                path.unlink()

    def evaluate(self) -> float:
        """Of the first validation samples, with a strategy of choice."""
        strategy, told = self.measuring
        config = self.config.validation
        path = self.folder / "validation.jsonl"
        jobs = [
            self._job(
                sample, strategy, told, config.seed, build_judge(told.judge, self.model, self.task)
            )
            for sample in self.validation
        ]
        for stale in (path, timing_path(path)):
            stale.unlink(missing_ok=True)
        traces = self._played("validation", jobs, path)
        return sum(trace.finish.score.success for trace in traces if trace.finish) / len(jobs)

    def _path(self, round: int) -> Path:
        return self.folder / f"round-{round:05d}.jsonl"

    def _trunks(self, round: int, ask: Ask) -> Iterator[Job]:
        strategy, told = self.playing
        drawn = islice(self._order(), round * ask.samples, (round + 1) * ask.samples)
        for place, sample in enumerate(drawn):
            for number in range(ask.episodes):
                seed = derive_seed(self.config.seed, "round", round, place, number)
                judge = build_judge(told.judge, self.model, self.task)
                yield self._job(sample, strategy, told, seed, judge)

    def _branches(self, trunk: Trace, ask: Ask) -> Iterator[Job]:
        """Episodes that go on from states of a trunk, drawn by chance."""
        if not ask.forks or trunk.finish is None:
            return
        strategy, told = self.playing
        states = [
            index
            for index in trunk.branch(trunk.finish.leaf)
            if (step := trunk.nodes[index].step) is not None and not step.done
        ]
        rng = Random(derive_seed(trunk.id, "forks"))
        for node in sorted(rng.sample(states, min(ask.forks, len(states)))):
            for number in range(ask.branches):
                seed = derive_seed(trunk.run.seed, "branch", node, number)
                judge = build_judge(told.judge, self.model, self.task)
                yield self._job(trunk.sample, strategy, told, seed, judge, Begun(trunk, node))

    def _order(self) -> Iterator[Sample]:
        """All samples once, in random order, and then again in another."""
        for time in count():
            order = list(range(len(self.samples)))
            Random(derive_seed(self.config.seed, "samples", time)).shuffle(order)
            yield from (self.samples[index] for index in order)

    def _job(
        self,
        sample: Sample,
        strategy: Strategy,
        told: StrategyConfig,
        seed: int,
        judge: Judge | None,
        begun: Begun | None = None,
    ) -> Job:
        budget = self.told.budget
        of = Run(
            config=settings_hash(told, budget),
            task=self.task.name,
            model=self.config.model,
            strategy=strategy.name,
            access=strategy.access,
            seed=seed,
            version=self.task.version,
            data=self.told.data,
        )
        made = Budget(**budget.model_dump())
        return Job(sample, self.task, strategy, self.model, judge, made, of, begun)

    def _played(self, version: str, jobs: Sequence[Job], path: Path) -> list[Trace]:
        """The traces of these jobs, in their order, played now or before the run was stopped."""
        from tmbr.models.loading import lent

        if not jobs:
            return []
        with TraceStore(path) as store, lent(self.trained):
            asyncio.run(self._run(version, jobs, store))
        timing_path(path).unlink()
        traces = {trace.id: trace for trace in read_traces(path)}
        return [traces[job.key] for job in jobs]

    async def _run(self, version: str, jobs: Sequence[Job], store: TraceStore) -> None:
        await self.model.swapped(version)
        if (await run(jobs, store, self.told.concurrency)).interrupted:
            raise KeyboardInterrupt
