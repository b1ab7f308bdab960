"""Recipes: each is taken by the command it names; a teacher's run whole against the scripted one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.teacher import teaching
from tmbr.cli import run
from tmbr.cli.arguments import read
from tmbr.cli.policy import GrpoRun, PpoRun
from tmbr.cli.prefer import DpoRun
from tmbr.cli.tune import SftRun
from tmbr.config import QuickstartConfig
from tmbr.core.store import read_traces
from tmbr.teacher.config import MakeConfig
from tmbr.teacher.imagined import Imagined
from tmbr.tuning.preference_config import RewardConfig

RECIPES = Path(__file__).parents[1] / "recipes"
COMMAND = re.compile(
    r"^# .*tmbr (tune \w+|data make|quickstart) recipes/(\S+)(?: --model (\S+))?", re.MULTILINE
)
KINDS = {
    "tune sft": SftRun,
    "tune reward": RewardConfig,
    "tune dpo": DpoRun,
    "tune ppo": PpoRun,
    "tune grpo": GrpoRun,
    "data make": MakeConfig,
    "quickstart": QuickstartConfig,
}
#: What no command of ours takes as its config.
OTHERS = {"prices.yaml", "data_ablation.yaml"}
TAKEN = sorted(path.name for path in RECIPES.glob("*.yaml") if path.name not in OTHERS)


def command(name: str) -> tuple[str, str | None]:
    """By which the recipe says that it is run, and on which model."""
    told = COMMAND.search((RECIPES / name).read_text(encoding="utf-8"))
    assert told is not None
    assert told[2] == name
    return told[1], told[3]


@pytest.mark.parametrize("name", TAKEN)
def test_a_recipe_is_taken_by_the_command_that_it_names(name: str) -> None:
    told, model = command(name)
    read(KINDS[told], [str(RECIPES / name)], {"model": model})


@pytest.mark.parametrize("path", sorted((RECIPES / "worlds").iterdir()), ids=lambda path: path.name)
def test_a_world_in_words_is_drawn_by_its_seed(path: Path) -> None:
    first, again, other = (Imagined(path).content(seed) for seed in (0, 0, 1))
    assert first == again
    assert first.text != other.text


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with teaching(tmp_path_factory.mktemp("teacher")) as (url, _):
        yield url


@pytest.mark.parametrize("name", [name for name in TAKEN if command(name)[0] == "data make"])
def test_a_teachers_recipe_runs_whole(teacher: str, tmp_path: Path, name: str) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("teacher: {in: 5, cached: 1, out: 15}\n")
    out = tmp_path / "made"
    told = [f"model.model=teacher@{teacher}", "wanted=4", f"prices={prices}", f"out={out}"]
    assert run(["data", "make", str(RECIPES / name), *told]) == 0
    report = json.loads((out / "report.json").read_text())
    assert (report["questions"], report["kept"]) == (4, 4)
    traces = read_traces(out / "traces.jsonl")
    assert all(trace.finish and trace.finish.score.success for trace in traces)
    imagined = name == "paper_planning.yaml"
    assert all(("played by" in trace.run.version) == imagined for trace in traces)
