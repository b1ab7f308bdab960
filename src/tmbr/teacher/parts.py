"""The rows of each trace file, and all pairs and values, before anything is mixed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from tmbr.core.pairs import pair_line, valued_line
from tmbr.core.protocols import Task
from tmbr.core.rows import Row, Turn, row_line
from tmbr.core.store import trace_at
from tmbr.core.trace import Trace
from tmbr.teacher.build_config import DataConfig
from tmbr.teacher.idle import idle, replay, without
from tmbr.teacher.ledger import Ledger, Place
from tmbr.teacher.mix import trained
from tmbr.teacher.preferences import States, Values, outcomes, state_values
from tmbr.teacher.tools import BATCH, Count, Tools
from tmbr.teacher.trees import sft_rows

_NOTE = "written"
_END = "\U0010ffff"


@dataclass(slots=True)
class Written:
    """What is written: the rows of each trace file and what their turns weigh in the loss, and how many
    pairs, values and idle turns that were cut. after, sizes: the sample done last, and the bytes that
    all files had then."""

    rows: list[int]
    weights: list[float]
    episodes: int = 0
    pairs: int = 0
    values: int = 0
    idle: int = 0
    after: str = ""
    sizes: list[int] = field(default_factory=list)


def part(out: Path, number: int) -> Path:
    """The rows of one trace file."""
    return out / ".parts" / f"{number}.jsonl"


def write_parts(config: DataConfig, ledger: Ledger, tools: Tools) -> Written:
    """Rows of each trace file apart, pairs and values, sample by sample.

    Rows are made of the kept episodes, pairs and values of all whose outcome is known.
    """
    count = len(config.traces)
    noted = ledger.note(_NOTE)
    written = Written(**json.loads(noted)) if noted else Written([0] * count, [0.0] * count)
    if written.after == _END:
        return written
    paths = [part(config.out, number) for number in range(count)]
    paths += [paths[0].with_name(name) for name in ("pairs.jsonl", "values.jsonl")]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    total = ledger.total()
    writer = _Writer(config, ledger, tools, written)
    with ExitStack() as stack:
        sources = [stack.enter_context(source.path.open("rb")) for source in config.traces]
        files = [stack.enter_context(_grown(path, n, written)) for n, path in enumerate(paths)]
        for number, (key, places) in enumerate(ledger.samples(written.after), 1):
            found = [(place, trace_at(sources[place.source], place.first)) for place in places]
            writer.write(found, files)
            written.after = key
            if number % BATCH == 0:
                _keep(ledger, written, files)
                tools.progress("writing", written.episodes, total)
        written.after = _END
        _keep(ledger, written, files)
    return written


def _grown(path: Path, number: int, written: Written) -> IO[str]:
    """A file open at the end of what was noted of it; what a killed run wrote after that is cut."""
    path.touch()
    os.truncate(path, written.sizes[number] if written.sizes else 0)
    return path.open("a", encoding="utf-8")


def _keep(ledger: Ledger, written: Written, files: Sequence[IO[str]]) -> None:
    for file in files:
        file.flush()
        os.fsync(file.fileno())
    written.sizes = [os.fstat(file.fileno()).st_size for file in files]
    ledger.remember(_NOTE, json.dumps(asdict(written)))
    ledger.commit()


@dataclass(slots=True)
class _Writer:
    config: DataConfig
    ledger: Ledger
    tools: Tools
    written: Written
    tasks: dict[tuple[str, str], Task] = field(default_factory=dict)

    def write(self, found: Sequence[tuple[Place, Trace]], files: Sequence[IO[str]]) -> None:
        """Rows, pairs and values of the episodes of one sample."""
        *parts, pairs, values = files
        written = self.written
        for place, trace in found:
            written.episodes += 1
            for row in self._rows(trace) if place.kept else ():
                parts[place.source].write(row_line(row).text)
                written.rows[place.source] += 1
                written.weights[place.source] += trained(row, partial(tokens, self.tools.count))
        traces = [trace for _, trace in found]
        told = partial(self._known, outcomes)
        for pair in States(traces, told, lone=False).pairs(self.config.margin):
            written.pairs += 1
            pairs.write(pair_line(pair).text)
        known = partial(self._known, state_values) if self.config.values == "all" else self._played
        for valued in States(traces, known).valued():
            written.values += 1
            values.write(valued_line(valued).text)

    def _played(self, trace: Trace) -> dict[int, float]:
        return self.ledger.step_values(trace.id)

    def _known(self, by_end: Values, trace: Trace) -> dict[int, float]:
        """Rollouts overrule what the end tells."""
        return {**by_end(trace), **self._played(trace)}

    def _rows(self, trace: Trace) -> list[Row]:
        assert trace.finish is not None, "the filter of outcomes has let it pass"
        config, leaf = self.config, trace.finish.leaf
        if config.idle == "cut":
            at = (trace.run.task, trace.run.data)
            if at not in self.tasks:
                self.tasks[at] = self.tools.task(trace)
            gone = idle(trace, leaf, partial(replay, self.tasks[at], trace.sample))
            self.written.idle += len(gone)
            trace = without(trace, gone)
        return sft_rows(trace, leaf, config.wrong_turn_weight if config.detours == "tell" else None)


def tokens(count: Count, turn: Turn) -> int:
    """Tokens of a turn that train: what was written, its calls, and the token that ends it."""
    said = turn.message
    calls = (call.name + call.arguments for call in said.tool_calls)
    return 1 + sum(map(count, filter(None, (said.content, *calls))))
