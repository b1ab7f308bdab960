"""Data from a teacher: what its faults come to, what the pipeline costs, and near-duplicates at size.

    python -m benchmarks.teacher [--wanted 1000] [--part PART] [--task TASK]

- faults: a teacher's process that plays all roles over HTTP, one request in five at fault on its way
  and one answer in five in itself. Each set is made twice: once at a stretch, and once with two
  `kill -9` under a money cap. Both have to be the same, byte for byte.
- worlds: an environment that a model plays, told the real history, its next answer against that.
- overhead: CPU of an episode beside its own playing, with a teacher that takes no time.
- near: 100,000 and a million questions through the index of near-duplicates, each in a process of its
  own.

Writes benchmarks/results/teacher.json; parts that are not asked for stay as they were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.support import teacher_worlds as worlds
from tests.support.teacher import teaching
from tests.support.teacher_audit import audit

from benchmarks.played_worlds import FAULTS, TASKS, played_worlds
from benchmarks.rows import RESULTS, Row, row, verdict, write
from tmbr.cli.tasks import make_task
from tmbr.core.types import Sample
from tmbr.models.expert import ExpertModel
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.strategies import strategy
from tmbr.teacher.admission import Admission, Evaluation, Proposal
from tmbr.teacher.askers import make_asker
from tmbr.teacher.near import NearIndex, text_sketch
from tmbr.teacher.output import Verdicts
from tmbr.teacher.questions import Generator, Proposals, generate
from tmbr.teacher.solution import Solver

RUN = "import sys; from tmbr.cli import run; sys.exit(run(sys.argv[1:]))"
FILES = ("questions.jsonl", "dropped.jsonl", "traces.jsonl")
WRONG = ("lost", "doubled", "lost episodes", "doubled episodes", "through")


def faults(name: str, wanted: int) -> dict[str, Any]:
    """One world: rows with their bars, and what became of each class of fault."""
    with tempfile.TemporaryDirectory() as folder, teaching(Path(folder), FAULTS, 2.5) as (url, log):
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        told = _command(name, url, wanted, Path(folder))
        began = time.monotonic()
        _run([*told, f"out={whole}"])
        seconds = time.monotonic() - began
        found = audit(whole, log)
        report = json.loads((whole / "report.json").read_text())
        most = report["usd"] * 2
        _killed([*told, f"out={killed}", f"max_usd={most}"], killed, wanted)
        paid = json.loads((killed / "report.json").read_text())["usd"]
        same = all((whole / n).read_bytes() == (killed / n).read_bytes() for n in FILES)
    rows = [row(f"{name}: {what}", found[what], bar="<= 0") for what in WRONG]
    rows.append(row(f"{name}: questions", found["questions"], bar=f">= {wanted}"))
    rows.append(row(f"{name}: killed twice, the same set", float(same), bar=">= 1"))
    rows.append(row(f"{name}: killed twice, share of the cap spent", paid / most, bar="<= 1"))
    dropped = {stage: report["dropped"][stage] for stage in report["dropped"]}
    return {
        "rows": rows,
        "proposed": report["proposed"],
        "kept": report["kept"],
        "dropped": dropped,
        "classes": found["classes"],
        "seconds": round(seconds),
        "usd": report["usd"],
    }


def _command(name: str, url: str, wanted: int, folder: Path) -> list[str]:
    prices = folder / "prices.yaml"
    prices.write_text("teacher: {in: 5, cached: 1, out: 15}\n")
    return [
        *("data", "make", f"task={name}", f"model.model=teacher@{url}", f"wanted={wanted}"),
        *("endpoint.timeout=2", "endpoint.backoff=0.01", f"prices={prices}"),
    ]


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, stdout=subprocess.DEVNULL)


def _killed(arguments: list[str], out: Path, wanted: int) -> None:
    """Killed while questions are asked, and while episodes are played; then let end."""
    for file, lines in (("proposals.jsonl", wanted // 2), ("traces.jsonl", wanted // 2)):
        process = subprocess.Popen([sys.executable, "-c", RUN, *arguments], start_new_session=True)
        path = out / file
        while not path.exists() or path.read_bytes().count(b"\n") <= lines:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    _run(arguments)


class Clock:
    """CPU seconds inside of what it wraps; nothing there ever waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*told: Any) -> Any:
            began = time.process_time()
            try:
                return call(*told)
            finally:
                self.seconds += time.process_time() - began

        return inner


class TimedSolver:
    """The second solution; what it takes is an episode's playing, not the pipeline's."""

    def __init__(self, solver: Solver, clock: Clock) -> None:
        self.check_start = clock.timed(solver.check_start)
        self._solver, self._clock = solver, clock

    async def solve(self, sample: Sample, content: int, seed: int) -> Any:
        return self._clock.timed(lambda: _ran(self._solver.solve(sample, content, seed)))()


def _ran(work: Any) -> Any:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


def overhead(count: int = 300) -> list[Row]:
    """CPU of a proposal: its world drawn and executed, its second solution, and the pipeline itself."""
    return [one for name in TASKS for one in _overhead(name, count)]


