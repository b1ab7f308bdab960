"""What a thousand forks leave behind: no file, mount, process or memory; and many worlds at once."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from random import Random

import pytest

from tests.test_fork_contract import World, _worlds, walk

FORKS = 1000
#: Memory that may still grow: caches fill up, and the allocator keeps what it was given.
SLACK = 48 * 2**20


def held() -> tuple[int, int, int]:
    """Open files, mounts and child processes of this process."""
    children = [
        child
        for thread in Path("/proc/self/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    mounts = Path("/proc/self/mountinfo").read_text().count("\n")
    return len(os.listdir("/proc/self/fd")), mounts, len(children)  # noqa: PTH208


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fork_and_close(world: World, rng: Random, forks: int) -> None:
    """Chains of forks, each of which takes two steps; closed in any order."""
    origin = world.task.open(world.samples[0])
    live = [origin]
    for _ in range(forks):
        fork = rng.choice(live).fork()
        walk(world, world.samples[0], fork, [rng.randrange(10**6) for _ in range(2)])
        live.append(fork)
        if len(live) > 20:
            live.pop(rng.randrange(len(live))).close()
    rng.shuffle(live)
    for session in live:
        session.close()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts by /proc, which is not here")
@pytest.mark.parametrize("world", _worlds(), ids=lambda world: world.name)
def test_a_thousand_forks_leave_nothing(world: World) -> None:
    forks = world.forks or FORKS
    fork_and_close(world, Random(0), max(20, forks // 5))  # what is cached once is cached now
    gc.collect()
    before, memory = held(), resident()
    fork_and_close(world, Random(1), forks)
    gc.collect()
    assert held() == before
    assert resident() - memory < SLACK


@pytest.mark.parametrize("world", _worlds(), ids=lambda world: world.name)
def test_many_at_once_are_as_one_after_the_other(world: World) -> None:
    rng = Random(2)
    count = min(world.forks or 64, 64)
    samples = [world.samples[i % len(world.samples)] for i in range(count)]
    scripts = [[rng.randrange(10**6) for _ in range(4)] for _ in samples]
    alone = []
    for sample, script in zip(samples, scripts, strict=True):
        session = world.task.open(sample)
        alone.append([walk(world, sample, session, [number]) for number in script])
        session.close()
    sessions = [world.task.open(sample) for sample in samples]
    together: list[list[object]] = [[] for _ in samples]
    for turn in range(4):
        for at, session in enumerate(sessions):
            together[at].append(walk(world, samples[at], session, [scripts[at][turn]]))
    for session in sessions:
        session.close()
    assert together == alone
