"""`tmbr data build` and `tmbr data values`: from traces to rows, pairs and values."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tmbr.cli.build import build_judge, build_model, build_strategy, model_path
from tmbr.cli.play import INTERRUPTED, settings_hash, write
from tmbr.cli.progress import QUIET_SECONDS
from tmbr.cli.tasks import make_task
from tmbr.config import ValuesConfig
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import write_pairs, write_valued
from tmbr.core.protocols import Task
from tmbr.core.store import read_traces
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import digest
from tmbr.models.expert import Walkthrough
from tmbr.tasks.base import GENERATED
from tmbr.teacher.build import Built, build, told
from tmbr.teacher.build_config import DataConfig
from tmbr.teacher.config import MADE
from tmbr.teacher.preferences import States, outcomes
from tmbr.teacher.tools import Count, Tools
from tmbr.teacher.values import Player, StepValue, chosen, each_step_value, value_all


def build_data(config: DataConfig) -> None:
    """Build, write OUT/yields.json, print the tables. Raises ConfigError or DataError."""
    config.out.mkdir(parents=True, exist_ok=True)
    with shown() as progress:
        task = _task(config.form, "; idle=keep needs no world")
        built = build(config, Tools(_count(config.tokenizer), task, progress))
    write(config.out / "yields.json", json.dumps(told(built), indent=1, ensure_ascii=False) + "\n")
    for line in lines(built):
        print(line)
    print(
        f"data: {config.out / 'rows.jsonl'} ({built.rows:,} rows), {built.pairs:,} pairs, "
        f"{built.values:,} values; yields: {config.out / 'yields.json'}"
    )


def lines(built: Built) -> Iterator[str]:
    """What was dropped and what was mixed, as a table of text."""
    yield f"{'filter':<18}{'seen':>10}{'dropped':>10}  first of the dropped"
    for one in built.yields:
        first = f"{one.examples[0][0]}: {one.examples[0][1]}" if one.examples else ""
        yield f"{one.filter:<18}{one.seen:>10,}{one.dropped:>10,}  {first}".rstrip()
    kept = built.episodes - sum(one.dropped for one in built.yields)
    yield f"{'kept':<18}{kept:>10,}   of {built.episodes:,} episodes; {built.idle:,} idle turns cut"
    yield f"{'source':<40}{'rows':>10}{'of':>10}{'weight':>14}{'factor':>9}"
    for source in built.sources:
        name = ("agent " if source.agent else "general ") + source.name
        numbers = (
            f"{source.rows:>10,}{source.available:>10,}{source.weight:>14,.0f}{source.factor:>9.3f}"
        )
        yield f"{name[-40:]:<40}{numbers}"
    for source in built.sources:
        if source.bad:
            yield f"{source.name}: {source.bad:,} bad rows were passed over, see its .bad.jsonl"
    agent = sum(source.rows for source in built.sources if source.agent)
    yield f"agent share: {agent / built.rows:.1%} of the rows, {built.agent_share:.1%} of what trains"


def _count(tokenizer: str | None) -> Count:
    """Tokens of a text; characters where no tokenizer is named."""
    if tokenizer is None:
        return len
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(model_path(tokenizer))
    except (OSError, ValueError) as error:
        raise ConfigError(f"tokenizer {tokenizer!r}: cannot be loaded: {error}") from None
    return lambda text: len(loaded.encode(text, add_special_tokens=False))


def _task(form: str, mend: str = "") -> Callable[[Trace], Task]:
    """Opens the world of a trace, if it is one of tmbr's tasks. Raises ConfigError for others.

    mend: what can be done then.
    """

    def made(trace: Trace) -> Task:
        try:
            data = GENERATED if trace.run.data == MADE else trace.run.data
            return make_task(trace.run.task, data, form)
        except ConfigError as error:
            raise ConfigError(f"{trace.id}: its world cannot be opened again: {error}{mend}") from None

    return made


@contextmanager
def shown() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal, a line now and then elsewhere."""
    said = time.monotonic()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("reading")
            yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
        return

    def line(what: str, done: int, of: int) -> None:
        nonlocal said
        if time.monotonic() - said >= QUIET_SECONDS:
            said = time.monotonic()
            print(f"{what}: {done / max(of, 1):.0%}", file=sys.stderr, flush=True)

    yield line


