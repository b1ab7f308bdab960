"""`tmbr run`: one sample is solved while one looks on, from its start or from a node of a trace."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console

from tmbr.begun import Begun
from tmbr.cli.build import build_judge, build_model, build_strategy, check_constrained
from tmbr.cli.explain import Limits, explain
from tmbr.cli.lines import Lines, action, line
from tmbr.cli.live import LiveTree, drawn
from tmbr.cli.play import INTERRUPTED, settings_hash, write_summary
from tmbr.cli.tasks import make_task
from tmbr.cli.watch import Show, Watched
from tmbr.config import RunConfig
from tmbr.core.errors import ConfigError, DataError, nearest
from tmbr.core.protocols import Strategy, Task
from tmbr.core.store import TraceStore, read_traces
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Sample
from tmbr.models.expert import Walkthrough
from tmbr.reasoning.decompose import Decompose
from tmbr.rollout import episode
from tmbr.tasks.asked import Asked, asked, is_own
from tmbr.viewer.text import plural

#: What `--explain` says of an option that keeps branches from being there at all.
CONSTRAINED = {
    "format": "Constrained to the format: an answer without an action could not be written.",
    "admissible": "Constrained to what the world listed: no other action could be written.",
}
_PLACE = re.compile(r"(?P<file>.+\.jsonl):(?P<episode>.+):(?P<node>\d+)")


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be solved. inner: the task without an instruction of one's own."""

    sample: Sample
    inner: Task
    data: str
    begun: Begun | None = None

    @property
    def task(self) -> Task:
        return Asked(self.inner) if is_own(self.sample) else self.inner


def solve(config: RunConfig, explaining: bool) -> int:
    """Play, keep the trace, tell how it ended; returns the exit code.

    Raises ConfigError or DataError for whatever cannot be played, before the model is loaded.
    """
    question = find(config)
    if question.task is not question.inner and config.model.model == "walkthrough":
        raise ConfigError("a walkthrough solves no instruction of one's own; name another --model")
    strategy = build_strategy("react", config.strategy, config.sampling)
    check_constrained(config.strategy, config.model, question.task)
    path = config.out / "traces.jsonl"
    if (config.out / "config.yaml").exists():
        raise ConfigError(f"{config.out} holds an evaluation, which stays whole; name another --out")
    console = Console()
    with TraceStore(path) as store:
        live = LiveTree(console) if sys.stdout.isatty() else None
        show = live.show if live else Lines(lambda text: print(text, flush=True)).show
        sample = question.sample
        print(f"{question.task.name} {sample.id}: {line(sample.instruction)}", flush=True)
        began = time.monotonic()
        try:
            with live or nullcontext():
                trace = asyncio.run(play(config, question, strategy, show))
        except KeyboardInterrupt:
            print(f"tmbr: interrupted; this episode is dropped, {path} is as it was", file=sys.stderr)
            return INTERRUPTED
        seconds = time.monotonic() - began
        store.append(trace, seconds)
    if live:
        console.print(drawn(trace))
    else:
        show(trace)
    for told in ending(trace, seconds):
        print(told)
    if explaining:
        if config.strategy.constrain:
            print(CONSTRAINED[config.strategy.constrain])
        left = [f"  {why}" for why in explain(trace, limits(strategy))]
        print(
            "\n".join(["Why the other branches were left:", *left] if left else ["No branch was left."])
        )
    known = [t for t in read_traces(path) if t.finish and t.finish.score.known]
    write_summary(config.out, known)
    print(f"kept: {path}:{trace.id} (`tmbr report {config.out}` shows it)")
    return int(trace.finish is not None and trace.finish.status == "task error")


def find(config: RunConfig) -> Question:
    """The sample that is asked for. Raises ConfigError or DataError where there is none."""
    if config.begin is not None:
        return _stored(config, config.begin)
    task = make_task(config.task, config.data, config.form)
    samples = task.samples(config.split)
    if config.sample >= len(samples):
        where = f"{config.task} {config.data}, {config.split}"
        raise ConfigError(f"{where}: no sample {config.sample}; there are {len(samples):,}, from 0")
    sample = samples[config.sample]
    if config.instruction is not None:
        sample = asked(sample, config.instruction)
    return Question(sample, task, config.data)


