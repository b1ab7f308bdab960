"""The paper's manual filter (section 3.2): what a person decides of one trajectory after another.

Decisions are data: an append-only file in which the last line of a trajectory counts, so that a review
goes on where it stopped, and can be taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import TypeAdapter, ValidationError

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.journal import Journal
from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, rows
from tmbr.core.store import TRACES, decode_trace, encode_trace, holds_traces, read_traces
from tmbr.core.trace import Trace, answer
from tmbr.core.types import Message, digest
from tmbr.teacher.formats.base import BadRow, Item, Lost, filled
from tmbr.teacher.formats.files import part_of, writing
from tmbr.teacher.formats.known import writable
from tmbr.teacher.reading import TOLD, Bad, Reading, Side, bad_path

DECISIONS = "tmbr.decisions"
Verdict = Literal["keep", "drop", "cut"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of a trajectory. verdict: None for a note alone. at: after a cut, the last turn
    that stays: a node of a trace, a turn of a row."""

    id: str
    verdict: Verdict | None = None
    at: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A turn as it is reviewed. at: what a cut after it names; None where there is nothing to keep."""

    message: Message
    at: int | None
    trains: bool
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One trajectory to decide on. id: of the trace; of a row or pair, with a hash of its content."""

    id: str
    title: str
    facts: tuple[str, ...]
    turns: tuple[Said, ...]
    source: Trace | Item

    def cuts(self) -> set[int]:
        """Where it can be cut."""
        return {turn.at for turn in self.turns if turn.at is not None}


def cases(
    path: Path, form: str | None = None, on_bad: Callable[[Bad], None] = lambda _: None
) -> list[Case]:
    """All trajectories of a file of traces, rows or pairs, in its order. Raises DataError.

    on_bad: is told every row that cannot be reviewed.
    """
    if form is None and holds_traces(path):
        found = [_of_trace(trace) for trace in read_traces(path) if trace.nodes]
    else:
        found = [_of_item(item) for _, item in Reading(str(path), form, on_bad)]
    if not found:
        raise DataError(f"{path}: holds nothing to review")
    return list({case.id: case for case in found}.values())


def _of_trace(trace: Trace) -> Case:
    leaf = trace.finish.leaf if trace.finish else len(trace.nodes) - 1
    told = iter(next(rows([trace], keep=lambda _: [leaf])).turns)
    turns: list[Said] = []
    for index in trace.conversation(leaf):
        node, turn = trace.nodes[index], next(told)
        at = index if node.sampled else None
        turns.append(Said(turn.message, at, turn.loss > 0, node.error or ""))
        if answer(node) is not None:
            refused = node.step is not None and node.step.admissible is False
            turns.append(Said(next(told).message, at, False, "not possible here" if refused else ""))
    finish = trace.finish
    facts = [trace.run.task, f"{trace.run.model}, {trace.run.strategy}"]
    if finish is not None:
        facts += [
            finish.status,
            f"score {finish.score.value:g}" if finish.score.known else "not scored",
        ]
    return Case(trace.id, trace.sample.instruction, tuple(facts), tuple(turns), trace)


def _of_item(item: Item) -> Case:
    id = f"{item.id}#{digest(asdict(item))[:8]}"
    if isinstance(item, Pair):
        told = [Said(message, None, False) for message in item.prompt]
        answers = [
            Said(item.chosen, None, True, "chosen"),
            Said(item.rejected, None, False, "rejected"),
        ]
        return Case(id, item.id, ("pair", f"margin {item.margin:g}"), (*told, *answers), item)
    turns: list[Said] = []
    at: int | None = None
    for index, turn in enumerate(item.turns):
        at = index if turn.message.role == "assistant" else at
        turns.append(Said(turn.message, at, turn.loss > 0))
    return Case(id, item.id, ("row", *filter(None, [item.source])), tuple(turns), item)


