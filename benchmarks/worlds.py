"""All worlds side by side: opening, stepping, forking, and what live forks hold.

    python -m benchmarks.worlds [TASK ...]

Each world is walked by its expert through the first samples of its train split; the same actions are
then repeated and timed, so that only the world is measured. Times are by the wall clock of one thread,
p50 and p95; the reference of a fork is what one would do without it: replay from the root, and for the
database a clone by a MariaDB server, for the operating system a copy of the upper layer. `bytes a
fork` is what 10,000 live forks (100 of a world with processes) add to the process's resident memory.
Writes benchmarks/results/worlds.json and fails where a bar is missed.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.environments.database import mariadb

from benchmarks.rows import RESULTS, Row, row, verdict, write
from tmbr.cli.tasks import TASKS, make_task
from tmbr.core.protocols import Session, Task
from tmbr.core.types import Action, Completion, Message, Sample
from tmbr.environments.operating_system.machine import Machine
from tmbr.tasks.database import DatabaseTask
from tmbr.tasks.operating_system import OperatingSystem
from tmbr.tasks.operating_system.session import OperatingSystemSession

SAMPLES = 32
#: Largest p50 of a fork, in microseconds, and how many are kept alive at once.
FORK_BARS = {"database": 20, "operating_system": 15_000}
LIVE = {"operating_system": 100}
MEGABYTES = 500


def main() -> None:
    names = sys.argv[1:] or list(TASKS)
    rows = [found for name in names for found in measure(name)]
    if len(names) == len(TASKS):
        write(RESULTS / "worlds.json", rows)
    verdict(rows)


def measure(name: str) -> list[Row]:
    """All rows of one world."""
    task: Any = make_task(name, "generated", "text")
    samples = list(task.samples("train")[:SAMPLES])
    scripts = [script(task, sample) for sample in samples]
    walks = list(zip(samples, scripts, strict=True))
    opened = timed(lambda s: task.open(s).close(), samples)
    steps, forks, firsts, replays = walked(task, walks)
    live = LIVE.get(name, 10_000)
    held = held_by_forks(task, *walks[0], live)
    bar = f"<= {FORK_BARS.get(name, 5)}"
    made = [
        *pair(f"{name}: open", opened),
        *pair(f"{name}: step", steps),
        *pair(f"{name}: fork", forks, replays, bar),
        *pair(f"{name}: first step after a fork", firsts),
        row(f"{name}: steps on one core", len(steps) / sum(steps), "1/s"),
        row(f"{name}: 64 episodes in turns, steps", in_turns(task, walks, 64), "1/s"),
        row(f"{name}: bytes a fork, {live:,} alive", held / live, "B"),
    ]
    if name not in LIVE:
        megabytes = held / 2**20
        made.append(row(f"{name}: {live:,} live forks", megabytes, "MiB", f"<= {MEGABYTES}"))
    if name in OTHERS:
        made += OTHERS[name](samples[0])
    return made


def beside_mariadb(sample: Sample) -> list[Row]:
    """A fork and the first write after it, beside a clone of the same tables by a MariaDB server."""
    write = Action("execute_sql", {"query": "CREATE TABLE extra (a INT)"})
    with tempfile.TemporaryDirectory() as folder, mariadb.server(Path(folder)) as port:
        seconds = []
        for server in (None, f"mysql://root@127.0.0.1:{port}"):
            session = DatabaseTask(server=server).open(sample)
            session.step(write)
            forks: list[float] = []
            firsts: list[float] = []
            for _ in range(100):
                fork = took(forks, session.fork)
                took(firsts, lambda fork=fork: fork.step(write))  # type: ignore[misc]
                fork.close()
            session.close()
            seconds.append((forks, firsts))
    (forks, firsts), (clones, after) = seconds
    return [
        row(
            "database: fork of two tables, p50",
            1e6 * median(forks),
            "µs",
            reference="a clone by MariaDB, p50",
            reference_value=1e6 * median(clones),
        ),
        row(
            "database: first write after it, p50",
            1e6 * median(firsts),
            "µs",
            "<= 1000",
            "the same on the clone",
            1e6 * median(after),
        ),
    ]


def beside_a_copy(sample: Sample) -> list[Row]:
    """A fork after much was written, beside copying what was written."""
    made = []
    for files, each in ((1000, "4K"), (64, "1M")):
        session = OperatingSystem().open(sample)
        assert isinstance(session, OperatingSystemSession)
        computer = session.computer
        assert isinstance(computer._machine, Machine)
        for _ in range(8):  # a step takes no longer than its limit
            names = f"{{1..{files // 8}}}"
            computer.run(f"d=$(mktemp -d); for i in {names}; do head -c {each} /dev/zero >$d/$i; done")
        forks: list[float] = []
        copies: list[float] = []
        for _ in range(10):
            session.fork().close()  # all that was written is one layer, or lies below it
            chain = [number for number in computer._chain if number != 0]
            uppers = [str(computer._machine.folder / str(number) / "root") for number in chain]
            with tempfile.TemporaryDirectory() as folder:
                took(copies, lambda: subprocess.run(["cp", "-a", *uppers, folder]))  # noqa: B023
            computer.run("echo >> more")
            took(forks, session.fork).close()
        session.close()
        name = f"operating_system: fork with {files:,} files of {each}, p50"
        told = ("copying what was written, p50", 1e6 * median(copies))
        made.append(row(name, 1e6 * median(forks), "µs", None, *told))
    return made


#: References that are not a replay, where they can run here.
OTHERS: dict[str, Callable[[Sample], list[Row]]] = {
    "database": beside_mariadb,
    "operating_system": beside_a_copy,
}


def script(task: Any, sample: Sample) -> list[Action]:
    """The expert's actions of one episode, the last one left out: it may end the world."""
    session = task.open(sample)
    messages: list[Message] = list(task.messages(sample, session.observation))
    actions: list[Action] = []
    done = False
    while not done:
        said = task.expert(messages)
        actions.append(task.parse(Completion(said.content, said.tool_calls)))
        step = session.step(actions[-1])
        messages += [said, Message("user", step.observation)]
        done = step.done
    session.close()
    return actions[:-1]