def value_data(config: ValuesConfig) -> int:
    """Value nodes by rollouts and write what was found; returns the exit code."""
    traces = [t for t in read_traces(config.traces) if t.finish and t.finish.status != "task error"]
    if not traces:
        raise DataError(f"{config.traces}: no finished episode in it; `tmbr collect` writes some")
    path = config.out / "step_values.jsonl"
    jobs = [(t, node) for t in traces for node in chosen(t, config.which, config.most, config.seed)]
    try:
        with shown() as progress:
            asyncio.run(_value(config, traces, jobs, path, progress))
    except KeyboardInterrupt:
        print(
            f"tmbr: stopped; what was valued is kept in {path}, the same command goes on where it "
            "stopped",
            file=sys.stderr,
        )
        return INTERRUPTED
    _write_values(config, traces, path)
    return 0


async def _value(
    config: ValuesConfig,
    traces: list[Trace],
    jobs: list[tuple[Trace, int]],
    path: Path,
    progress: Callable[[str, int, int], None],
) -> None:
    kinds = {(t.run.task, t.run.data) for t in traces}
    if len(kinds) > 1:
        raise ConfigError(f"{config.traces}: episodes of {len(kinds)} tasks; value each apart")
    task = _task(config.form)(traces[0])
    model = build_model(config.model, task)
    if isinstance(model, Walkthrough):
        raise ConfigError("a walkthrough plays from the start only; name another model")
    strategy = build_strategy("react", config.strategy, config.sampling)
    run = Run(
        config=settings_hash(config.strategy, config.sampling, config.budget),
        task=task.name,
        model=config.model.model,
        strategy=config.strategy.strategy or "react",
        access=strategy.access,
        seed=config.seed,
        adapter=config.model.adapter,
        version=task.version,
        weights=model.weights_version,
    )
    key = digest(
        [run.config, run.model, run.weights, run.strategy, run.seed, config.rollouts, run.version]
    )
    judge = build_judge(config.strategy.judge, model, task)
    budget = Budget(**config.budget.model_dump())
    player = Player(task, strategy, model, judge, budget, run, config.rollouts, key)
    count = 0

    def heard(_: StepValue) -> None:
        nonlocal count
        count += 1
        progress("turns valued", count, len(jobs))

    try:
        found = await value_all(jobs, player, path, config.concurrency, heard)
    finally:
        await model.aclose()
    print(
        f"{found.valued:,} turns valued, {found.known:,} known before, {found.failed:,} by faults only"
    )


def _write_values(config: ValuesConfig, traces: list[Trace], path: Path) -> None:
    """values.jsonl and pairs.jsonl of these traces, as rollouts and outcomes tell."""
    worth: dict[str, dict[int, float]] = {}
    tokens = 0
    for value in each_step_value(path):
        worth.setdefault(value.trace, {})[value.node] = value.value
        tokens += value.tokens
    by_sample: dict[str, list[Trace]] = {}
    for trace in traces:
        by_sample.setdefault(trace.sample.digest, []).append(trace)
    states = [
        States(of, lambda t: {**outcomes(t), **worth.get(t.id, {})}, lone=False)
        for of in by_sample.values()
    ]
    rolled = [States(of, lambda t: worth.get(t.id, {})) for of in by_sample.values()]
    pairs = write_pairs(config.out / "pairs.jsonl", (p for s in states for p in s.pairs(config.margin)))
    values = write_valued(config.out / "values.jsonl", (v for s in rolled for v in s.valued()))
    print(
        f"step values: {path} ({tokens:,} tokens); {values:,} values, {pairs:,} pairs in {config.out}"
    )