class Decisions:
    """The decisions of a review, open for appending by one process. Raises DataError."""

    def __init__(self, path: Path) -> None:
        self.latest: dict[str, Decision] = {}
        self._journal = Journal(path, DECISIONS, self._note)

    def decide(self, decision: Decision) -> None:
        """Keep it at once; the last one of a trajectory counts."""
        self._journal.append(_DECISION.dump_json(decision))
        self.latest[decision.id] = decision

    def counts(self, found: Sequence[Case]) -> Counter[str]:
        """How many of each verdict, and `open` ones."""
        return Counter(self.verdict(case) or "open" for case in found)

    def verdict(self, case: Case) -> Verdict | None:
        decided = self.latest.get(case.id)
        return decided.verdict if decided else None

    def first_open(self, found: Sequence[Case], after: int = -1) -> int | None:
        """Index of the next trajectory without a verdict, then of the first; None when none is left."""
        order = [*range(after + 1, len(found)), *range(after + 1)]
        return next((index for index in order if self.verdict(found[index]) is None), None)

    def close(self) -> None:
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _note(self, line: bytes) -> None:
        try:
            decision = _DECISION.validate_json(line)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"]) from error
        self.latest[decision.id] = decision


_DECISION = TypeAdapter(Decision)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the trajectories that were kept or cut."""

    written: int
    bad: int
    first: tuple[Bad, ...]


def apply(found: Sequence[Case], decisions: Decisions, out: Path, to: str | None) -> Applied:
    """Write what was kept, and what is left of what was cut.

    to: a format; by default traces of traces, rows of rows, pairs of pairs. A trace that was cut ends
    at an earlier leaf and keeps its score; as a row it trains whatever its score, for a person has
    said so. What the format cannot hold goes to the side file, its line the number under which it was
    reviewed. Raises ConfigError when nothing was kept.
    """
    kept = list(_kept(found, decisions))
    if not kept:
        raise ConfigError("nothing has been kept or cut yet, so nothing is written")
    if to is None and isinstance(kept[0][1], Trace):
        return _write_traces(out, [source for _, source in kept if isinstance(source, Trace)])
    form = writable(to or ("pairs" if isinstance(kept[0][1], Pair) else "messages"))
    bad: list[Bad] = []
    with Side(bad_path(out)) as side, writing(out, form) as write:
        for number, source in kept:
            lost = Lost(strict=True)
            try:
                write(form.write(_item(source), lost), lost)
            except BadRow as error:
                bad.append(Bad(str(out), number, error.key, error.why))
                side.add(bad[-1])
    return Applied(len(kept) - len(bad), len(bad), tuple(bad[:TOLD]))


def _kept(found: Sequence[Case], decisions: Decisions) -> Iterator[tuple[int, Trace | Item]]:
    """Numbers from 1, and what is left of those."""
    for number, case in enumerate(found, 1):
        decision = decisions.latest.get(case.id)
        if decision is not None and decision.verdict == "keep":
            yield number, case.source
        elif decision is not None and decision.verdict == "cut":
            yield number, _cut(case, decision.at)


def _cut(case: Case, at: int | None) -> Trace | Item:
    if at is None or at not in case.cuts():
        raise DataError(f"{case.id}: was cut at {at}, which is none of its turns; decide on it anew")
    source = case.source
    if isinstance(source, Row):
        return replace(source, turns=source.turns[: at + 1])
    assert isinstance(source, Trace)
    if source.finish is None:
        raise DataError(f"{case.id}: was never finished; play it again before it is cut")
    return replace(source, finish=replace(source.finish, leaf=at, stop="cut in review"))


def _item(source: Trace | Item) -> Item:
    """A trace as a row of its leaf, whatever its score. Raises BadRow."""
    if not isinstance(source, Trace):
        return source
    finish = source.finish
    if finish is None:
        raise BadRow("finish", "is missing: the episode was never finished")
    row = next(rows([source], keep=lambda _: [finish.leaf]))
    return replace(row, turns=filled(row.turns, "messages"))


def _write_traces(out: Path, traces: Sequence[Trace]) -> Applied:
    with part_of(out) as aside:
        aside.unlink(missing_ok=True)
        journal = Journal(aside, TRACES, decode_trace)
        for trace in traces:
            journal.append(encode_trace(trace))
        journal.close()
    return Applied(len(traces), 0, ())
