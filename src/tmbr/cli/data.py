"""`tmbr data stats`, `validate` and `convert`: what a data set holds, and whether it is sound."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from tmbr.cli.build import model_path
from tmbr.cli.lines import line as one_line
from tmbr.core.errors import ConfigError
from tmbr.core.journal import read_journal
from tmbr.core.rows import Row
from tmbr.core.store import TRACES, decode_trace, holds_traces
from tmbr.core.trace import Finish
from tmbr.teacher import card as cards
from tmbr.teacher.checks import problems
from tmbr.teacher.formats.base import Item
from tmbr.teacher.reading import TOLD, Bad, Converted, Reading, bad_path
from tmbr.teacher.reading import convert as write
from tmbr.teacher.statistics import Statistics
from tmbr.viewer.text import plural

T = TypeVar("T")
#: Letters of the longest bar of the histogram, and names told of one kind.
BAR, NAMES = 40, 12


def stats(file: str, form: str | None, model: str | None) -> int:
    """Print counts; exit code 2 when every row was bad."""
    found = Statistics(None if model is None else token_counter(model))
    reading = Reading(file, form)
    for _, item in _shown(reading, file):
        found.add(item)
    for line in _lines(file, found):
        print(line)
    return _bad(reading, f"; `tmbr data validate {file}` names each")


def _lines(file: str, found: Statistics) -> Iterator[str]:
    pairs = f", {plural(found.pairs, 'pair')}" if found.pairs else ""
    trained = f"{found.trained:,} of them train"
    yield f"{file}: {plural(found.rows, 'row')}{pairs}, {plural(found.turns, 'turn')}, {trained}"
    yield f"roles: {_counts(found.roles)}"
    if found.tokens is not None:
        share = 100 * found.tokens_trained / max(found.tokens_all, 1)
        yield f"tokens: {found.tokens_all:,}, {found.tokens_trained:,} train ({share:.1f}%)"
    if found.tools:
        yield f"calls: {_counts(found.tools)}"
    yield f"sources: {_counts(Counter({name or 'not said': n for name, n in found.sources.items()}))}"
    yield f"duplicates: {found.duplicates:,}"
    yield f"length of a row in {'characters' if found.tokens is None else 'tokens'}:"
    most, wide = max(found.lengths.values(), default=1), len(f"{max(found.lengths, default=0):,}")
    for bound in sorted(found.lengths):
        count = found.lengths[bound]
        yield f"  < {bound:>{wide},} {'█' * max(1, round(BAR * count / most))} {count:,}"


def _counts(counts: Counter[str]) -> str:
    told = [f"{one_line(name, 60)} {count:,}" for name, count in counts.most_common(NAMES)]
    more = len(counts) - len(told)
    return ", ".join(told) + (f", and {more:,} more" if more > 0 else "")


def token_counter(spec: str) -> Callable[[str], int]:
    """Counts the tokens of a text by a model's tokenizer. Raises ConfigError."""
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise ConfigError("tokens are counted by `tokenizers`: pip install tmbr[train]") from None
    path = Path(model_path(spec)) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path)) if path.exists() else Tokenizer.from_pretrained(spec)
    except Exception as error:  # tokenizers raises bare Exceptions for what is not found
        raise ConfigError(f"model {spec!r}: no tokenizer.json is there ({error})") from None
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def validate(files: Iterable[str], form: str | None) -> int:
    """Print whatever is wrong, and a line a file; exit code 2 when anything is."""
    wrong = 0
    for file in files:
        if form is None and Path(file).is_file() and holds_traces(Path(file)):
            print(_episodes(Path(file)))
        reading = Reading(file, form, lambda bad: print(one_line(str(bad))))
        unsound = 0
        for line, item in _shown(reading, file):
            found = [str(Bad(file, line, key, why)) for key, why in problems(item)]
            for told in found:
                print(one_line(told))
            unsound += bool(found)
        bad = unsound + reading.bad
        wrong += bad
        told = f"{bad:,} of them bad" if bad else "all sound"
        print(f"{file}: {plural(reading.good + reading.bad, 'row')}, {told}{_lost(reading.lost)}")
    return 2 if wrong else 0


def _episodes(path: Path) -> str:
    """One line of what a trace file holds. Raises DataError with the line that is broken."""
    latest = dict(read_journal(path, TRACES, _end))
    ends = Counter(finish.status for finish in latest.values() if finish)
    solved = sum(finish.score.success for finish in latest.values() if finish)
    said = ", ".join(f"{count} {status}" for status, count in ends.most_common())
    return f"{path}: {len(latest)} whole episodes, {solved} solved" + (f" ({said})" if said else "")


