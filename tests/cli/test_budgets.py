"""Several budgets in one grid, labelled, resumed, compared like with like; and constraints in one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tmbr.cli import run
from tmbr.cli.budgets import labels, ways
from tmbr.cli.build import build_strategy, check_constrained
from tmbr.cli.play import settings_hash
from tmbr.cli.tasks import make_task
from tmbr.config import BudgetConfig, EvalConfig, ModelConfig, SamplingConfig, StrategyConfig
from tmbr.config_file import load
from tmbr.core.errors import ConfigError
from tmbr.core.store import read_traces

GRID = (
    *("eval", "--model", "noisy-expert:0.3", "--strategy", "react", "--strategy", "multibranch"),
    *("--samples", "6", "budget.steps=40"),
)


def test_every_strategy_is_played_under_every_budget(tmp_path: Path) -> None:
    """A budget that is added later is all that is played then."""
    out = ("--out", str(tmp_path))
    assert run([*GRID, *out, "budgets=[{tokens: 1500}]"]) == 0
    before = (tmp_path / "traces.jsonl").read_bytes()
    assert run([*GRID, *out, "budgets=[{tokens: 1500}, {tokens: 9000}]"]) == 0
    traces = list(read_traces(tmp_path / "traces.jsonl"))
    assert len({trace.id for trace in traces}) == len(traces)
    found = json.loads((tmp_path / "summary.json").read_text())
    assert [row["strategy"] for row in found["rows"]] == [
        f"{name} @ {tokens} tokens"
        for name in ("react", "multibranch")
        for tokens in ("1,500", "9,000")
    ]
    assert [row["of"] for row in found["rows"]] == ["react"] * 2 + ["multibranch"] * 2
    assert found["rows"][1]["budget"] == {"tokens": 9000, "calls": None, "steps": 40}
    assert [(c["a"], c["b"]) for c in found["comparisons"]] == [
        (f"noisy-expert:0.3 · multibranch @ {t} tokens", f"noisy-expert:0.3 · react @ {t} tokens")
        for t in ("1,500", "9,000")
    ]
    assert found["rows"][1]["tokens_in"] > found["rows"][0]["tokens_in"]
    assert (tmp_path / "traces.jsonl").read_bytes().startswith(before)
    assert run(["report", str(tmp_path)]) == 0
    told = (tmp_path / "report.html").read_text()
    assert "Success against what was spent" in told
    assert told.count('class="link') == 2 * 3


def test_the_same_grid_again_plays_nothing(tmp_path: Path) -> None:
    command = (*GRID, "--out", str(tmp_path), "budgets=[{tokens: 1500}, {tokens: 3000, calls: 9}]")
    assert run(command) == 0
    before = (tmp_path / "traces.jsonl").read_bytes()
    assert run(command) == 0
    assert (tmp_path / "traces.jsonl").read_bytes() == before


def test_labels_tell_what_differs() -> None:
    few, more = BudgetConfig(tokens=1500), BudgetConfig(tokens=20000, calls=9)
    assert labels([few, more]) == ["1,500 tokens + any calls", "20,000 tokens + 9 calls"]
    assert labels([few, BudgetConfig(tokens=3000)]) == ["1,500 tokens", "3,000 tokens"]
    assert labels([few]) == ["1,500 tokens"]
    assert labels([BudgetConfig(steps=5), BudgetConfig(steps=None)]) == ["5 steps", "any steps"]


def test_without_budgets_nothing_changes() -> None:
    config = load(EvalConfig, None, ["strategies=[react]"])
    assert {name: (way.budget, way.of) for name, way in ways(config).items()} == {
        "react": (config.budget, None)
    }


def test_equal_budgets_are_one_line() -> None:
    with pytest.raises(ConfigError, match="budgets: the one at 1 is there before") as error:
        load(EvalConfig, None, ["budget.steps=40", "budgets=[{tokens: 5}, {tokens: 5, steps: 40}]"])
    assert "\n" not in str(error.value)


def test_a_constraint_is_part_of_what_an_episode_is_known_by() -> None:
    """And none is none of it: what was played before there were constraints is still known."""
    free, bound = StrategyConfig(strategy="react"), StrategyConfig(strategy="react", constrain="format")
    assert "constrain" not in free.model_dump()
    assert settings_hash(free, BudgetConfig()) != settings_hash(bound, BudgetConfig())
    assert build_strategy("x", bound, SamplingConfig()).sampling.constrain == "format"
    for model, said in (("expert", "the teacher 'expert' says"), ("nano", "tells no list of actions")):
        wanted = bound.model_copy(update={"constrain": "admissible" if model == "nano" else "format"})
        with pytest.raises(ConfigError, match=said) as error:
            check_constrained(
                wanted, ModelConfig(model=model), make_task("household", "generated", "text")
            )
        assert "\n" not in str(error.value)


def test_constrained_actions_in_a_grid(tmp_path: Path) -> None:
    """The embedded model, which has not learnt to call tools, calls them; nothing is malformed."""
    grid = "strategies={free: {strategy: react}, bound: {strategy: react, constrain: admissible}}"
    few = ("budget.steps=2", "sampling.max_tokens=80", "form=agentbench", "--samples", "1")
    assert run(["eval", "--model", "nano", *few, grid, "--out", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "summary.json").read_text())["rows"]
    assert [(row["malformed"], row["inadmissible"]) for row in rows] == [(1.0, 0.0), (0.0, 0.0)]
