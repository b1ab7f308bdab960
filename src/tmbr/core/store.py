"""Where episodes are kept: an append-only JSONL file of traces, safe against a kill and a full disk.

The first line is a header with schema and version; every other line is one finished episode. What
differs between two equal runs (seconds, prefill saved by a cache) goes to a sidecar beside it, so the
line of an episode is the same byte for byte wherever and however it was made.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from tmbr.core.errors import DataError, no_file
from tmbr.core.types import Finish, Run, Sample, Trace, digest

VERSION = 1
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
    """The inverse of `encode_trace`. Raises ValueError."""
    return _TRACE.validate_json(b"[" + line + b"]")[0]


def _decode_timing(line: bytes) -> Timing:
    return _TIME.validate_json(b"[" + line + b"]")[0]


class Journal:
    """An append-only file of JSON lines with one writer.

    On opening, a torn last line is moved to `PATH.torn` and `warning` says so. Raises DataError when
    another process writes the file, when it is no journal of this schema, or a line inside is broken.
    """

    def __init__(self, path: Path, schema: str, read: Callable[[bytes], None]) -> None:
        self.path = path
        self.warning: str | None = None
        self._synced = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            self._file = path.open("r+b", buffering=0)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from error
        try:
            self._lock()
            self._end = self._repair(schema, read)
        except BaseException:
            self._file.close()
            raise

    def append(self, line: bytes) -> None:
        """Write one record whole or not at all; raises DataError when the disk takes no more."""
        data = memoryview(line + b"\n")
        try:
            while data:
                data = data[self._file.write(data) :]
            if time.monotonic() - self._synced > 1:  # a kill loses nothing; a power cut one second
                self._sync()
        except OSError as error:
            self._file.truncate(self._end)
            self._file.seek(self._end)
            raise DataError(
                f"{self.path}: cannot write ({error.strerror}); all earlier records are kept, "
                "make room and give the same command again"
            ) from error
        self._end = self._file.tell()

    def close(self) -> None:
        """Flush to disk and release the file."""
        if not self._file.closed:
            self._sync()
            self._file.close()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"{self.path}: another process is writing this file; wait for it or choose another one"
            ) from None

    def _repair(self, schema: str, read: Callable[[bytes], None]) -> int:
        """Leave the file at a whole line's end, which is returned."""
        with self.path.open("rb") as file:
            end, torn = _scan(self.path, file, schema, read)
        if torn:
            side = self.path.with_name(self.path.name + ".torn")
            with side.open("ab") as file:
                file.write(torn + b"\n")
            self._file.truncate(end)
            self.warning = f"{self.path}: its last line was torn and has been moved to {side.name}"
        self._end = self._file.seek(end)
        if end == 0:
            self.append(_header(schema))
        elif os.pread(self._file.fileno(), 1, end - 1) != b"\n":
            self.append(b"")
        return self._end


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
            self._timing = Journal(timing_path(path), TIMING, lambda line: void(_decode_timing(line)))
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _note(self, trace: Trace) -> None:
        if trace.finish and trace.finish.status != "task error":
            self.finished[trace.id] = trace.finish


def void(_: object) -> None:
    """Read for its errors only."""


def timing_path(path: Path) -> Path:
    """The sidecar of a trace file."""
    return path.with_name(path.stem + ".timing.jsonl")


def read_traces(path: Path) -> list[Trace]:
    """All episodes of a file, one an id (the latest), in an order that does not depend on concurrency.

    A line still being written at the end is passed over. Raises DataError.
    """
    traces: dict[str, Trace] = {}
    for trace in _read(path, TRACES, decode_trace):
        traces[trace.id] = trace
    return sorted(traces.values(), key=lambda trace: (trace.sample.id, trace.run.seed, trace.id))


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
    return {timing.id: timing for timing in _read(side, TIMING, _decode_timing)}


def _read(path: Path, schema: str, decode: Callable[[bytes], T]) -> list[T]:
    found: list[T] = []
    try:
        with path.open("rb") as file:
            _scan(path, file, schema, lambda line: found.append(decode(line)))
    except FileNotFoundError:
        raise DataError(no_file(path)) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return found


def _scan(path: Path, file: IO[bytes], schema: str, read: Callable[[bytes], None]) -> tuple[int, bytes]:
    """Read every whole line; return where the last one ends, and the torn bytes after it."""
    size = os.fstat(file.fileno()).st_size
    end = 0
    for number, line in enumerate(file, start=1):
        if number == 1 and _torn_header(line, schema):
            return 0, line
        try:
            _check_header(path, line, schema) if number == 1 else read(line)
        except ValueError as error:
            if end + len(line) >= size:
                return end, line
            why = _first(error)
            raise DataError(
                f"{path}:{number}: broken record ({why}); mend or delete the line"
            ) from error
        end += len(line)
    return end, b""


def _header(schema: str) -> bytes:
    return json.dumps({"schema": schema, "version": VERSION}).encode()


def _torn_header(line: bytes, schema: str) -> bool:
    return not line.endswith(b"\n") and _header(schema).startswith(line) and line != _header(schema)


def _check_header(path: Path, line: bytes, schema: str) -> None:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("schema") != schema:
        raise DataError(f"{path}:1: not a file of {schema}: its first line must name this schema")
    if header.get("version") != VERSION:
        raise DataError(
            f"{path}:1: schema version {header.get('version')}, but this tmbr reads {VERSION}; "
            "use the tmbr that wrote it"
        )


def _first(error: ValueError) -> str:
    """The first complaint, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        return ": ".join(filter(None, [".".join(map(str, first["loc"][1:])), first["msg"]]))
    return str(error)
