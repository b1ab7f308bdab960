"""Rows of the summary against values worked out by hand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from tests.support import grown
from tmbr.core.errors import DataError
from tmbr.core.store import Timing, resume_key
from tmbr.core.trace import Finish, Node, Run, Spent, Trace
from tmbr.core.types import Action, Message, Sample, Score, Status, Step, Usage
from tmbr.evaluation.intervals import bootstrap, ratio, share, wilson
from tmbr.evaluation.metrics import compare, oracles, summary
from tmbr.evaluation.table import comparison, markdown, table

GOOD, BAD, MALFORMED = "good", "bad", "malformed"


def act(parent: int, what: str, sampled: bool = True) -> Node:
    action = None if what == MALFORMED else Action("open", {"door": "a"})
    admissible = {GOOD: True, BAD: False, MALFORMED: None}[what]
    message = Message("assistant", what)
    step = Step("a room", admissible=admissible)
    return Node(parent, parent, "act", message, sampled, action, None, step)


def played(
    sample: str,
    success: bool,
    turns: Sequence[str] = (GOOD,),
    seed: int = 0,
    strategy: str = "react",
    status: Status = "completed",
) -> Trace:
    asked = Sample(sample, "doors", "test", "go", {})
    run = Run("c", "doors", "m", strategy, "none", seed, data="generated")
    trace = Trace(resume_key(asked, run), asked, run)
    at = trace.add(Node(None, None, "root", Message("user", "go")))
    for turn in turns:
        at = trace.add(act(at, turn))
    trace.spent = Spent(Usage(100, 10), 2, steps=len(turns), steps_on_forks=1)
    trace.finish = Finish(at, Score(float(success), success), status)
    return trace


def test_wilson_as_in_newcombe_1998() -> None:
    """Table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_a_bootstrap_is_seeded_and_near_the_normal_interval() -> None:
    clusters = [(float(i % 4 == 0), 1.0) for i in range(200)]
    low, high = bootstrap(clusters, ratio, seed=1)
    assert (low, high) == bootstrap(clusters, ratio, seed=1)
    assert low == pytest.approx(0.25 - 0.060, abs=0.015)
    assert high == pytest.approx(0.25 + 0.060, abs=0.015)


def test_clusters_widen_an_interval() -> None:
    """All the bad turns in a tenth of the episodes tell less than the same number spread out."""
    spread = share([(1, 10)] * 50 + [(1, 10)] * 50, seed=0)
    lumped = share([(10, 10)] * 10 + [(0, 10)] * 90, seed=0)
    assert spread[1] - spread[0] < 0.001
    assert lumped == pytest.approx((0.05, 0.16), abs=0.02)


def test_a_share_of_nothing_has_an_interval_with_a_width() -> None:
    assert share([(0, 7)] * 20, seed=0) == wilson(0, 20)
    assert share([(7, 7)] * 20 + [(0, 0)], seed=0) == wilson(20, 20)


def test_a_row_worked_out_by_hand() -> None:
    traces = [
        played("0", True, [GOOD, BAD]),
        played("1", False, [MALFORMED, GOOD, BAD, MALFORMED], status="task limit reached"),
        played("2", False, [], status="task error"),
        played("3", True, [GOOD, GOOD]),
    ]
    timing = {traces[0].id: Timing(traces[0].id, 2.0, 30), traces[1].id: Timing(traces[1].id, 4.0, 50)}
    (row,) = summary(traces, timing)
    assert {k: row[k] for k in ("task", "split", "data", "model", "strategy", "access")} == {
        "task": "doors",
        "split": "test",
        "data": "generated",
        "model": "m",
        "strategy": "react",
        "access": "none",
    }
    assert (row["n"], row["success"], row["score"]) == (4, 0.5, 0.5)
    assert row["ci95"] == wilson(2, 4)
    assert row["ci95_method"] == "wilson"
    assert row["statuses"] == {"completed": 2, "task error": 1, "task limit reached": 1}
    assert row["turns"] == 8
    assert row["malformed"] == 2 / 8
    assert row["inadmissible"] == 2 / 8
    assert row["malformed_ci95"][0] <= 2 / 8 <= row["malformed_ci95"][1]
    assert (row["steps"], row["steps_on_forks"]) == (2.0, 1.0)
    assert (row["tokens_in"], row["tokens_out"]) == (100.0, 10.0)
    assert (row["prefill_computed"], row["seconds"]) == (40.0, 3.0)


def test_diversity_is_what_differs_of_the_answers_to_one_question() -> None:
    """Three answers: two the same action, two that showed the same."""
    made = grown.Grown(grown.sample(), grown.run("multibranch"))
    start = made.start
    leaf = made.act(start, "go to shelf 1", "A shelf.", "I see.")
    made.act(start, "go to desk 1", "A shelf.", "I see.")
    made.act(start, "go to shelf 1", None, "I see.")
    made.act(leaf, "look", "A room.", "Alone.")
    made.trace.finish = Finish(leaf, Score(1.0, True), "completed")
    (row,) = summary([made.trace], {})
    assert (row["distinct_actions"], row["distinct_outcomes"]) == (2 / 3, 1 / 2)
    alone = grown.Grown(grown.sample(), grown.run("react"))
    only = alone.act(alone.start, "look", "A room.", "Alone.")
    alone.trace.finish = Finish(only, Score(1.0, True), "completed")
    (row,) = summary([alone.trace], {})
    assert (row["distinct_actions"], row["distinct_outcomes"]) == (None, None)


def test_only_sampled_turns_of_the_committed_branch_are_counted() -> None:
    trace = played("0", True, [GOOD, GOOD])
    trace.add(act(1, MALFORMED))  # rejected: a sibling off the committed branch
    at = trace.add(act(2, BAD, sampled=False))  # given, not sampled
    assert trace.finish
    trace.finish = replace(trace.finish, leaf=at)
    (row,) = summary([trace], {})
    assert (row["turns"], row["malformed"], row["inadmissible"]) == (2, 0.0, 0.0)
    assert row["seconds"] is None


