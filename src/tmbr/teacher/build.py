"""From files of traces to rows, pairs and values: judged one by one, settled together, written, mixed.

Every stage goes on where it was stopped: the ledger knows how far each file was read and how much was
written. What is written depends on the data, the config and the seed alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tmbr.core.errors import ConfigError, DataError, no_file
from tmbr.core.rows import Row, Turn, each_row, row_line
from tmbr.core.store import each_trace
from tmbr.teacher import filters
from tmbr.teacher.build_config import DataConfig, FiltersConfig
from tmbr.teacher.formats.files import HUB
from tmbr.teacher.ledger import Ledger, Yield, steps
from tmbr.teacher.mix import Source, counts, factors, interleaved, sample, scaled, trained
from tmbr.teacher.near import sketch
from tmbr.teacher.parts import Written, part, tokens, write_parts
from tmbr.teacher.reading import Reading, Side, bad_path, only_rows
from tmbr.teacher.tools import BATCH, Count, Tools
from tmbr.teacher.values import each_step_value

LEDGER = ".ledger.sqlite"


@dataclass(frozen=True, slots=True)
class Mixed:
    """One source in the data. available, rows: how many there were and are; weight: what its turns
    weigh in the loss, in tokens; factor: by which each was multiplied; bad: rows passed over."""

    name: str
    agent: bool
    available: int
    rows: int
    weight: float
    factor: float = 1.0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a build."""

    episodes: int
    yields: tuple[Yield, ...]
    groups: dict[str, int]
    idle: int
    sources: tuple[Mixed, ...]
    rows: int
    pairs: int
    values: int

    @property
    def agent_share(self) -> float:
        """λ, by what trains."""
        total = sum(source.weight for source in self.sources)
        return sum(s.weight for s in self.sources if s.agent) / total if total else 0.0


def build(config: DataConfig, tools: Tools) -> Built:
    """Make OUT/rows.jsonl, pairs.jsonl and values.jsonl, each whole or not at all.

    Raises DataError for files that are missing or broken, ConfigError where nothing is left.
    """
    files = [*(s.path for s in (*config.traces, *config.general)), *config.step_values]
    ledger = Ledger(config.out / LEDGER, [config.model_dump(mode="json"), [_stamp(f) for f in files]])
    try:
        _judge_all(config, ledger, tools)
        written = write_parts(config, ledger, tools)
        sources = _mix(config, written, tools)
        parts = part(config.out, 0).parent
        for name in ("pairs.jsonl", "values.jsonl"):
            shutil.copyfile(parts / name, parts / f"{name}.whole")
            (parts / f"{name}.whole").replace(config.out / name)
        return Built(
            episodes=ledger.total(),
            yields=tuple(ledger.yields(names(config.filters))),
            groups=ledger.groups(),
            idle=written.idle,
            sources=tuple(sources),
            rows=sum(source.rows for source in sources),
            pairs=written.pairs,
            values=written.values,
        )
    finally:
        ledger.close()


def told(built: Built) -> dict[str, Any]:
    """As JSON data."""
    return {**asdict(built), "agent_share": round(built.agent_share, 6)}


def _stamp(path: Path) -> list[object]:
    """What tells that a file has changed; of a hub's data set, its name."""
    if str(path).startswith(HUB):
        return [str(path)]
    try:
        found = path.stat()
    except OSError:
        raise DataError(no_file(path)) from None
    return [str(path.resolve()), found.st_size, found.st_mtime_ns]


def made_of(config: FiltersConfig, count: Count) -> list[filters.Filter]:
    """The filters that look at one episode at a time, in the order in which they are asked."""
    found: list[filters.Filter] = [filters.Outcome(config.least_score)]
    if config.most_malformed is not None:
        found.append(filters.Malformed(config.most_malformed))
    if config.most_inadmissible is not None:
        found.append(filters.Inadmissible(config.most_inadmissible))
    if config.most_repeats is not None:
        found.append(filters.Loops(config.most_repeats))
    if config.turns is not None or config.tokens is not None:
        found.append(filters.Length(config.turns, config.tokens, count))
    if config.scripts is not None:
        found.append(filters.Language(config.scripts))
    if config.judge is not None:
        found.append(filters.Judged(config.judge, config.least_judged))
    return found


def names(config: FiltersConfig) -> list[str]:
    """Of all filters, those that need all episodes last."""
    found = [one.name for one in made_of(config, len)]
    found += ["duplicates"] if config.duplicates != "keep" else []
    found += ["near duplicates"] if config.duplicates == "near" else []
    return found + (["balance"] if config.most_per_group is not None else [])


