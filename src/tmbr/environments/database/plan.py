"""What a compiled statement asks of SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .catalog import Catalog
from .scope import Query


@dataclass(frozen=True, slots=True)
class Plan:
    """query: gives rows. writes: SQL that is run in order, after which `catalog` holds.

    silent: its rows are not shown. single: it may give one row only. assigns: it may set variables.
    strict: bad conversions are errors. recursive: a recursion in it ends at the limits
    only. unique: what a broken unique index means, as (name of the key, column names).
    """

    query: Query | None = None
    writes: Sequence[str] = ()
    catalog: Catalog | None = None
    strict: bool = False
    recursive: bool = False
    silent: bool = False
    single: bool = False
    assigns: bool = False
    unique: Sequence[tuple[str, tuple[str, ...]]] = ()