def _end(line: bytes) -> tuple[str, Finish | None]:
    """Of an episode its id and how it ended: what is kept of each while a file is read."""
    trace = decode_trace(line)
    return trace.id, trace.finish


@dataclass(slots=True)
class _Written:
    """What was written, counted for the card. counts: rows, pairs, turns; sources: rows."""

    counts: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)

    def add(self, item: Item) -> None:
        if isinstance(item, Row):
            self.counts.update(rows=1, turns=len(item.turns))
            self.sources[item.source] += 1
        else:
            self.counts.update(pairs=1, turns=len(item.prompt) + 2)
            self.sources[""] += 1


def convert(file: str, out: Path, to: str, form: str | None, lossy: bool) -> int:
    """Write OUT, its side file of bad rows, and the card; exit code 2 when every row was bad."""
    found = _Written()
    done = write(file, out, to, form, lossy, _ticking(found.add, out.name))
    side = f"; see {bad_path(out)}" if done.bad else ""
    print(f"{out}: {plural(done.written, 'row')} as {to}{_lost(done.lost)}")
    if done.bad:
        tell_bad(done.bad, done.first, side)
    if done.written == 0:
        return 2
    if cards.carries(out.parent):
        _write_card(file, out, to, form, done, found, lossy)
    else:
        print(
            f"{out.parent / cards.README} is not a data card's, so no card was written", file=sys.stderr
        )
    return 0


def _write_card(
    file: str, out: Path, to: str, form: str | None, done: Converted, found: _Written, lossy: bool
) -> None:
    """Carry the card of where the data comes from on to where it goes, with what was done to it."""
    told = ["--to", to, *(["--from", form] if form else []), *(["--lossy"] if lossy else [])]
    command = shlex.join(["tmbr", "data", "convert", file, str(out), *told])
    dropped = {"bad rows": done.bad} if done.bad else {}
    here, before = cards.read_card(out.parent), cards.read_card(Path(file).parent)
    # What the data comes from is told by its card; the file converted is no source of its own then.
    sources = [] if before else sorted(found.sources.items())
    new = cards.Card(
        out.resolve().parent.name,
        sources=tuple(cards.Source(name or Path(file).name, count) for name, count in sources),
        stages=(cards.Stage(f"convert to {to}", done.written + done.bad, done.written, dropped),),
        made_by=(command,),
        notes=tuple(f"{out.name}: {count:,} × {what} left out" for what, count in done.lost.items()),
    )
    first = here or (replace(before, files=()) if before else new)
    described = cards.describe(out, to, found.counts)
    joined = cards.join(first, *([before] if before else []), new)
    cards.write_card(out.parent, joined.with_file(described))


def _bad(reading: Reading, side: str) -> int:
    """Say what was left behind; exit code 2 when all was bad."""
    if reading.lost:
        print(_lost(reading.lost).removeprefix("; "))
    if reading.bad:
        tell_bad(reading.bad, reading.first, side)
    return 2 if reading.bad and not reading.good else 0


def tell_bad(count: int, first: Iterable[Bad], side: str) -> None:
    """Say on stderr how many rows were bad, where they are named, and the first."""
    first_of = f", the first {TOLD}" if count > TOLD else ""
    print(f"{plural(count, 'bad row')}{first_of}{side}", file=sys.stderr)
    for bad in first:
        print(f"  {one_line(str(bad))}", file=sys.stderr)


def _lost(lost: Counter[str]) -> str:
    told = ", ".join(f"{count:,} × {one_line(what, 60)}" for what, count in lost.most_common())
    return f"; left out: {told}" if told else ""


def _shown(items: Iterable[T], title: str) -> Iterator[T]:
    """The same items, counted on a terminal while they pass."""
    tick = _ticking(lambda _: None, title)
    for item in items:
        tick(item)
        yield item


def _ticking(then: Callable[[T], None], title: str) -> Callable[[T], None]:
    """Calls `then`, and says now and then on a terminal how many there were."""
    if not sys.stderr.isatty():
        return then
    count = 0

    def tick(item: T) -> None:
        nonlocal count
        count += 1
        if count % 1000 == 0:
            print(f"\r{one_line(title, 60)}: {count:,} rows", end="\r", file=sys.stderr, flush=True)
        then(item)

    return tick
