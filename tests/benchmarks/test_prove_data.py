"""The data ablation: its sources, its tables, and one arm of it, kept when it is done."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from benchmarks.prove.data import RECIPE, Lab, prove
from benchmarks.prove.data_report import tables
from benchmarks.prove.data_sources import Forgetful, _library

from tmbr.cli.tasks import make_task
from tmbr.core.types import Action
from tmbr.teacher.build_config import DataConfig


@pytest.mark.parametrize("kind", ["code", "docs"])
def test_the_library_gives_the_same_text_every_time(kind: str) -> None:
    first = list(islice(_library(kind), 50))
    assert first == list(islice(_library(kind), 50))
    assert all(row.turns[1].loss == 1 and row.turns[1].message.content for row in first)
    assert len({row.id for row in first}) == 50


def test_a_forgetful_world_contradicts_what_was_done() -> None:
    real = make_task("household", "generated", "text")
    sample = real.samples("train")[0]
    worlds = [Forgetful(share).open(sample) for share in (0.0, 1.0)]
    true = real.open(sample)
    goes = [
        Action("take_action", {"action": f"{verb} cabinet 1"}) for verb in ("go to", "open", "look at")
    ]
    told = [[world.step(action).observation for action in goes] for world in (*worlds, true)]
    assert told[0] == told[2] != told[1]
    assert told[1][1] == "Nothing happens."  # nobody has gone to the cabinet, as far as it remembers


def test_every_arm_is_a_config_of_data_build() -> None:
    recipe = yaml.safe_load(RECIPE.read_text("utf-8"))
    for arms in recipe["arms"].values():
        for told in arms.values():
            named = [*told["traces"], *told.get("general", [])]
            assert set(named) <= {*recipe["sources"], *recipe["general"]}
            DataConfig.model_validate({key: told[key] for key in told if key != "episodes"})


def _line(group: str, arm: str, success: float) -> dict[str, Any]:
    cell = {"success": success, "malformed": 0.1, "inadmissible": 0.2}
    losses = {"code": 1.0, "docs": 2.0, "dialogue": 3.0}
    told = {"rows": 2000, "trained_tokens": 12345} if group != "base" else {}
    return {"group": group, "arm": arm, "greedy": cell, "sampled": cell, "general_loss": losses, **told}


def test_tables_golden() -> None:
    found = {
        **{"command": "c", "machine": "m", "date": "d", "minutes": 3},
        "arms": [_line("base", "base", 0), _line("lambda", "0.1", 0.5), _line("lambda", "0.1", 0.7)],
    }
    assert tables(found).splitlines()[-2:] == [
        "| base | – | – | 0.0% | 0.0% | 10.0% | 20.0% | 1.00 | 2.00 | 3.00 |",
        "| 0.1 | 2,000 | 12,345 | 60.0% | 60.0% | 10.0% | 20.0% | 1.00 | 2.00 | 3.00 |",
    ]


@pytest.mark.slow
def test_one_arm_is_built_tuned_measured_and_kept(tmp_path: Path) -> None:
    recipe = yaml.safe_load(RECIPE.read_text("utf-8"))
    recipe["sources"] = {"trees": {"episodes": 12, "model": "noisy-expert:0.3", "strategy": "mcts"}}
    recipe["general"] = {"docs": 12}
    recipe |= {"held_out": 3, "samples": 2}
    arm = {"traces": ["trees"], "general": ["docs"], "agent_share": 0.5, "detours": "tell"}
    recipe["arms"] = {"one": {"arm": arm}}
    lab = Lab(recipe, tmp_path, 1.0)
    found = prove(lab, [0])
    base, line = found["arms"]
    assert base["general_loss"].keys() == line["general_loss"].keys() == {"docs"}
    assert line["rows"] == 2 * (line["rows"] // 2) > 0
    assert 0 <= line["sampled"]["inadmissible"] <= 1
    assert prove(lab, [0])["arms"] == found["arms"]
