"""What the data ablation is made of, without a network: episodes of the household, and general text.

General text is what lies on every machine that has Python: the standard library's own source (`code`)
and its docstrings (`docs`), both under the PSF licence, the same for one version of Python; and
dialogues of two other worlds of tmbr with their experts (`dialogue`).
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tmbr.cli.build import build_model, build_strategy
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig, SamplingConfig, StrategyConfig
from tmbr.core.protocols import Session
from tmbr.core.rows import Row, Turn, rows, write_rows
from tmbr.core.store import TraceStore, read_traces
from tmbr.core.trace import Budget, Run
from tmbr.core.types import Action, Message, Sample, Score, Step, Tool, derive_seed
from tmbr.runner import Job, run

#: World steps, forks included, that no episode passes.
MOST_STEPS = 150
#: Characters of a general answer, from and to.
LENGTH = (40, 800)
DIALOGUE = ("webshop", "database")


@dataclass(slots=True)
class ForgetfulSession:
    """A household played by somebody who now and then forgets what has changed since the start.

    It stands for an environment that a model plays: most answers are right, some contradict what was
    done. What really happened goes on beneath.
    """

    inner: Session
    start: Session
    rng: Random
    forgets: float
    observation: str = ""

    def __post_init__(self) -> None:
        self.observation = self.inner.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self.inner.tools

    def step(self, action: Action | None) -> Step:
        step = self.inner.step(action)
        if self.rng.random() < self.forgets and not step.done:
            said = self.start.fork().step(action).observation
            step = Step(said, step.done, step.status, step.admissible)
        self.observation = step.observation
        return step

    def ends(self, action: Action) -> bool:
        return self.inner.ends(action)

    def fork(self) -> ForgetfulSession:
        return ForgetfulSession(self.inner.fork(), self.start, self.rng, self.forgets)

    def state_key(self) -> str:
        return self.inner.state_key()

    def close(self) -> None:
        self.inner.close()


@dataclass(slots=True)
class Forgetful:
    """The household with `ForgetfulSession`; how much it forgets is in its version."""

    forgets: float
    inner: Any = field(default_factory=lambda: make_task("household", "generated", "text"))
    name: str = "household"

    @property
    def version(self) -> str:
        return f"{self.inner.version}/forgets {self.forgets}"

    @property
    def rounds(self) -> int:
        return int(self.inner.rounds)

    def open(self, sample: Sample) -> ForgetfulSession:
        opened = self.inner.open(sample)
        return ForgetfulSession(opened, opened.fork(), Random(derive_seed(sample.id)), self.forgets)

    def score(self, sample: Sample, session: ForgetfulSession, branch: Sequence[Step]) -> Score:
        found: Score = self.inner.score(sample, session.inner, branch)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def collect(path: Path, told: dict[str, Any]) -> None:
    """Play the first so many train samples into a trace file, or go on with it."""
    forgets = told.get("forgets", 0.0)
    task: Any = Forgetful(forgets) if forgets else make_task("household", "generated", "text")
    _play(path, task, told["model"], told["strategy"], told["episodes"])


def _play(path: Path, task: Any, spec: str, named: str, episodes: int) -> None:
    model = build_model(ModelConfig(model=spec), task)
    strategy = build_strategy(named, StrategyConfig(), SamplingConfig())
    made = Run(
        "",
        task.name,
        spec,
        named,
        strategy.access,
        0,
        None,
        task.version,
        model.weights_version,
        "generated",
    )
    jobs = (
        Job(sample, task, strategy, model, None, Budget(steps=MOST_STEPS), made)
        for sample in task.samples("train")[:episodes]
    )
    with TraceStore(path) as store:
        asyncio.run(run(jobs, store))


def general(kind: str, path: Path, held: Path, count: int, held_out: int) -> None:
    """Write rows to tune on, and others to measure what is forgotten: of other modules and samples."""
    made = _dialogue(path, count + held_out) if kind == "dialogue" else _library(kind)
    order = list(made)
    Random(0).shuffle(order)
    apart = [row for row in order if derive_seed(row.id.partition(":")[0]) % 5 == 0]
    rest = [row for row in order if derive_seed(row.id.partition(":")[0]) % 5]
    assert len(apart) >= held_out, f"{kind}: only {len(apart)} rows to hold out"
    write_rows(held, apart[:held_out])
    write_rows(path, rest[:count])


def _library(kind: str) -> Iterator[Row]:
    """Functions of the standard library: their source asked for by docstring, or what they are for."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for file in sorted([*root.glob("*.py"), *root.glob("*/*.py")]):
        module = ".".join(file.relative_to(root).with_suffix("").parts)
        if module.startswith(("site-packages", "test", "idlelib", "lib2to3", "turtledemo")):
            continue
        text = file.read_text("utf-8", errors="replace")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (told := ast.get_docstring(node)):
                asked, said = _asked(kind, module, node, text, told)
                if said.isascii() and LENGTH[0] <= len(said) <= LENGTH[1]:
                    turns = (Turn(Message("user", asked)), Turn(Message("assistant", said), 1.0))
                    yield Row(f"{module}:{node.name}:{node.lineno}", turns)


def _asked(kind: str, module: str, node: ast.FunctionDef, text: str, told: str) -> tuple[str, str]:
    names = ", ".join(argument.arg for argument in node.args.args)
    if kind == "docs":
        return f"What does {node.name}({names}) of the Python module {module} do?", told.strip()
    source = inspect.cleandoc(ast.get_source_segment(text, node) or "")
    first = told.strip().splitlines()[0]
    return f"Write the Python function {node.name}({names}): {first}", source.strip()


def _dialogue(path: Path, count: int) -> Iterator[Row]:
    """Half of each other world; a fifth more than is asked, for what is not solved."""
    for world in DIALOGUE:
        task = make_task(world, "generated", "text")
        stored = path.with_name(f"{world}.traces.jsonl")
        _play(stored, task, "expert", "react", round(count * 0.65))
        for row in rows(read_traces(stored)):
            yield Row(f"{world} {row.id}:", row.turns, row.tools)
