"""What a run leaves behind: questions, what was dropped and why, and the report of both."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from tmbr.core.errors import DataError
from tmbr.core.store import decode_trace
from tmbr.core.types import Sample, Trace
from tmbr.teacher.admission import Proposal
from tmbr.teacher.asker import LEVELS
from tmbr.teacher.simulation import CLASSES

#: Stages in the order in which a question, then its episode, goes through them.
STAGES = (
    *("refused", "format", "evaluation text", "grounding", "execution", "evaluation world", "start"),
    *("solution", "quota", "duplicate", "enough", "environment", "unsolved"),
)
#: Those of them that are an episode's.
EPISODES = ("environment", "unsolved")


@dataclass(slots=True)
class Verdicts:
    """Writes OUT/questions.jsonl and OUT/dropped.jsonl as questions are decided.

    Both are written anew by every run, from the journal, and put in place whole by `finish`.
    """

    folder: Path
    proposed: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    solvers: Counter[str] = field(default_factory=Counter)
    _files: dict[str, IO[str]] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        return self.categories.total()

    def accept(self, proposal: Proposal, sample: Sample, seed: int) -> None:
        """seed: of the world's content."""
        assert proposal.question is not None
        self.proposed += 1
        self.categories[proposal.question.category] += 1
        self.levels[proposal.level or ""] += 1
        self.solvers[proposal.solver or ""] += 1
        told: dict[str, Any] = {"category": proposal.question.category, "level": proposal.level}
        told |= {"solver": proposal.solver, "world": proposal.question.world, "seed": seed}
        self._write("questions.jsonl", {"sample": asdict(sample), **told})

    def drop(self, proposal: Proposal, stage: str, reason: str) -> None:
        self.proposed += 1
        self.dropped[stage] += 1
        assert proposal.ask is not None
        asked = asdict(proposal.ask)
        self._write(
            "dropped.jsonl",
            {
                "id": proposal.number,
                "stage": stage,
                "reason": reason,
                "asked": asked,
                "said": proposal.said,
            },
        )

    def hear(self, trace: Trace) -> None:
        """Of a question's episode: kept where it was solved, in a world that was right."""
        assert trace.finish is not None
        score, stop = trace.finish.score, trace.finish.stop
        if score.success:
            self.kept += 1
            return
        stage = "environment" if stop in CLASSES else "unsolved"
        reason = stop or trace.finish.error or f"{trace.finish.status}, value {score.value:g}"
        self.dropped[stage] += 1
        self._write("dropped.jsonl", {"id": trace.sample.id, "stage": stage, "reason": reason})

    def counts(self) -> dict[str, Any]:
        """For the report."""
        return {
            "proposed": self.proposed,
            "questions": self.accepted,
            "kept": self.kept,
            "dropped": {stage: self.dropped[stage] for stage in STAGES if self.dropped[stage]},
            "categories": dict(sorted(self.categories.items())),
            "levels": {level: self.levels[level] for level in LEVELS},
            "solvers": dict(sorted(self.solvers.items())),
        }

    def table(self) -> list[str]:
        """The yield of each stage, a line each."""
        lines, left = [f"{'proposed':<18}{self.proposed:>8}"], self.proposed
        for stage in STAGES:
            if stage == EPISODES[0]:
                lines.append(f"{'questions':<18}{left:>8}")
            if not self.dropped[stage]:
                continue
            share = 100 * (1 - self.dropped[stage] / left) if left else 0.0
            left -= self.dropped[stage]
            lines.append(f"  {stage:<16}{-self.dropped[stage]:>8}  yield {share:.1f}%")
        lines.append(f"{'episodes kept':<18}{self.kept:>8}")
        return lines

    def flush(self) -> None:
        """Put what is decided where the next stage reads it."""
        for file in self._files.values():
            file.flush()

    def part(self, name: str) -> Path:
        return self.folder / f"{name}.part"

    def open(self) -> None:
        for name in ("questions.jsonl", "dropped.jsonl"):
            self._files[name] = self.part(name).open("w", encoding="utf-8")

    def finish(self) -> None:
        """Both files, whole, where they belong."""
        for name, file in self._files.items():
            file.close()
            self.part(name).replace(self.folder / name)

    def _write(self, name: str, row: Mapping[str, Any]) -> None:
        self._files[name].write(json.dumps(row, ensure_ascii=False, default=dict) + "\n")


def read_questions(path: Path) -> Iterator[tuple[Sample, int]]:
    """The samples of a file of questions, and the seeds of their contents. Raises DataError."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                yield Sample(**row["sample"]), row["seed"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{path}:{number}: is no question ({error}); make the set anew"
                ) from None


def put_in_order(path: Path, ids: Iterable[str], heard: Callable[[Trace], None]) -> None:
    """Rewrite a trace file in the order of its samples, one line an episode, the latest.

    heard: of each of them, in order. Only where lines lie is held in memory.
    """
    places: dict[str, tuple[int, int]] = {}
    with path.open("rb") as file:
        header = file.readline()
        at = file.tell()
        for line in file:
            places[decode_trace(line).sample.id] = (at, len(line))
            at += len(line)
    aside = path.with_name(path.name + ".part")
    with path.open("rb") as file, aside.open("wb") as ordered:
        ordered.write(header)
        for name in ids:
            if name in places:
                file.seek(places[name][0])
                line = file.read(places[name][1])
                ordered.write(line)
                heard(decode_trace(line))
    aside.replace(path)
