"""What is wrong with a folder of weights is one line, before a hub is asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors import SafetensorError

from tmbr.core.errors import ConfigError
from tmbr.core.pretrained import check_adapter, check_base, check_complete, check_writer, loading
from tmbr.core.rewards import RECORD


def test_a_path_at_which_nothing_is_goes_to_no_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("nano", "Qwen/Qwen3-0.6B", "run/model", str(tmp_path / "run")):
        check_base(name)
    for name in ("./nano", "/nowhere", "a/b/c", "run/modle"):
        with pytest.raises(ConfigError, match=f"cannot load the model '{name}': .*no such file"):
            check_base(name)
    with pytest.raises(ConfigError, match="did you mean 'run/model'"):
        check_base("run/modle")


def test_an_adapter_is_no_base_and_needs_its_weights(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no adapter_config\.json here"):
        check_adapter(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="is an adapter: give its base as the model"):
        check_base(str(tmp_path))
    with pytest.raises(ConfigError, match="the adapter is not whole"):
        check_adapter(tmp_path)
    (tmp_path / "adapter_model.safetensors").touch()
    check_adapter(tmp_path)
    check_writer(tmp_path)
    (tmp_path / RECORD).touch()
    check_adapter(tmp_path)
    with pytest.raises(ConfigError, match="a reward model's adapter: give it to a judge"):
        check_writer(tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        OSError("torn"),
        SafetensorError("torn"),
        TypeError("torn\nand more"),
        ValueError("torn:\n  really"),
        RuntimeError("size mismatch for x"),
        RuntimeError("set ignore_mismatched_sizes"),
    ],
)
def test_what_loading_raises_is_one_line(error: Exception) -> None:
    with (
        pytest.raises(ConfigError, match="cannot load the model 'x': ") as caught,
        loading("the model 'x'"),
    ):
        raise error
    assert "\n" not in str(caught.value)


def test_memory_that_does_not_suffice_is_another_matter() -> None:
    with pytest.raises(RuntimeError, match="out of memory"), loading("the model 'x'"):
        raise RuntimeError("CUDA out of memory")


def test_weights_that_are_missing_are_not_drawn_by_chance() -> None:
    check_complete("m", set())
    with pytest.raises(ConfigError, match=r"m: its weights lack a\.weight and 1 more"):
        check_complete("m", {"b.weight", "a.weight"})
