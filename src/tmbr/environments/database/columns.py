"""Column types: from CREATE TABLE's words to a `Column`, and what is stored under strict mode."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from . import kinds, temporal, values
from .catalog import Column
from .errors import SqlError
from .running import statement
from .sqlite_text import call, quote
from .values import Value, decimal, integer, moment, number, text

_INTEGERS = {
    "TINYINT": ("tinyint", 1), "SMALLINT": ("smallint", 2), "MEDIUMINT": ("mediumint", 3),
    "INT": ("int", 4), "BIGINT": ("bigint", 8), "BOOLEAN": ("tinyint(1)", 1), "BIT": ("bit(1)", 8),
}  # fmt: skip
_UNSIGNED = {"UTINYINT": "TINYINT", "USMALLINT": "SMALLINT", "UMEDIUMINT": "MEDIUMINT", "UINT": "INT",
             "UBIGINT": "BIGINT"}  # fmt: skip
_TEXTS = {"TINYTEXT": 255, "TEXT": 65_535, "MEDIUMTEXT": 2**24 - 1, "LONGTEXT": 2**32 - 1,
          "TINYBLOB": 255, "BLOB": 65_535, "JSON": 2**32 - 1}  # fmt: skip


def column(name: str, to: Any) -> Column | None:
    """The column of a type, as sqlglot read it; None for a type that is none of MySQL's."""
    word = to.this.name if hasattr(to.this, "name") else str(to.this)
    sizes = [int(part.name) for part in to.expressions if part.name.isdigit()]
    unsigned = word in _UNSIGNED
    word = _UNSIGNED.get(word, word)
    if word in _INTEGERS:
        shown, width = _INTEGERS[word]
        top = 2 ** (8 * width - 1)
        low, high = (0, 2 * top - 1) if unsigned else (-top, top - 1)
        high = min(high, values.INT_MAX)
        return Column(name, shown + " unsigned" * unsigned, "int", None, low=low, high=high)
    if word in _TEXTS:
        return Column(name, word.lower(), "text", _TEXTS[word])
    if word in ("VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "VARBINARY", "BINARY"):
        short = "var" if word.lstrip("N").startswith("VAR") else ""
        base = "binary" if word.endswith("BINARY") else "char"
        if word.lstrip("N") == "VARCHAR" and not sizes:
            return None
        size = sizes[0] if sizes else 1
        return Column(name, f"{short}{base}({size})", "text", size)
    if word == "ENUM" or word == "SET":
        options = ",".join(f"'{part.name}'" for part in to.expressions)
        return Column(name, f"{word.lower()}({options})", "text", 255)
    if word in ("DECIMAL", "UDECIMAL", "NUMERIC"):
        precision, scale = (*sizes, 0)[:2] if sizes else (10, 0)
        top = 10 ** (precision - scale)
        return Column(
            name, f"decimal({precision},{scale})", kinds.decimal(scale), None, low=-top, high=top
        )
    if word in ("FLOAT", "DOUBLE", "UDOUBLE"):
        return Column(name, word.lower().lstrip("u"), "double", None)
    simple = {"DATE": "date", "DATETIME": "datetime", "TIMESTAMP": "datetime", "TIME": "time"}
    if word in simple:
        return Column(name, word.lower(), simple[word], None)
    if word == "YEAR":
        return Column(name, "year", "int", None, low=1901, high=2155)
    return None


def store_call(made: str, column: Column, row: int) -> str:
    """SQL that stores a value in a column, by MySQL's strict rules."""
    bounds = [str(bound) if bound is not None else "NULL" for bound in (column.size, column.low,
                                                                          column.high)]  # fmt: skip
    return call(
        "store",
        made,
        quote(column.name),
        quote(column.kind),
        str(int(column.nullable)),
        *bounds,
        str(row),
    )


def store(
    value: Value,
    name: Value,
    kind: Value,
    nullable: Value,
    size: Value,
    low: Value,
    high: Value,
    row: Value,
) -> Value:
    """Raises SqlError 1048, 1264, 1265, 1292, 1366 or 1406, as strict mode does."""
    if value is None:
        if not nullable:
            raise SqlError(1048, name)
        return None
    kind_name = str(kind)
    if kind_name == "text":
        said = text(value) or ""
        limit = integer(size)
        length = len(said.encode("utf-8", "replace")) if limit and limit >= 65_535 else len(said)
        if limit is not None and length > limit:
            if limit < 65_535 and len(said.rstrip(" ")) <= limit:
                return said[:limit]
            raise SqlError(1406, name, row)
        return str(said)
    if kind_name in ("date", "datetime", "time"):
        return _moment(value, str(name), kind_name, row)
    return _number(value, str(name), kind_name, (low, high), row)


def _moment(value: Value, name: str, kind: str, row: Value) -> Value:
    strict, statement.strict = statement.strict, False
    made: Value = temporal.cast_time(value) if kind == "time" else moment(value)
    statement.strict = strict
    if made is None:
        where = f"for column '{name}' at row {text(row)}"
        raise SqlError(1292, text=f"Incorrect {kind} value: '{text(value)}' {where}")
    return (
        temporal.cast_date(made)
        if kind == "date"
        else (temporal.cast_datetime(made) if kind == "datetime" else made)
    )


_WHOLE = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NAMES = {"int": "integer", "double": "double", "decimal": "decimal"}


def _number(value: Value, name: str, kind: str, bounds: tuple[Value, Value], row: Value) -> Value:
    base = kind.partition(".")[0]
    if isinstance(value, str):
        found = _WHOLE.match(value)
        if not found:
            raise SqlError(1366, _NAMES[base], value[:128], name, row)
        if value[found.end() :].strip():
            raise SqlError(1265, name, row)
        value = Decimal(found[0].strip()) if base != "double" else float(found[0])
    if base == "double":
        return float(number(value) or 0)
    made: Value = integer(value) if base == "int" else decimal(value, kinds.scale(kind))
    assert made is not None
    low, high = bounds
    if (isinstance(low, int) and made < low) or (isinstance(high, int) and made > high):  # type: ignore[operator]
        raise SqlError(1264, name, row)
    return made
