"""`tmbr data build` on many episodes: how fast, and in how much memory.

    python -m benchmarks.data_build [--episodes 100000]

Synthetic traces of the household's shape: a few hundred episodes that an expert with slips has played,
copied under other ids, with other numbers in their words. Near duplicates are sought, groups are
balanced and a general source is mixed in; nothing is replayed. The build runs in a process of its own,
and its seconds are of the CPU: what else the machine does hardly changes them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.rows import RESULTS, row, verdict, write
from tmbr.cli.build import build_model, build_strategy
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig, SamplingConfig, StrategyConfig
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.store import TRACES, encode_trace
from tmbr.core.trace import Budget, Run, Trace
from tmbr.core.types import Message
from tmbr.rollout import episode

RESULT = RESULTS / "data_build.json"
PLAYED = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=100_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_measured(Path(folder), n) for n in (told.episodes // 10, told.episodes))
    rows = [
        row("episodes", told.episodes),
        row("episodes a second", told.episodes / many[0], "1/s"),
        row("milliseconds an episode", 1000 * many[0] / told.episodes, "ms", "<= 5"),
        row("peak memory", many[1], "MiB", "<= 300"),
        row("peak memory at a tenth of the episodes", few[1], "MiB"),
        row("disk of the build beside the data, a part of the traces", many[2]),
    ]
    write(RESULT, rows)
    verdict(rows)


def _measured(folder: Path, episodes: int) -> tuple[float, float, float]:
    """CPU seconds, peak MiB, and what the build keeps on disk as a part of the traces' size."""
    traces, general, out = (
        folder / f"{episodes}.jsonl",
        folder / "general.jsonl",
        folder / f"out{episodes}",
    )
    _write_traces(traces, episodes)
    turns = (Turn(Message("user", "Say hello.")), Turn(Message("assistant", "Hello."), 1.0))
    write_rows(general, (Row(str(n), turns) for n in range(episodes)))
    settings = [
        *(f'traces=["{traces}"]', f'general=["{general}"]', f"out={out}", "idle=keep"),
        *("agent_share=0.5", "filters.duplicates=near", f"filters.most_per_group={episodes // 5}"),
    ]
    code = "import sys; from tmbr.cli import run; sys.exit(run(sys.argv[1:]))"
    child = subprocess.Popen([sys.executable, "-c", code, "data", "build", *settings])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, "the build failed"
    seconds = used.ru_utime + used.ru_stime
    kept = sum(f.stat().st_size for f in [*out.glob(".*.sqlite*"), *out.glob(".parts/*")])
    size = traces.stat().st_size
    traces.unlink()
    return seconds, _mib(used), kept / size


def _mib(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def _write_traces(path: Path, episodes: int) -> None:
    played = [encode_trace(trace).decode() for trace in asyncio.run(_played())]
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"schema": TRACES, "version": 1}) + "\n")
        for number in range(episodes):
            line = played[number % PLAYED]
            trace_id, rest = line[7:23], line[23:]
            again = number // PLAYED
            changed = rest.replace(" 1", f" {again}1").replace("generated-train-", f"g{again}-")
            file.write(f'{{"id":"{again:06x}{trace_id[6:]}{changed}\n')


async def _played() -> list[Trace]:
    task = make_task("household", "generated", "text")
    model = build_model(ModelConfig(model="noisy-expert:0.1:slips"), task)
    strategy = build_strategy("react", StrategyConfig(), SamplingConfig())
    run = Run("", task.name, model.name, "react", strategy.access, 0)
    samples = task.samples("train")[:PLAYED]
    return [await episode(s, task, strategy, model, None, Budget(), run) for s in samples]


if __name__ == "__main__":
    main()
