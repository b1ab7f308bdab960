"""The loop of PPO and GRPO: play a round, learn from it, forget it.

A run folder holds config.yaml, versions.json, metrics.jsonl (a line a round), validation.json,
checkpoints/, the rollouts since the last checkpoint, then adapter/ or model/, and at the very end
result.json. The same call again goes on from the last checkpoint; once finished, it returns what is
there.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.files import write_whole
from tmbr.core.rows import read_rows
from tmbr.tuning import ranks, run_folder
from tmbr.tuning.config import PROJECT
from tmbr.tuning.masks import ChatTemplate, Example, encode
from tmbr.tuning.memory import fits
from tmbr.tuning.policy.batch import Batch
from tmbr.tuning.policy.config import GrpoConfig, PolicyConfig, PpoConfig
from tmbr.tuning.policy.sampler import Ask, Rewards, Sampler
from tmbr.tuning.policy.turns import outcome
from tmbr.tuning.setup import check_machine
from tmbr.tuning.validation import Validation

if TYPE_CHECKING:
    from tmbr.tuning.policy.learner import Learner


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What came out of a run. `folder`: the adapter or model, inside the run folder; round: the one
    that it is of, the best or the last; success: of the last round's rollouts; validated: of `round`
    on the validation samples; seconds: of the last call."""

    folder: str
    round: int
    rounds: int
    success: float
    validated: float | None
    stopped: Literal["rounds", "time", "patience"]
    seconds: float


def run(config: PolicyConfig, sampler: Sampler, out: Path, rewards: Rewards = outcome) -> PolicyResult:
    """Train by PPO or GRPO, whichever the config is of, in the run folder `out`.

    Raises ConfigError, DataError, or Diverged when a weight is no longer a number; whatever happens,
    the last whole checkpoint stays, and the same call goes on from it.
    """
    ranks.check_whole("a policy")
    _check_shares(config)
    run_folder.check(config, config.sft_rows, out)
    if there := run_folder.result(PolicyResult, out):
        return there
    check_machine(config)
    with (
        warnings.catch_warnings(category=FutureWarning, action="ignore"),  # of PEFT, not ours
        fits(config),
    ):
        learner = _learner(config)
        sampler.open(learner.networks.causal, learner.networks.tokenizer)
        try:
            run_folder.claim(config, config.sft_rows, out)
            return _Loop(config, learner, sampler, rewards, out).run()
        finally:
            sampler.close()


def _check_shares(config: PolicyConfig) -> None:
    if config.accumulation < ranks.count():
        raise ConfigError(
            f"accumulation: the {config.accumulation} batches of an update leave some of the"
            f" {ranks.count()} processes idle; set it to {ranks.count()} or more (and batch_size lower)"
        )


def _learner(config: PolicyConfig) -> Learner:
    import torch

    from tmbr.tuning.policy.actor_critic import ActorCritic
    from tmbr.tuning.policy.learner import Learner
    from tmbr.tuning.policy.networks import Networks

    ranks.wait()  # each has its own device from here on
    torch.manual_seed(config.seed)
    networks = Networks(config)
    rows = _rows(config, networks.template)
    made = ActorCritic if isinstance(config, PpoConfig) else Learner
    return made(config, networks, rows)


def _rows(config: PolicyConfig, template: ChatTemplate) -> list[Example]:
    if config.sft_rows is None:
        return []
    encoded = encode(read_rows(config.sft_rows), template, config.max_length)
    if not encoded.examples:
        raise ConfigError(f"sft_rows: no row of {config.sft_rows} fits max_length {config.max_length}")
    return encoded.examples


def asked(config: PolicyConfig) -> Ask:
    """What is played in each round."""
    if isinstance(config, PpoConfig):
        return Ask(config.samples, config.episodes)
    assert isinstance(config, GrpoConfig)
    if config.groups == "tree":
        return Ask(config.samples, config.trunks, config.forks, config.group - 1)
    return Ask(config.samples, config.group)


