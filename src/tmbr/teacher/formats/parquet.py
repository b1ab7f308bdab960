"""Parquet, through pyarrow: fixed columns a format, so that a file reads the same whatever is in it.

Free JSON (tools, arguments of calls) is text there; all readers take it back from text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.errors import ConfigError, DataError
from tmbr.teacher.formats.base import Format, Kind, Lost

if TYPE_CHECKING:
    import pyarrow

    from tmbr.teacher.formats.files import Write

#: Rows held before they are written, and read at a time.
BATCH = 512


def read_parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    """Records without the nulls that a column has where a record had nothing. Raises DataError."""
    _need()
    from pyarrow import ArrowException, OSFile, parquet

    try:
        with OSFile(str(path)) as file:
            for batch in parquet.ParquetFile(file).iter_batches(batch_size=BATCH):
                for record in batch.to_pylist():
                    yield _without_nulls(record)
    except (ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {' '.join(str(error).split())}") from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


@contextmanager
def writing_parquet(path: Path, form: Format) -> Iterator[Write]:
    """As `files.writing`, by groups of BATCH rows."""
    _need()
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    from tmbr.teacher.formats.files import part_of

    kinds = form.columns
    schema = pyarrow.schema([(key, _type(kind)) for key, kind in kinds.items()])
    held: list[dict[str, Any]] = []

    with part_of(path) as aside, ParquetWriter(aside, schema, compression="zstd") as writer:

        def flush() -> None:
            writer.write_table(pyarrow.Table.from_pylist(held, schema))
            held.clear()

        def write(record: dict[str, Any], lost: Lost) -> None:  # noqa: ARG001 (Parquet holds all)
            held.append({key: _cell(value, kinds[key]) for key, value in record.items()})
            if len(held) == BATCH:
                flush()

        yield write
        flush()


def _cell(value: Any, kind: Kind) -> Any:
    if kind == "json":
        return json.dumps(value, ensure_ascii=False)
    return [_message(message) for message in value] if kind == "messages" else value


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    calls = [
        {**call, "function": {**call["function"], "arguments": _text(call["function"]["arguments"])}}
        for call in message.get("tool_calls", ())
    ]
    weights = [
        dict(zip(("start", "end", "weight"), span, strict=True)) for span in message.get("weights", ())
    ]
    return {**message, "tool_calls": calls or None, "weights": weights or None}


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _type(kind: Kind) -> pyarrow.DataType:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    call = pa.struct(
        [("id", text), ("type", text), ("function", pa.struct([("name", text), ("arguments", text)]))]
    )
    span = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("weight", number)])
    message = [
        ("role", text),
        ("content", text),
        ("name", text),
        ("tool_calls", pa.list_(call)),
        ("tool_call_id", text),
        ("loss", number),
        ("weights", pa.list_(span)),
    ]
    shared = [("from", text), ("value", text), ("tool_call_id", text), ("loss", number)]
    types = {
        "text": text,
        "json": text,
        "number": number,
        "messages": pa.list_(pa.struct(message)),
        "shared": pa.list_(pa.struct(shared)),
    }
    return types[kind]


def _need() -> None:
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError:
        raise ConfigError("Parquet needs the package `pyarrow`: pip install tmbr[train]") from None