def walked(
    task: Task, walks: Sequence[tuple[Sample, list[Action]]]
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Seconds of each step, fork, first step on a fork, and replay of the path so far."""
    steps, forks, firsts, replays = [], [], [], []
    for sample, actions in walks:
        session = task.open(sample)
        for number, action in enumerate(actions):
            fork = took(forks, session.fork)
            took(firsts, lambda fork=fork, action=action: fork.step(action))  # type: ignore[misc]
            fork.close()
            again = took(replays, lambda n=number: replayed(task, sample, actions[:n]))  # type: ignore[misc] # noqa: B023
            again.close()
            took(steps, lambda action=action: session.step(action))  # type: ignore[misc] # noqa: B023
        session.close()
    return steps, forks, firsts, replays


def replayed(task: Task, sample: Sample, actions: Sequence[Action]) -> Session:
    session = task.open(sample)
    for action in actions:
        session.step(action)
    return session


def in_turns(task: Task, walks: Sequence[tuple[Sample, list[Action]]], episodes: int) -> float:
    """Steps a second when so many sessions are open and each steps in its turn."""
    live = [(task.open(s), iter(a)) for s, a in (walks[i % len(walks)] for i in range(episodes))]
    count, begun, going = 0, time.perf_counter(), list(live)
    while going:
        stepped = []
        for session, actions in going:
            if (action := next(actions, None)) is not None:
                session.step(action)
                count += 1
                stepped.append((session, actions))
        going = stepped
    seconds = time.perf_counter() - begun
    for session, _ in live:
        session.close()
    return count / seconds


def held_by_forks(task: Task, sample: Sample, actions: Sequence[Action], count: int) -> int:
    """Bytes of resident memory that so many live forks add."""
    session = replayed(task, sample, actions[:2])
    gc.collect()
    before = resident()
    forks = [session.fork() for _ in range(count)]
    added = resident() - before
    for fork in forks:
        fork.close()
    session.close()
    return max(0, added)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def took(into: list[float], do: Callable[[], Any]) -> Any:
    begun = time.perf_counter()
    made = do()
    into.append(time.perf_counter() - begun)
    return made


def timed(do: Callable[[Any], Any], over: Sequence[Any]) -> list[float]:
    seconds: list[float] = []
    for one in over:
        took(seconds, lambda one=one: do(one))  # type: ignore[misc]
    return seconds


def pair(
    name: str, seconds: list[float], replays: list[float] | None = None, bar: str | None = None
) -> list[Row]:
    """Rows of p50, which has the bar, and of p95."""
    micro = [1e6 * s for s in seconds]
    replay = 1e6 * median(replays) if replays else None
    high = quantiles(micro, n=20)[18]
    return [
        row(f"{name}, p50", median(micro), "µs", bar, "replay from the root, p50", replay),
        row(f"{name}, p95", high, "µs"),
    ]


if __name__ == "__main__":
    main()