def _stored(config: RunConfig, begin: str) -> Question:
    told = _PLACE.fullmatch(begin)
    if told is None:
        raise ConfigError(f"--from {begin!r}: write TRACES.jsonl:EPISODE:NODE")
    trace = _episode(Path(told["file"]), told["episode"])
    begun = Begun(trace, int(told["node"]))
    task = make_task(config.task, trace.run.data or config.data, config.form)
    if trace.run.task != task.name:
        raise ConfigError(f"--from {begin}: an episode of {trace.run.task}, not of {task.name}")
    return Question(trace.sample, task, trace.run.data, begun)


def _episode(path: Path, name: str) -> Trace:
    """The episode of this id, or the only one of this sample."""
    traces = read_traces(path)
    found = [trace for trace in traces if name in (trace.id, trace.sample.id)]
    if not found:
        known = [key for trace in traces for key in (trace.id, trace.sample.id)]
        raise DataError(f"{path}: no episode {name!r}; {_closest(name, known)}")
    if len(found) > 1:
        each = (f"{t.id} ({t.run.model} · {t.run.strategy} · seed {t.run.seed})" for t in found[:4])
        raise DataError(
            f"{path}: {len(found)} episodes of sample {name}: name one by its id, as {', '.join(each)}"
        )
    return found[0]


def _closest(name: str, known: Sequence[str]) -> str:
    """The nearest of them, or where to look when there are too many to list."""
    hint = nearest(name, known)
    return hint if len(hint) < 200 else f"{plural(len(known) // 2, 'episode')} are in it, none so named"


async def play(config: RunConfig, question: Question, strategy: Strategy, show: Show) -> Trace:
    """Play the question once, whatever the store holds."""
    task, sample = question.task, question.sample
    model = build_model(config.model, question.inner)
    try:
        judge = build_judge(config.strategy.judge, model, question.inner)
        place = f" from {question.begun.node} of {question.begun.trace.id}" if question.begun else ""
        run = Run(
            config=settings_hash(config.strategy, config.sampling, config.budget),
            task=task.name,
            model=config.model.model,
            strategy=(config.strategy.strategy or "react") + place,
            access="privileged" if isinstance(model, Walkthrough) else strategy.access,
            seed=config.seed,
            adapter=config.model.adapter,
            version=task.version,
            weights=model.weights_version,
            data=question.data,
        )
        who = model.of(sample) if isinstance(model, Walkthrough) else model
        budget = Budget(**config.budget.model_dump())
        watched = Watched(strategy, show)
        return await episode(sample, task, watched, who, judge, budget, run, question.begun)
    finally:
        await model.aclose()


def limits(strategy: Strategy) -> Limits:
    """What closes branches by the settings of a strategy, or of the one that it sends through parts."""
    of: Any = strategy.of if isinstance(strategy, Decompose) else strategy
    told = {field.name: getattr(of, field.name) for field in fields(of)}
    return Limits(told.get("keep"), told.get("path_steps"))


def ending(trace: Trace, seconds: float) -> list[str]:
    """The committed branch, how it ended and scored, and what it cost: the first to tell the score."""
    finish, spent = trace.finish, trace.spent
    assert finish is not None
    said = ["The committed path:"]
    for index in trace.branch(finish.leaf):
        node = trace.nodes[index]
        if node.kind == "act":
            said.append(f"  #{index} {action(node)}" + ("" if node.sampled else " (given)"))
    known = finish.score.known
    score = f"score {finish.score.value:g}" if known else f"no score: {finish.score.detail['unscored']}"
    stop = f", stopped by the {finish.stop}" if finish.stop else ""
    said.append(f"{finish.status}{stop}; {score}")
    if finish.error:
        said.append(f"error: {line(finish.error)}")
    forks = f" and {spent.steps_on_forks:,} on forks" if spent.steps_on_forks else ""
    said.append(
        f"cost: {plural(spent.steps, 'world step')}{forks}, {plural(spent.calls, 'call')}, "
        f"{spent.usage.prompt:,} tokens asked and {spent.usage.generated:,} generated, {seconds:.1f} s"
    )
    return said