def _judge_all(config: DataConfig, ledger: Ledger, tools: Tools) -> None:
    """Enter every episode into the ledger, then drop what only all of them together show."""
    if ledger.note("settled"):
        return
    for path in config.step_values:
        for value in each_step_value(path):
            ledger.enter_value(value.trace, value.node, value.value)
    rules = made_of(config.filters, tools.count)
    near = config.filters.duplicates == "near"
    for number, source in enumerate(config.traces):
        start, size = int(ledger.note(f"read {number}") or 0), source.path.stat().st_size
        for done, (first, end, trace) in enumerate(each_trace(source.path, start), 1):
            dropped = filters.verdict(rules, trace)
            drawn = sketch(steps(trace)) if near and dropped is None else b""
            ledger.enter(trace, number, first, dropped, config.seed, drawn)
            if done % BATCH == 0:
                ledger.remember(f"read {number}", end)
                ledger.commit()
                tools.progress(f"judging {source.path.name}", end, size)
        ledger.remember(f"read {number}", size)
    if config.filters.duplicates != "keep":
        ledger.drop_doubles()
    if near:
        ledger.drop_alike(config.filters.alike)
    if config.filters.most_per_group is not None:
        ledger.drop_beyond(config.filters.most_per_group)
    ledger.remember("settled", "yes")
    ledger.commit()


def _mix(config: DataConfig, written: Written, tools: Tools) -> list[Mixed]:
    """Write rows.jsonl from the parts and the general rows."""
    weigh = partial(tokens, tools.count)
    paths = _named(config)
    found = []
    for number, (name, path) in enumerate(paths.items()):
        if number < len(config.traces):
            rows, weight = written.rows[number], written.weights[number]
        else:
            tools.progress(f"counting {path.name}", number, len(paths))
            general = _counted(path, bad_path(config.out / path.name), weigh)
            found.append(replace(general, name=name))
            continue
        found.append(Mixed(name, True, rows, rows, weight))
    mixed, content = _plan(config, found, paths)
    if not any(source.rows for source in mixed):
        raise ConfigError(f"{config.out}: no row is left; loosen `filters`, see yields.json")
    target = config.out / "rows.jsonl"
    aside = target.with_name(".rows.jsonl")
    seen = dict.fromkeys(paths, 0.0)
    with aside.open("w", encoding="utf-8") as file:
        for name, row in content:
            seen[name] += trained(row, weigh)
            file.write(row_line(row).text)
    aside.replace(target)
    return [replace(source, weight=round(seen[source.name], 3)) for source in mixed]


def _counted(path: Path, bad: Path, weigh: Callable[[Turn], int]) -> Mixed:
    """What a general source holds, in whatever format; its bad rows are named in the side file `bad`.

    Raises DataError where it cannot be read.
    """
    weight = 0.0
    with Side(bad) as side:
        reading = Reading(str(path), on_bad=side.add)
        for row in only_rows(reading):
            weight += trained(row, weigh)
    return Mixed(str(path), False, reading.good, reading.good, weight, bad=reading.bad)


def _named(config: DataConfig) -> dict[str, Path]:
    """A name of its own for each source: where its rows are, the agent's first."""
    made = {}
    for number, source in enumerate((*config.traces, *config.general)):
        name = str(source.path)
        if name in made:
            raise ConfigError(f"{name} is given twice; name each file once")
        made[name] = part(config.out, number) if number < len(config.traces) else source.path
    return made


def _plan(
    config: DataConfig, found: list[Mixed], paths: dict[str, Path]
) -> tuple[list[Mixed], Iterator[tuple[str, Row]]]:
    """What each source gives, and all rows in their order."""
    weights = [source.weight for source in (*config.traces, *config.general)]
    content = {
        name: _rows(path, name, agent=found[n].agent) for n, (name, path) in enumerate(paths.items())
    }
    by_weight = config.mix_by == "weights"
    sources = [
        Source(mixed.name, mixed.weight if by_weight else mixed.rows, mixed.agent, weight)
        for mixed, weight in zip(found, weights, strict=True)
    ]
    if config.agent_share is not None and not by_weight:
        wanted = counts(sources, config.agent_share, config.most_rows)
        mixed = [replace(source, rows=wanted[source.name]) for source in found]
        return mixed, sample(content, sources, config.agent_share, config.seed, config.most_rows)
    by = (
        factors(sources, config.agent_share)
        if config.agent_share is not None
        else dict.fromkeys(paths, 1.0)
    )
    mixed = [
        replace(
            m, factor=by[m.name], rows=m.rows if by[m.name] else 0
        )  # what weighs nothing is left out
        for m in found
    ]
    every = interleaved({m.name: (iter(content[m.name]), m.rows) for m in mixed}, config.seed)
    return mixed, ((name, scaled(row, by[name])) for name, row in every)


def _rows(path: Path, name: str, agent: bool) -> Iterable[Row]:
    """Rows of a source; those of general files get ids that no other file has."""
    if agent:
        return each_row(path)
    general = only_rows(Reading(str(path)))
    return (replace(row, id=f"{name}:{row.id}") for row in general)
