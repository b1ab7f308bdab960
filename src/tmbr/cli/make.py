"""`tmbr data make`: questions from a teacher, verified; then played, kept where solved."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from tmbr.cli.build import build_strategy
from tmbr.cli.play import INTERRUPTED, settings_hash, versions, write
from tmbr.cli.progress import Meter, Progress
from tmbr.cli.roles import Roles, check_world, make_actor, make_playing, make_roles, without_examples
from tmbr.cli.tasks import make_task
from tmbr.core.errors import ConfigError
from tmbr.core.protocols import Task
from tmbr.core.store import TraceStore
from tmbr.core.trace import Budget, Run
from tmbr.core.types import digest
from tmbr.runner import Job, on_ctrl_c, run
from tmbr.tasks.base import GENERATED
from tmbr.teacher.admission import Admission, Evaluation, Proposal
from tmbr.teacher.asker import Asker
from tmbr.teacher.askers import make_asker
from tmbr.teacher.config import MADE, MakeConfig
from tmbr.teacher.money import Account, MoneySpent, read_prices
from tmbr.teacher.near import NearIndex
from tmbr.teacher.output import STAGES, Verdicts, put_in_order, read_questions
from tmbr.teacher.questions import WINDOW, Generator, Proposals, generate
from tmbr.teacher.solution import Solver


@dataclass(slots=True)
class Yield(Meter):
    """How many questions are in, and what became of the others."""

    verdicts: Verdicts | None = None

    def line(self) -> str:
        assert self.verdicts is not None
        told = self.verdicts
        dropped = [f"{stage} {told.dropped[stage]}" for stage in STAGES if told.dropped[stage]]
        parts = [f"{told.accepted}/{self.total} questions of {told.proposed} proposed"]
        return ", ".join(parts + ([f"dropped: {'; '.join(dropped)}"] if dropped else []))


def make(config: MakeConfig) -> int:
    """Make the set, or go on making it; returns the exit code."""
    config.out.mkdir(parents=True, exist_ok=True)
    _same_set(config)
    task = make_task(config.task, GENERATED, config.form)
    asker = make_asker(config.asker or config.task, task)
    check_world(config, task)
    prices = read_prices(config.prices) if config.prices else {}
    with Account(config.out / "spending.jsonl", prices, config.max_usd) as account:
        return asyncio.run(_make(config, task, asker, account))


async def _make(config: MakeConfig, task: Task, asker: Asker, account: Account) -> int:
    verdicts = Verdicts(config.out)
    evaluation = _evaluation(config)
    short: MoneySpent | None = None
    interrupted = False
    async with AsyncExitStack() as stack:
        roles = make_roles(config, task, account, stack)
        verdicts.open()
        try:
            interrupted = await _questions(config, task, asker, roles, evaluation, verdicts)
            if not interrupted:
                interrupted = await _episodes(config, task, asker, roles, verdicts)
        except MoneySpent as spent:
            short = spent
    _finish(config, verdicts, evaluation, account)
    if short is not None:
        raise short
    if interrupted:
        print("interrupted; the same command goes on where it stopped")
        return INTERRUPTED
    return 0


async def _questions(
    config: MakeConfig,
    task: Task,
    asker: Asker,
    roles: Roles,
    evaluation: Evaluation,
    verdicts: Verdicts,
) -> bool:
    """Fill OUT/questions.jsonl; whether the user interrupted."""
    verify = config.verify
    playing = make_playing(config, task, asker, roles.environment, verifying=True)
    model = without_examples(config, roles)
    solver = Solver(task, playing, roles.expert, model, verify.samples, verify.agree)
    generator = Generator(
        task.name, asker, roles.questions, solver, evaluation, config.seed, config.per_world
    )
    admission = Admission(config.wanted, tuple(asker.categories), NearIndex(config.near))
    proposals = Proposals(config.out / "proposals.jsonl")
    stopped: list[bool] = []
    progress = Progress("questions", config.wanted, Yield(config.wanted, verdicts=verdicts))

    def heard(proposal: Proposal, dropped: tuple[str, str] | None) -> None:
        if dropped is None:
            verdicts.accept(proposal, generator.sample(proposal), generator.world(proposal.number))
        elif proposal.ask is not None:
            verdicts.drop(proposal, *dropped)
        progress.meter.done = verdicts.accepted
        progress.show()

    def interrupt() -> None:
        if stopped:
            working.cancel()
        else:
            progress.say("tmbr: proposals under way are finished first; Ctrl-C again drops them")
        stopped.append(True)

    try:
        with progress, on_ctrl_c(interrupt):
            most = config.tries * config.wanted + WINDOW
            working = asyncio.ensure_future(
                generate(
                    generator,
                    admission,
                    proposals,
                    most,
                    config.concurrency,
                    heard,
                    lambda: bool(stopped),
                )
            )
            try:
                await working
            except asyncio.CancelledError:
                if not stopped:
                    raise
    finally:
        proposals.close()
        verdicts.flush()
    if admission.given_up and not stopped:
        progress.say(f"given up, as nothing new was asked: {', '.join(admission.given_up)}")
    return bool(stopped) and not admission.full


async def _episodes(
    config: MakeConfig, task: Task, asker: Asker, roles: Roles, verdicts: Verdicts
) -> bool:
    """Fill OUT/traces.jsonl; whether the user interrupted."""
    questions, path = verdicts.part("questions.jsonl"), config.out / "traces.jsonl"
    strategy = build_strategy("react", config.strategy, config.sampling)
    actor, env = await make_actor(config, task, roles), roles.environment
    playing = make_playing(config, task, asker, env)
    of = Run(
        config=digest([settings_hash(config.strategy, config.sampling, config.budget), config.shape()]),
        task=task.name,
        model=actor.name,
        strategy=strategy.name if env is None else "simulated",
        access=strategy.access if env is None else "privileged",
        seed=config.seed,
        adapter=(config.actions or config.model).adapter,
        version=task.version if env is None else f"{task.version}, played by {env.name}",
        weights=actor.weights_version,
        data=MADE,
    )
    budget = Budget(**config.budget.model_dump())

    def jobs() -> Iterator[Job]:
        for sample, seed in read_questions(questions):
            yield Job(sample, task, playing(sample, seed), actor, None, budget, of)

    with TraceStore(path) as store, Progress("episodes", verdicts.accepted) as progress:
        ran = await run(
            jobs(),
            store,
            config.concurrency,
            on_trace=progress.add,
            on_reuse=progress.reuse,
            on_drain=lambda n: progress.say(
                f"tmbr: {n} running episodes are finished first; Ctrl-C again drops them"
            ),
        )
    if not ran.interrupted:
        ids = (sample.id for sample, _ in read_questions(questions))
        put_in_order(path, ids, verdicts.hear)
    return ran.interrupted


def _evaluation(config: MakeConfig) -> Evaluation:
    """What must not be made: questions and worlds of evaluation splits."""
    found = Evaluation(config.near)
    for told in config.decontaminate:
        data, colon, split = told.partition(":")
        if not colon:
            raise ConfigError(f"decontaminate: {told!r} is no DATA:SPLIT, as generated:test")
        task = make_task(config.task, data, config.form)
        found.add(told, make_asker(config.asker or config.task, task), task.samples(split))
    return found


def _plain(told: Any) -> Any:
    """As JSON reads it again, without the password that an address may hold."""
    return json.loads(re.sub(r"//[^/@\"]*@", "//", json.dumps(told)))


def _same_set(config: MakeConfig) -> None:
    """Leave the settings beside the data. Raises ConfigError where the folder holds another set."""
    path = config.out / "make.json"
    shape = _plain(config.shape())
    if not path.exists():
        write(path, json.dumps(shape, indent=1) + "\n")
        return
    before = json.loads(path.read_text("utf-8"))
    if changed := sorted(key for key in shape if shape[key] != before.get(key)):
        raise ConfigError(
            f"{config.out} holds a set made with another {changed[0]!r}"
            f" ({before.get(changed[0])!r}); name another folder by out="
        )


def _finish(config: MakeConfig, verdicts: Verdicts, evaluation: Evaluation, account: Account) -> None:
    verdicts.finish()
    teachers = {
        role: (getattr(config, role) or config.model).model
        for role in ("questions", "actions", "environment")
        if role != "environment" or config.world == "model"
    }
    report = {
        "teachers": _plain(teachers),
        "terms": config.terms,
        "environment": config.world,
        **verdicts.counts(),
        "decontaminated against": evaluation.counts,
        "usd": round(account.spent, 6),
        "settings": _plain(config.shape()),
        "versions": versions(),
    }
    write(config.out / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    for line in verdicts.table():
        print(line)
    if account.spent:
        print(f"spent: {account.spent:.4f} US dollars")
    print(f"report: {config.out / 'report.json'}")
