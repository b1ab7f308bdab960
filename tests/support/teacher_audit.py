"""Was anything lost, doubled or let through? A made set against the log of the teacher's faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tmbr.cli.tasks import make_task
from tmbr.core.rows import rows
from tmbr.core.store import read_traces
from tmbr.teacher.askers import make_asker
from tmbr.teacher.questions import KEPT

Row = dict[str, Any]


def told_worlds(questions: list[Row]) -> Iterator[str]:
    """The world of each question, in the words that its teacher was told."""
    name = questions[0]["sample"]["task"]
    asker = make_asker(name, make_task(name, "generated", "text"))
    return (asker.content(row["seed"]).text for row in questions)


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def audit(out: Path, log: Path) -> Row:
    """Counts for the table: planted faults by class, how many were caught and where, what got through.

    A planted question is caught when it did not enter for its world (the same words about another are
    another question); a duplicate, when it entered once at most; a planted action, when no row would
    train on it.
    """
    questions, dropped = lines(out / "questions.jsonl"), lines(out / "dropped.jsonl")
    numbers = [int(row["sample"]["id"].rsplit("-", 1)[1]) for row in questions]
    stages = {row["id"]: row["stage"] for row in dropped if isinstance(row["id"], int)}
    proposals = lines(out / "proposals.jsonl")[1:]
    worlds = dict(zip(numbers, told_worlds(questions), strict=True))
    entered = Counter(
        (line["said"], worlds[line["number"]]) for line in proposals if line["number"] in worlds
    )
    by_said = {row["said"]: row["stage"] for row in dropped if isinstance(row["id"], int)}
    traces = read_traces(out / "traces.jsonl")
    trained = {turn.message.content for row in rows(traces) for turn in row.turns if turn.loss > 0}
    classes: dict[str, Counter[str]] = {}
    for fault in lines(log):
        role, name, told = fault["role"], fault["fault"], fault["told"][:KEPT]
        found = classes.setdefault(f"{role}: {name}", Counter())
        found["planted"] += 1
        if role == "ask":
            through = entered[told, fault["world"]] > (name == "duplicate")
            found["through" if through else f"stage {by_said.get(told, 'not needed')}"] += 1
        elif role == "act":
            found["through" if told and told in trained else "not trained on"] += 1
    decided = [*numbers, *stages]
    asked = [line["number"] for line in proposals if line["ask"]]
    twice = len(proposals) - len({line["number"] for line in proposals})
    return {
        "questions": len(questions),
        "proposals": len(decided),
        "lost": len({number for number in asked if number <= max(numbers)} - {*decided}),
        "doubled": len(decided) - len({*decided}) + twice,
        "episodes": len(traces),
        "lost episodes": len(
            {row["sample"]["id"] for row in questions} - {t.sample.id for t in traces}
        ),
        "doubled episodes": len(lines(out / "traces.jsonl")) - 1 - len(traces),
        "through": sum(found["through"] for found in classes.values()),
        "classes": {name: dict(found) for name, found in sorted(classes.items())},
    }
