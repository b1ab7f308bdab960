"""A grid from config to traces, on the doors; and how progress reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.doors import DoorsTask, Walk, Wanderer
from tmbr.cli.budgets import Way
from tmbr.cli.play import Grid, play
from tmbr.cli.progress import Meter
from tmbr.config import EvalConfig, ModelConfig, StrategyConfig, load
from tmbr.core.store import encode_trace
from tmbr.core.types import Finish, Score


def doors_grid(out: Path, **changes: object) -> Grid:
    config = load(EvalConfig, None, ["seeds=[0, 1]", f"out={out}"]).model_copy(update=changes)
    names = {"one": ModelConfig(model="one"), "two": ModelConfig(model="two", adapter="a")}
    cells = [("one", "walk"), ("two", "walk")]
    ways = {"walk": (Way(StrategyConfig(), config.budget), Walk())}
    return Grid(config, cells, names, ways, DoorsTask(), DoorsTask().samples("test"))


def wanderer(told: ModelConfig) -> Wanderer:
    return Wanderer(told.model)


def test_a_grid_is_played_once_and_reused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = doors_grid(tmp_path)
    assert grid.total == 2 * 2 * 8
    traces = play("eval", grid, wanderer)
    assert traces
    assert len(traces) == grid.total
    assert {(trace.run.model, trace.run.adapter) for trace in traces} == {("one", None), ("two", "a")}
    size = (tmp_path / "traces.jsonl").stat().st_size
    again = play("eval", grid, wanderer)
    assert again
    assert list(map(encode_trace, again)) == list(map(encode_trace, traces))
    assert (tmp_path / "traces.jsonl").stat().st_size == size
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["seeds"] == [0, 1]
    assert "eval: 32/32 episodes, success" in capsys.readouterr().err


def test_what_shapes_an_episode_is_in_its_key_and_concurrency_is_not(tmp_path: Path) -> None:
    def keys(**changes: object) -> set[str]:
        grid = doors_grid(tmp_path, **changes)
        return {job.key for job in grid.jobs("one", Wanderer())}

    first = keys()
    assert len(first) == 16
    assert keys(concurrency=3) == first
    assert keys(samples=4) < first
    assert not keys(budget=EvalConfig(budget={"steps": 3}).budget) & first  # type: ignore[arg-type]
    assert not keys(sampling=EvalConfig(sampling={"top_p": 0.5}).sampling) & first  # type: ignore[arg-type]
    assert not keys(data="alfworld-train") & first


def test_a_changed_grid_measures_only_its_own_episodes(tmp_path: Path) -> None:
    play("eval", doors_grid(tmp_path), wanderer)
    traces = play("eval", doors_grid(tmp_path, seeds=[1, 2]), wanderer)
    assert traces
    assert {trace.run.seed for trace in traces} == {1, 2}
    assert len(traces) == 32


def test_the_meter_counts_success_over_all_and_speed_over_this_run(tmp_path: Path) -> None:
    now = [100.0]
    meter = Meter(40, clock=lambda: now[0])
    assert meter.line() == "0/40 episodes"
    for _ in range(10):
        meter.reuse(Finish(0, Score(1.0, True), "completed"))
    traces = play("eval", doors_grid(tmp_path), wanderer)
    assert traces
    lost = next(trace for trace in traces if trace.finish and not trace.finish.score.success)
    now[0] = 110.0
    meter.add(lost)
    tokens = lost.spent.usage.total / 10
    assert meter.line() == f"11/40 episodes, success 90.9%, {tokens:,.0f} tokens/s, 4:50 left"
