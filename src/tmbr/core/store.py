"""Where episodes are kept: a journal of traces and its sidecar.

What differs between two equal runs (seconds, prefill saved by a cache) goes to the sidecar, so the line
of an episode is the same byte for byte wherever and however it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from tmbr.core.errors import DataError, no_file
from tmbr.core.journal import Journal, each_record, read_journal
from tmbr.core.trace import Finish, Run, Trace
from tmbr.core.types import Sample, digest

TRACES = "tmbr.traces"
TIMING = "tmbr.timing"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timing:
    """What an episode took here and now: wall seconds, and prompt tokens really computed."""

    id: str
    seconds: float
    prefill: int


# Wrapped in a tuple because pydantic takes a config only around plain dataclasses, not on them.
_CONFIG = ConfigDict(extra="forbid", ser_json_inf_nan="strings")
_TRACE = TypeAdapter(tuple[Trace], config=_CONFIG)
_TIME = TypeAdapter(tuple[Timing], config=_CONFIG)
_PREFILL = {"usage": {"prefill"}}
_SIDECAR: Any = {
    0: {
        "nodes": {"__all__": {"completion": _PREFILL}},
        "judgements": {"__all__": _PREFILL},
        "spent": _PREFILL,
    }
}


def resume_key(sample: Sample, run: Run) -> str:
    """The id of an episode: equal when the same question is asked under the same conditions.

    It hashes the sample's content and all of `Run`: world and prompt version, model, adapter and
    weights, strategy, config (settings, sampling, budget) and seed.
    """
    return digest([sample.digest, asdict(run)])


def encode_trace(trace: Trace) -> bytes:
    """One line of JSON, without its end; prefill is left to the sidecar.

    Infinite logprobs are written as strings, so the line is strict JSON. Half a surrogate pair, which
    an endpoint may send, is no text and becomes `?`. Raises PydanticSerializationError for a value
    that is not of its declared type: such a line could not be read back.
    """
    try:
        return _TRACE.dump_json((trace,), exclude=_SIDECAR, warnings="error")[1:-1]
    except PydanticSerializationError:
        plain = _TRACE.dump_python((trace,), mode="json", exclude=_SIDECAR, warnings="error")[0]
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="replace")


def decode_trace(line: bytes) -> Trace:
    """The inverse of `encode_trace`. Raises ValueError with the first complaint, in one line."""
    return _decode(_TRACE, line)


def _decode_timing(line: bytes) -> Timing:
    return _decode(_TIME, line)


def _decode(adapter: TypeAdapter[tuple[T]], line: bytes) -> T:
    try:
        return adapter.validate_json(b"[" + line + b"]")[0]
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"][1:]))
        raise ValueError(": ".join(filter(None, [where, first["msg"]]))) from error


class TraceStore:
    """The traces of a run and their sidecar `NAME.timing.jsonl`, open for appending.

    finished: how each episode ended that need not be played again; one that ended in a `task error`
    is not among them, so the next run tries it anew and the later line counts.
    warning: one line when something had to be repaired.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.finished: dict[str, Finish] = {}
        self._traces = Journal(path, TRACES, lambda line: self._note(decode_trace(line)))
        try:
            self._timing = Journal(timing_path(path), TIMING, _decode_timing)
        except BaseException:
            self._traces.close()
            raise

    @property
    def warning(self) -> str | None:
        said = [journal.warning for journal in (self._traces, self._timing) if journal.warning]
        return "; ".join(said) or None

    def append(self, trace: Trace, seconds: float) -> None:
        """Keep a finished episode. Raises DataError when it cannot be written."""
        if trace.finish is None:
            raise ValueError(f"episode {trace.id} has not ended")
        line = encode_trace(trace)
        timing = Timing(trace.id, round(seconds, 3), trace.spent.usage.prefill)
        self._timing.append(_TIME.dump_json((timing,))[1:-1])
        self._traces.append(line)
        self._note(trace)

    def close(self) -> None:
        self._timing.close()
        self._traces.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _note(self, trace: Trace) -> None:
        if trace.finish and trace.finish.status != "task error":
            self.finished[trace.id] = trace.finish


def timing_path(path: Path) -> Path:
    """The sidecar of a trace file."""
    return path.with_name(path.stem + ".timing.jsonl")


def read_traces(path: Path) -> list[Trace]:
    """All episodes of a file, one an id (the latest), in an order that does not depend on concurrency.

    A line still being written at the end is passed over. Raises DataError.
    """
    traces: dict[str, Trace] = {}
    for trace in read_journal(path, TRACES, decode_trace):
        traces[trace.id] = trace
    return sorted(traces.values(), key=lambda trace: (trace.sample.id, trace.run.seed, trace.id))


def each_trace(path: Path, start: int = 0) -> Iterator[tuple[int, int, Trace]]:
    """Every line of a trace file in its order, one at a time, with the bytes [first, end) where it
    stands; of an id that comes again the later line counts. start: as `each_record`.

    Raises DataError.
    """
    return each_record(path, TRACES, decode_trace, start)


def trace_at(file: IO[bytes], first: int) -> Trace:
    """The trace that begins at a byte of an open trace file; see `each_trace`."""
    file.seek(first)
    return decode_trace(file.readline())


def holds_traces(path: Path) -> bool:
    """Whether a file begins as a trace file does. Raises DataError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return TRACES.encode() in file.readline(200)
    except FileNotFoundError:
        raise DataError(no_file(path)) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def read_timing(path: Path) -> dict[str, Timing]:
    """The sidecar of the trace file `path`, by episode; empty where there is none. Raises DataError."""
    side = timing_path(path)
    if not side.exists():
        return {}
    return {timing.id: timing for timing in read_journal(side, TIMING, _decode_timing)}