def _overhead(name: str, count: int) -> list[Row]:
    task: Any = make_task(name, "generated", "text")
    asker: Any = make_asker(name, task)
    teacher, world, play = Clock(), Clock(), Clock()
    asker.content, asker.read = world.timed(asker.content), world.timed(asker.read)

    def answers(messages: Any, n: int, seed: int) -> list[str]:
        text = messages[0].content
        content = text.split("This world holds:\n")[1].split("\n\nWrite one task")[0]
        category = text.split('of the category "')[1].split('"')[0]
        return [json.dumps(worlds.question(name, content, category, Random(seed)))] * n

    expert = ExpertModel("expert", task.expert)
    solver: Any = TimedSolver(Solver(task, lambda *_: strategy("react"), expert, expert, 0, 1), play)
    model = ScriptedModel(teacher.timed(answers))
    made = Generator(task.name, asker, model, solver, Evaluation(0.85), 0, 2)
    admission = Admission(count, tuple(asker.categories), NearIndex(0.85))
    with tempfile.TemporaryDirectory() as folder:
        verdicts = Verdicts(Path(folder))
        verdicts.open()

        def heard(proposal: Proposal, dropped: tuple[str, str] | None) -> None:
            if dropped is None:
                verdicts.accept(proposal, made.sample(proposal), 0)
            elif proposal.ask is not None:
                verdicts.drop(proposal, *dropped)

        proposals = Proposals(Path(folder) / "proposals.jsonl")
        began = time.process_time()
        asyncio.run(generate(made, admission, proposals, 20 * count, 16, heard))
        whole = time.process_time() - began
        proposals.close()
        verdicts.finish()
    own = whole - teacher.seconds - world.seconds - play.seconds
    each = 1000 / verdicts.proposed
    return [
        row(f"{name}: a proposal's second solution", play.seconds * each, "ms"),
        row(f"{name}: its world drawn, its question executed", world.seconds * each, "ms"),
        row(f"{name}: the pipeline beside them", own * each, "ms", "<= 2"),
    ]


def near(counts: Sequence[int] = (100_000, 1_000_000)) -> list[Row]:
    """The last is there for its memory: it must not grow with what is held."""
    return [one for count in counts for one in _near(count)]


def _near(count: int) -> list[Row]:
    command = [sys.executable, "-m", "benchmarks.teacher", "--fill", str(count)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [
        row(f"{count:,} questions: near-duplicates, CPU a question", told["ms"], "ms", "<= 2"),
        row(f"{count:,} questions: memory of the index", told["mib"], "MiB", "<= 100"),
        row(f"{count:,} questions: planted near-duplicates found", told["found"], "", ">= 0.99"),
        row(f"{count:,} questions: others taken for one", told["wrong"], "", "<= 0.001"),
    ]


def fill(count: int) -> None:
    """Every tenth text is an earlier one with a word changed."""
    words = [f"w{number}" for number in range(5000)]

    def text(number: int) -> str:
        rng = Random(number)
        if number % 10 < 9:
            return " ".join(rng.choices(words, k=40))
        said = text(rng.randrange(0, number, 10)).split()
        said[rng.randrange(40)] = rng.choice(words)
        return " ".join(said)

    before = _peak()
    seconds, hits = 0.0, Counter[bool]()
    index = NearIndex(0.85)
    for number in range(count):
        said = text(number)
        began = time.process_time()
        hits[number % 10 == 9] += index.add(str(number), text_sketch(said)) is not None
        seconds += time.process_time() - began
    told = {
        "ms": 1000 * seconds / count,
        "mib": _peak() - before,
        "found": hits[True] / (count // 10),
        "wrong": hits[False] / count,
    }
    print(json.dumps(told))


def _peak() -> float:
    """Most memory so far, in MiB; getrusage would tell the parent's, where that was larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--wanted", type=int, default=1000)
    parser.add_argument("--part", action="append", choices=("faults", "worlds", "overhead", "near"))
    parser.add_argument("--task", action="append", choices=TASKS, help="of `faults`; by default all")
    parser.add_argument("--fill", type=int)
    told = parser.parse_args()
    if told.fill:
        fill(told.fill)
        return
    path = RESULTS / "teacher.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    parts = told.part or ("overhead", "near", "worlds", "faults")
    if "overhead" in parts:
        found["overhead"] = overhead()
    if "near" in parts:
        found["near"] = near()
    if "worlds" in parts:
        found["worlds"] = played_worlds()
    if "faults" in parts:
        for name in told.task or TASKS:
            found.setdefault("faults", {})[name] = faults(name, told.wanted)
            write(path, found)
    found["machine"] = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    stamp = f"{' '.join(['python -m benchmarks.teacher', *sys.argv[1:]])}, {time.strftime('%Y-%m-%d')}"
    found["commands"] = {**found.get("commands", {}), **dict.fromkeys(parts, stamp)}
    write(path, found)
    rows = [*found.get("overhead", []), *found.get("near", [])]
    verdict(rows + [one for made in found.get("faults", {}).values() for one in made["rows"]])


if __name__ == "__main__":
    main()
