"""Plays doors episodes into a trace file: a process of its own, to be interrupted and killed.

python -m tests.support.play_doors FILE COUNT CONCURRENCY DELAY
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.support.doors import Wanderer, doors_jobs
from tmbr.core.store import TraceStore
from tmbr.runner import run


def main(path: str, count: str, concurrency: str, delay: str) -> None:
    jobs = doors_jobs(Wanderer(delay=float(delay)), int(count))
    with TraceStore(Path(path)) as store:
        ran = asyncio.run(
            run(jobs, store, int(concurrency), on_drain=lambda n: print(f"draining {n}", flush=True))
        )
    print(f"played {ran.played}, interrupted {ran.interrupted}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
