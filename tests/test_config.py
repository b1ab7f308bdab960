"""Configs: files, overrides, and one clear line for every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmbr.config import CollectConfig, EvalConfig
from tmbr.config_file import load
from tmbr.core.errors import ConfigError


def of(text: str, tmp_path: Path, *overrides: str) -> EvalConfig:
    path = tmp_path / "eval.yaml"
    path.write_text(text)
    return load(EvalConfig, path, overrides)


def test_overrides_win_over_the_file_and_are_yaml(tmp_path: Path) -> None:
    config = of(
        "seeds: [1]\nmodels: {tuned: {model: nano, adapter: a}}\n",
        tmp_path,
        "seeds=[2, 3]",
        "models.tuned.adapter=runs/b",
        "budget.steps=40",
    )
    assert config.seeds == [2, 3]
    assert config.models["tuned"].adapter == "runs/b"
    assert config.budget.steps == 40
    assert config.budget.tokens is None


def test_a_list_of_names_is_short_for_a_mapping(tmp_path: Path) -> None:
    config = of("models: [nano, 'noisy-expert:0.3']\nstrategies: [react, paper]\n", tmp_path)
    assert config.models["noisy-expert:0.3"].model == "noisy-expert:0.3"
    assert config.strategies["paper"].strategy == "paper"


def test_without_a_file_there_are_defaults() -> None:
    assert list(load(EvalConfig, None).models) == ["nano"]
    assert load(CollectConfig, None).model.model == "expert"


@pytest.mark.parametrize(
    ("text", "overrides", "line"),
    [
        ("modls: 3", (), "PATH: unknown key 'modls'; did you mean 'models'?"),
        (
            "models: {a: {adaptor: x}}",
            (),
            "PATH: unknown key 'models.a.adaptor'; did you mean 'adapter'?",
        ),
        ("", ("budgt.steps=1",), "'budgt.steps=1': unknown key 'budgt'; did you mean 'budget'?"),
        ("", ("budget.stps=1",), "'budget.stps=1': unknown key 'budget.stps'; did you mean 'steps'?"),
        (
            "budget: {steps: 0}",
            (),
            "PATH: budget.steps: input should be greater than or equal to 1 (given: 0)",
        ),
        ("models: 3", (), "PATH: models: input should be a valid dictionary (given: 3)"),
        ("cells: [[nano, reactt]]", (), "PATH: cells: 'reactt' is not defined; did you mean 'react'?"),
        ("- 1", (), "PATH: must be a mapping of keys to values, as `task: household`"),
        ("", ("budget",), "'budget': an override is KEY=VALUE, as `budget.steps=20`"),
        ("task: household", ("task.name=x",), "'task.name=x': 'task' has no keys of its own"),
    ],
)
def test_a_mistake_is_one_line_that_names_place_and_mend(
    tmp_path: Path, text: str, overrides: tuple[str, ...], line: str
) -> None:
    with pytest.raises(ConfigError) as mistake:
        of(text, tmp_path, *overrides)
    assert str(mistake.value) == line.replace("PATH", str(tmp_path / "eval.yaml"))


def test_text_that_is_no_yaml_is_one_line_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"eval\.yaml: not YAML: .*line 1") as mistake:
        of("models: [", tmp_path)
    assert "\n" not in str(mistake.value)


def test_a_mistyped_path_names_the_nearest_file(tmp_path: Path) -> None:
    (tmp_path / "eval.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"evl\.yaml: no such file; did you mean '.*eval\.yaml'"):
        load(EvalConfig, tmp_path / "evl.yaml")
