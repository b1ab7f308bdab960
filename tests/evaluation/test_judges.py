"""Rows of `judges.json`: judges of known worth on episodes that were really played."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import pytest
from rich.console import Console

from tests.evaluation.test_hindsight import played
from tests.support.grown import Grown, run, sample
from tmbr.core.errors import DataError
from tmbr.core.protocols import Judge
from tmbr.core.trace import Finish, Judgement, Spent, Trace
from tmbr.core.types import Score, Usage
from tmbr.evaluation.judges import Row, measure
from tmbr.evaluation.table import judges_markdown, judges_table
from tmbr.reasoning.judges import Rules


def episodes() -> list[Trace]:
    """Forty long walks, half of them solved, so that no node tells which."""
    found = []
    for at in range(40):
        g = Grown(sample(at), run("react"))
        node = g.start
        for step in range(6):
            node = g.act(node, f"go {step}", f"You are at {step}.")
        found.append(g.ended(node, "completed", at % 2 == 0, Spent()))
    return found


@dataclass(frozen=True, slots=True)
class Knows:
    """Told the outcomes beforehand."""

    won: frozenset[str]
    name: str = "knows"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        value = float(trace.id in self.won)
        return [Judgement(node, self.name, value, "told", Usage(7, 1)) for node in nodes]


@dataclass(frozen=True, slots=True)
class Coin:
    name: str = "coin"

    async def judge(self, trace: Trace, nodes: Sequence[int]) -> list[Judgement]:
        return [Judgement(n, self.name, Random(f"{trace.id} {n}").random()) for n in nodes]


def measured(judge: Judge, traces: Sequence[Trace]) -> list[Row]:
    return asyncio.run(measure(judge, traces))


def knowing(traces: Sequence[Trace]) -> Knows:
    return Knows(frozenset(t.id for t in traces if t.finish and t.finish.score.success))


def test_who_knows_has_area_one_and_a_coin_one_half() -> None:
    traces = episodes()
    (knows,) = measured(knowing(traces), traces)
    assert [knows[key] for key in ("auc", "auc_early", "auc_late", "ece", "brier")] == [1, 1, 1, 0, 0]
    assert knows["auc_ci95"][0] > 0.8
    assert (knows["n"], knows["turns"], knows["judgements"]) == (40, 240, 240)
    assert (knows["tokens"], knows["calls"]) == (8, 1)
    assert knows["reasons"] == {"told": 240}
    (coin,) = measured(Coin(), traces)
    assert coin["auc"] == pytest.approx(0.5, abs=0.1)
    assert coin["auc_ci95"][0] < 0.5 < coin["auc_ci95"][1]
    assert coin["brier_base"] == 0.25 < coin["brier"]
    assert (coin["kept"], coin["kept_right"], coin["mistakes_right_ci95"]) == (0, None, None)


def test_played_episodes_tell_kept_ones_and_mistakes_from_the_others() -> None:
    traces = played("multibranch")
    (rules,) = measured(Rules(), traces)
    assert rules["n"] == len(traces)
    assert rules["kept"] > 20 < rules["mistakes"]
    assert rules["mistakes_right"] > 0.5
    low, high = rules["mistakes_right_ci95"]
    assert low < rules["mistakes_right"] < high
    (coin,) = measured(Coin(), traces)
    assert coin["mistakes_right"] == pytest.approx(0.5, abs=0.2)
    assert {"seconds": 0, **coin} == {**measured(Coin(), traces)[0], "seconds": coin["seconds"]}


def test_every_cell_has_its_row_and_faults_are_left_out() -> None:
    traces = [*played("react"), *played("multibranch")]
    broken = replace(traces[0], id="broken", finish=Finish(0, Score(0.0, False), "task error"))
    rows = measured(Rules(), [broken, *traces])
    assert [(row["strategy"], row["n"]) for row in rows] == [("react", 6), ("multibranch", 6)]
    with pytest.raises(DataError, match="no finished episode"):
        measured(Rules(), [broken, replace(traces[0], finish=None)])


def test_what_cannot_be_told_is_a_dash() -> None:
    traces = [trace for trace in episodes() if trace.finish and trace.finish.score.success]
    (row,) = measured(Coin(), traces)
    assert (row["auc"], row["auc_ci95"]) == (None, None)
    console = Console(width=200, record=True)
    console.print(judges_table([row], 200))
    assert "coin" in console.export_text()
    narrow = judges_table([row], 80)
    assert [str(column.header) for column in narrow.columns][:2] == ["strategy", "judge"]
    head, rule, line = judges_markdown([row]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert "| coin | 20 | 100.0% | – | – |" in line