def test_seeds_that_share_samples_are_one_cluster() -> None:
    """Ten samples, each always or never solved: fifty seeds tell no more than one."""
    once = [played(str(i), i < 5) for i in range(10)]
    often = [played(str(i), i < 5, seed=seed) for i in range(10) for seed in range(5)]
    (row,) = summary(often, {})
    assert row["ci95_method"] == "bootstrap over samples"
    assert row["n"] == 50
    assert row["ci95"][1] - row["ci95"][0] > 0.4
    assert summary(once, {})[0]["ci95_method"] == "wilson"
    (always,) = summary([played(str(i), True, seed=s) for i in range(10) for s in (0, 1)], {})
    assert always["ci95"] == wilson(10, 10)


def test_cells_come_in_the_order_in_which_they_are_met() -> None:
    traces = [played("0", True, strategy=name) for name in ("react", "paper")] + [played("1", False)]
    assert [(row["strategy"], row["n"]) for row in summary(traces, {})] == [("react", 2), ("paper", 1)]


def test_an_episode_without_an_end_is_refused() -> None:
    trace = played("0", True)
    trace.finish = None
    with pytest.raises(DataError, match="has not ended"):
        summary([trace], {})


def test_a_paired_comparison_worked_out_by_hand() -> None:
    """Of 10 samples b solves 0-3; a solves 0-2 and 4-7: five new, one lost, 6 failures become 3."""
    b = [played(str(i), i < 4) for i in range(10)]
    a = [played(str(i), i in (0, 1, 2, 4, 5, 6, 7), strategy="multibranch") for i in range(10)]
    found = compare(a, [*b, played("only in b", True)])
    assert (found["a"], found["b"], found["n"]) == ("m · multibranch", "m · react", 10)
    assert found["difference"] == pytest.approx(0.3)
    assert found["failures_gone"] == pytest.approx(0.5)
    low, high = found["ci95"]
    assert -0.2 <= low < 0.3 < high <= 0.8


def test_a_comparison_uses_the_pairing() -> None:
    """Equal cells differ by exactly nothing, however much samples vary."""
    a = [played(str(i), i % 2 == 0) for i in range(20)]
    found = compare(a, a)
    assert (found["difference"], found["ci95"], found["failures_gone"]) == (0.0, (0.0, 0.0), 0.0)
    won = [played(str(i), True) for i in range(20)]
    assert compare(won, won)["failures_gone"] is None


def test_errors_are_compared_by_their_shares_of_turns() -> None:
    """a: 2 of 20 turns are inadmissible, b: 20 of 40; no turn of b is malformed, one of a is."""
    b = [played(str(i), False, [BAD, GOOD] * 2) for i in range(10)]
    a = [played(str(i), True, [BAD if i < 2 else GOOD, GOOD], strategy="x") for i in range(9)]
    a.append(played("9", True, [GOOD, MALFORMED], strategy="x"))
    found = compare(a, b)
    errors = found["inadmissible"]
    assert (errors["a"], errors["b"]) == (2 / 20, 20 / 40)
    assert errors["ratio"] == pytest.approx(0.2)
    low, high = errors["ci95"]
    assert 0.0 <= low < 0.2 < high <= 0.6
    assert found["malformed"] == {"a": 1 / 20, "b": 0.0, "ratio": None, "ci95": None}
    assert "inadmissible turns × 0.20" in comparison(found)
    assert "malformed turns" not in comparison(found)


def test_a_ratio_to_what_hardly_happened_has_no_upper_end() -> None:
    b = [played(str(i), False, [BAD if i == 0 else GOOD]) for i in range(10)]
    a = [played(str(i), False, [BAD if i < 5 else GOOD], strategy="x") for i in range(10)]
    found = compare(a, b)
    assert found["inadmissible"]["ratio"] == pytest.approx(5)
    assert found["inadmissible"]["ci95"][1] is None
    assert "to any)" in comparison(found)


def test_cells_without_a_common_sample_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="share no sample"):
        compare([played("0", True)], [played("1", True)])


def test_the_markdown_table_has_one_line_a_row() -> None:
    lines = markdown(summary([played("0", True, [GOOD, MALFORMED])], {})).splitlines()
    assert len(lines) == 3
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| m | react | none | 1 | 100.0% | 20.7% – 100.0% | 50.0% |")


@pytest.mark.parametrize("width", [80, 160])
def test_a_table_keeps_its_numbers_whole_at_any_width(width: int) -> None:
    rows = summary([played("0", True, [GOOD, MALFORMED], strategy="multibranch")], {})
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table(rows, width))
    said = console.export_text()
    assert "…" not in said
    assert "multibranch" in said
    assert "20.7% – 100.0%" in said
    assert ("tokens in" in said) == (width == 160)


def test_pass_at_k_takes_the_best_of_each_sample_and_pays_for_all() -> None:
    won = {
        ("0", 0): False,
        ("0", 1): True,
        ("1", 0): False,
        ("1", 1): False,
        ("2", 0): True,
        ("2", 1): True,
    }
    traces = [played(sample, success, seed=seed) for (sample, seed), success in won.items()]
    (row,) = oracles(traces, {})
    assert (row["strategy"], row["access"]) == ("react pass@2", "oracle")
    assert (row["n"], row["success"]) == (3, 2 / 3)
    assert (row["steps"], row["tokens_in"]) == (2.0, 200.0)
    assert oracles([trace for trace in traces if trace.run.seed == 0], {}) == []
    assert oracles(traces[:-1], {}) == []
