"""Many episodes: at most so many at a time, none twice, and stoppable at any moment.

A finished episode goes to the store at once, so a killed run loses only what was under way; the same
jobs given again skip what the store holds. Ctrl-C drains: nothing new starts, what runs may end; a
second Ctrl-C drops it.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tmbr.begun import Begun
from tmbr.core.protocols import Judge, Model, Strategy, Task
from tmbr.core.store import TraceStore, resume_key
from tmbr.core.trace import Budget, Finish, Run, Trace
from tmbr.core.types import Sample
from tmbr.rollout import episode


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to play. begun: the node of another from which it goes on."""

    sample: Sample
    task: Task
    strategy: Strategy
    model: Model
    judge: Judge | None
    budget: Budget
    run: Run
    begun: Begun | None = None

    @property
    def key(self) -> str:
        """The id of the trace that this job makes."""
        return resume_key(self.sample, self.run)


@dataclass(frozen=True, slots=True)
class Ran:
    """played: episodes kept by this call. interrupted: some jobs are still to do. asked: the user asked
    to stop, also where nothing was left to do."""

    played: int
    interrupted: bool
    asked: bool = False


async def run(
    jobs: Iterable[Job],
    store: TraceStore,
    concurrency: int = 16,
    retries: int = 2,
    on_trace: Callable[[Trace], None] | None = None,
    on_reuse: Callable[[Finish], None] | None = None,
    on_drain: Callable[[int], None] | None = None,
) -> Ran:
    """Play all jobs that the store has not finished; a job is made when it is its turn.

    retries: how often an episode that ended in a `task error` is played again at once; the last
    attempt is kept. on_trace: hears of each episode when it is kept. on_reuse: hears of each that an
    earlier call kept. on_drain: hears at the first Ctrl-C how many episodes still run, if any.

    Raises whatever is not a fault of model or world, with all other episodes dropped.
    """
    waiting = _unfinished(jobs, store, on_reuse)
    draining = asyncio.Event()
    playing = played = dropped = 0

    async def work() -> None:
        nonlocal playing, played, dropped
        while not draining.is_set() and (job := next(waiting, None)) is not None:
            playing += 1
            try:
                began = time.monotonic()
                trace = await _play(job, retries)
                store.append(trace, time.monotonic() - began)
            except asyncio.CancelledError:
                dropped += 1
                raise
            finally:
                playing -= 1
            played += 1
            if on_trace:
                on_trace(trace)
            await asyncio.sleep(0)  # a model that never waits would keep Ctrl-C from being heard

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]

    def interrupt() -> None:
        if draining.is_set():
            for worker in workers:
                worker.cancel()
        elif on_drain and playing:
            on_drain(playing)
        draining.set()

    with on_ctrl_c(interrupt):
        try:
            await asyncio.gather(*workers)
        except asyncio.CancelledError:
            if not draining.is_set():
                raise
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
    interrupted = dropped > 0 or next(waiting, None) is not None
    return Ran(played, interrupted, draining.is_set())


def _unfinished(
    jobs: Iterable[Job], store: TraceStore, on_reuse: Callable[[Finish], None] | None
) -> Iterator[Job]:
    """Every job once, without those that the store holds."""
    seen: set[str] = set()
    for job in jobs:
        key = job.key
        if key in seen:
            continue
        seen.add(key)
        if key not in store.finished:
            yield job
        elif on_reuse:
            on_reuse(store.finished[key])


async def _play(job: Job, retries: int) -> Trace:
    for _ in range(retries + 1):
        trace = await episode(
            job.sample, job.task, job.strategy, job.model, job.judge, job.budget, job.run, job.begun
        )
        if trace.finish and trace.finish.status != "task error":
            break
    return trace


@contextmanager
def on_ctrl_c(do: Callable[[], None]) -> Iterator[None]:
    """Handle SIGINT in the running loop; only the main thread can, others are left alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, do)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
