"""Converting much data in bounded memory: `tmbr data convert` of a large ShareGPT file.

    python -m benchmarks.convert [--mib 1000]

The file holds expert episodes of the household again and again. Writes benchmarks/results/convert.json.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.rows import RESULTS, row, verdict, write

TMBR = [sys.executable, "-m", "tmbr"]
EPISODES = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large, count = _large(Path(folder), told.mib << 20)
        seconds, peak = _child("data", "convert", str(large), f"{folder}/out.jsonl", "--to", "messages")
        size = large.stat().st_size / 2**20
    rows = [
        row(f"{size:,.0f} MiB of ShareGPT, {count:,} rows: CPU", seconds, "s"),
        row("peak of memory", peak, "MiB", "<= 100"),
    ]
    write(
        RESULTS / "convert.json",
        {"command": f"python -m benchmarks.convert --mib {told.mib}", "rows": rows},
    )
    verdict(rows)


def _large(folder: Path, size: int) -> tuple[Path, int]:
    """A file of at least this many bytes, and its rows."""
    _child("collect", "--samples", str(EPISODES), "--out", str(folder / "expert"))
    small, large = folder / "small.jsonl", folder / "large.jsonl"
    _child("data", "convert", f"{folder}/expert/traces.jsonl", str(small), "--to", "sharegpt")
    rows, count = small.read_bytes().count(b"\n"), 0
    with large.open("wb") as file:
        while file.tell() < size:
            with small.open("rb") as part:
                shutil.copyfileobj(part, file)
            count += rows
    return large, count


def _child(*arguments: str) -> tuple[float, float]:
    """CPU seconds of a command, and its peak of memory in MiB."""
    process = subprocess.Popen([*TMBR, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(said)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