class _Loop:
    def __init__(
        self, config: PolicyConfig, learner: Learner, sampler: Sampler, rewards: Rewards, out: Path
    ) -> None:
        self.config, self.learner, self.sampler, self.rewards = config, learner, sampler, rewards
        self.out, self.ask = out, asked(config)
        self.validation = Validation(
            out / "validation.json", config.evaluate_every or config.rounds, config.patience
        )

    def run(self) -> PolicyResult:
        from tmbr.tuning.policy import state

        began = time.monotonic()
        start = done = state.resume(self.out / "checkpoints", self.learner)
        history = _history(self.out / "metrics.jsonl", done)
        self.validation.resume(done)
        stopped = "rounds"
        with _bar(self.config.rounds, done) as show, _tracker(self.config, self.out) as track:
            while True:
                if self.config.evaluate_every and self.validation.due(done):
                    self._validate(done)
                if self.config.evaluate_every and self.validation.stop:
                    stopped = "patience"
                elif done > start and self._late(began):
                    stopped = "time"
                if done == self.config.rounds or stopped != "rounds":
                    break
                history.append(self._round(done))
                done += 1
                _append(self.out / "metrics.jsonl", {"round": done, **history[-1]})
                track(history[-1], done)
                show(done, history[-1])
                if (
                    done % self.config.save_every == 0
                    or done == self.config.rounds
                    or self._late(began)
                ):
                    state.save(self.out / "checkpoints", self.learner, done)
                    self.sampler.forget(done - 1)
                    self.validation.prune()
            if self.config.evaluate_every and done not in self.validation.measured:
                self._validate(done)
        return self._finish(done, history, stopped, time.monotonic() - began)

    def _late(self, began: float) -> bool:
        minutes = self.config.max_minutes
        return minutes is not None and ranks.agreed(time.monotonic() - began >= 60 * minutes)

    def _round(self, number: int) -> dict[str, float]:
        from tmbr.tuning.policy import state

        began = time.monotonic()
        played = self.sampler.play(number, self.ask)
        batch = Batch.of(played, self.sampler.prompt, self.rewards, self.config)
        between = time.monotonic()
        learned = self.learner.learn(batch, number)
        state.check(self.learner.networks.actor_weights, number + 1)
        return {
            **_told(batch),
            **learned,
            "seconds_playing": _seconds(between - began),
            "seconds_learning": _seconds(time.monotonic() - between),
        }

    def _validate(self, done: int) -> None:
        from tmbr.tuning.policy import state

        success = self.sampler.evaluate()
        if self.validation.leads(success):
            state.save_best(self.validation.weights(done), self.learner)
        self.validation.note(done, success)

    def _finish(
        self, done: int, history: list[dict[str, Any]], stopped: Any, seconds: float
    ) -> PolicyResult:
        from tmbr.tuning.policy import state

        best = self.validation.best if self.config.evaluate_every else None
        if best is not None:
            state.load_weights(self.validation.weights(best) / state.WEIGHTS, self.learner)
        kept = done if best is None else best
        result = PolicyResult(
            folder=self.learner.networks.save(self.out).name,
            round=kept,
            rounds=done,
            success=history[-1]["success"],
            validated=None if best is None else self.validation.measured[best],
            stopped=stopped,
            seconds=round(seconds, 1),
        )
        run_folder.finish(result, self.out)
        return result


def _seconds(seconds: float) -> float:
    return round(seconds, 2)


def _told(batch: Batch) -> dict[str, float]:
    """What a round's episodes were."""
    finishes = [one.trace.finish for one in batch.played]
    returns = [sum(reward for _, reward in mine) for mine in batch.earned]
    return {
        "episodes": len(batch.played),
        "success": fmean(finish.score.success for finish in finishes if finish),
        "score": fmean(finish.score.value for finish in finishes if finish),
        "return": fmean(returns),
        "turns": len(batch.rewards) / len(batch.played),
        "tokens": len(batch.turn),
        "cut_turns": batch.cut,
        "faults": batch.faults,
    }


def _history(path: Path, rounds: int) -> list[dict[str, Any]]:
    """The lines of the rounds that are gone on from; later ones are dropped from the file. Raises
    DataError."""
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[:rounds]
        found = [json.loads(line) for line in lines]
    except ValueError as error:
        raise DataError(f"{path} is damaged ({error}); remove {path.parent}") from None
    if ranks.first():
        write_whole(path, "".join(f"{line}\n" for line in lines))
    return found


def _append(path: Path, entry: dict[str, float]) -> None:
    if ranks.first():
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


@contextmanager
def _bar(rounds: int, done: int) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """A bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("rounds"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        disable=not ranks.first(),
    )
    task = bar.add_task("", total=rounds, completed=done, told="")

    def show(completed: int, entry: dict[str, float]) -> None:
        told = f"success {100 * entry['success']:.1f}% score {entry['score']:.3f}"
        bar.update(task, completed=completed, told=told)

    with bar:
        yield show


@contextmanager
def _tracker(config: PolicyConfig, out: Path) -> Iterator[Callable[[dict[str, float], int], None]]:
    """tensorboard, wandb or trackio, by accelerate's one door to them."""
    if config.report_to == "none" or not ranks.first():
        yield lambda *_: None
        return
    from accelerate import Accelerator

    accelerator = Accelerator(log_with=config.report_to, project_dir=str(out / "logs"))
    named = {"wandb": {"name": out.name}, "trackio": {"name": out.name}}
    accelerator.init_trackers(PROJECT, init_kwargs=named)
    try:
        yield lambda entry, step: accelerator.log(entry, step=step)
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()  # `end_training` would part the processes as well
