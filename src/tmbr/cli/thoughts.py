"""`tmbr data thoughts`: solved episodes in, the same with thoughts that were added afterwards."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tmbr.cli.build import build_model
from tmbr.cli.build_data import shown
from tmbr.cli.play import INTERRUPTED
from tmbr.cli.tasks import make_task
from tmbr.config import ThoughtsConfig
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.store import TraceStore, read_traces
from tmbr.core.trace import Trace
from tmbr.core.types import Sampling
from tmbr.models.expert import Walkthrough
from tmbr.teacher.thoughts import Thinker


def add_thoughts(config: ThoughtsConfig) -> int:
    """Explain every solved episode; returns the exit code."""
    solved = [t for t in read_traces(config.traces) if t.finish and t.finish.score.success]
    if not solved:
        raise DataError(f"{config.traces}: no solved episode in it; `tmbr collect` writes some")
    path = config.out / "traces.jsonl"
    if path.resolve() == config.traces.resolve():
        raise ConfigError(f"{path} is what is read; name another --out")
    try:
        explained, kept, known = asyncio.run(_explain(config, solved, path))
    except KeyboardInterrupt:
        print(f"tmbr: stopped; {path} is kept, the same command goes on", file=sys.stderr)
        return INTERRUPTED
    total = explained + kept
    share = f"{kept / total:.0%} of the turns keep their own words" if total else "nothing was asked"
    print(f"{len(solved)} episodes ({known} explained before), {explained:,} turns explained; {share}")
    print(f"traces: {path}")
    return 0


async def _explain(config: ThoughtsConfig, solved: list[Trace], path: Path) -> tuple[int, int, int]:
    run = solved[0].run
    task = make_task(run.task, run.data, config.form)
    model = build_model(config.model, task)
    if isinstance(model, Walkthrough):
        raise ConfigError("a walkthrough explains nothing; name another model")
    given = config.sampling.model_dump(exclude_none=True)
    thinker = Thinker(model, task.parse, Sampling(**given), config.tries, config.seed)
    explained = kept = known = done = 0
    waiting = iter(solved)
    with TraceStore(path) as store, shown() as progress:

        async def work() -> None:
            nonlocal explained, kept, known, done
            for trace in waiting:
                done += 1
                if thinker.key(trace) in store.finished:
                    known += 1
                    continue
                made, new, own = await thinker.explain(trace)
                store.append(made, 0.0)
                explained, kept = explained + new, kept + own
                progress("explaining", done, len(solved))
                await asyncio.sleep(0)  # a model that never waits would keep Ctrl-C from being heard

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(config.concurrency):
                    group.create_task(work())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await model.aclose()
    return explained, kept, known
