"""Rows of a result: what was measured, beside what, and whether it is good enough."""

from __future__ import annotations

import json
import operator
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from tmbr.core.files import write_whole

Row = dict[str, Any]
RESULTS = Path(__file__).parent / "results"
_SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt}


def row(
    name: str,
    value: float,
    unit: str = "",
    bar: str | None = None,
    reference: str | None = None,
    reference_value: float | None = None,
) -> Row:
    """bar: what the value has to be, as `<= 5`, or with an `x` what the ratio has to be, as `>= 8x`.

    ratio: how many times better than the reference; of a rate (`1/s`, `tokens/s`) more is better, of
    all else less. A reference that could not be measured is left out.
    """
    ratio = None
    if reference_value is not None:
        ratio = value / reference_value if unit.endswith("/s") else reference_value / value
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "reference": reference if reference_value is not None else None,
        "reference_value": None if reference_value is None else round(reference_value, 4),
        "ratio": None if ratio is None else round(ratio, 2),
        "bar": bar,
        "ok": bar is None or _reached(bar, value, ratio),
    }


def _reached(bar: str, value: float, ratio: float | None) -> bool:
    sign, limit = bar.split()
    found = ratio if limit.endswith("x") else value
    assert found is not None, f"{bar}: there is no reference"
    return bool(_SIGNS[sign](found, float(limit.removesuffix("x"))))


def table(rows: Sequence[Row]) -> str:
    """One line a row."""
    width = max(len(one["name"]) for one in rows)
    lines = []
    for one in rows:
        bar = f"{one['bar']} {'ok' if one['ok'] else 'MISSED'}" if one["bar"] else ""
        beside = f"{one['ratio']:,} x {one['reference']}" if one["reference"] else ""
        told = f"{one['name']:<{width}} {one['value']:>14,} {one['unit']:<8}  {bar:<16}  {beside}"
        lines.append(told.rstrip())
    return "\n".join(lines)


def write(path: Path, found: Any) -> None:
    """Write a result as JSON, whole or not at all."""
    write_whole(path, json.dumps(found, indent=1) + "\n")


def verdict(rows: Sequence[Row]) -> NoReturn:
    """Print the table and leave, with an error where a bar is missed."""
    print(table(rows), flush=True)
    sys.exit(not all(one["ok"] for one in rows))
