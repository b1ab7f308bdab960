"""What a compiled statement asks of SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .catalog import Catalog
from .scope import Query


@dataclass(frozen=True, slots=True)
class Plan:
    """query: gives rows. writes: SQL that is run in order, after which `catalog` holds.

    strict: bad conversions are errors. recursive: it may run for ever. unique: what a broken
    unique index means, as (name of the key, column names).
    """

    query: Query | None = None
    writes: Sequence[str] = ()
    catalog: Catalog | None = None
    strict: bool = False
    recursive: bool = False
    unique: Sequence[tuple[str, tuple[str, ...]]] = ()
