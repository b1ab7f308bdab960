"""The plan beside what a process takes, and beside what is known of large models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import plan as benchmark
from tests.support import tiny
from tmbr import cli
from tmbr.core.errors import ConfigError
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.types import Message
from tmbr.tuning.config import SftConfig
from tmbr.tuning.plan import Sharding, plan

LLAMA2 = {
    "model_type": "llama",
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
}
SIZE = 6_738_415_616
SIX = 1_476_448_256
LAYER = 202_383_360


@pytest.fixture
def seven_b(tmp_path: Path) -> str:
    """LLaMA-2 7B's config, and nothing else of it."""
    (tmp_path / "config.json").write_text(json.dumps(LLAMA2))
    return str(tmp_path)


@pytest.fixture
def six_layers(tmp_path: Path) -> str:
    """The same model, less deep."""
    (tmp_path / "config.json").write_text(json.dumps({**LLAMA2, "num_hidden_layers": 6}))
    return str(tmp_path)


@pytest.mark.slow
def test_what_is_planned_is_what_a_process_takes(tmp_path: Path) -> None:
    small, model = benchmark.models(tmp_path)
    for name in ("full", "LoRA, checkpointing"):
        planned, taken = benchmark.measure(small, model, benchmark.SETTINGS[name])
        assert planned == pytest.approx(taken, rel=0.15), name


def test_lora_and_qlora_of_7b(seven_b: str) -> None:
    common = {"model": seven_b, "gradient_checkpointing": True, "max_length": 512, "batch_size": 1}
    lora = plan(SftConfig(**common))
    assert lora.parameters - lora.trained == SIZE
    assert lora.trained == 39_976_960  # rank 16 on all linear layers
    assert lora.weights == 2 * SIZE + 4 * lora.trained
    assert lora.optimizer == 2 * lora.gradients == 8 * lora.trained
    kept = plan(SftConfig(**{**common, "gradient_checkpointing": False}))
    assert lora.activations < kept.activations / 5
    four = plan(SftConfig(**common, four_bit=True))
    assert four.weights < 0.31 * lora.weights
    assert four.bytes < 6 * 2**30


def test_settings_move_what_they_should(six_layers: str) -> None:
    def of(**settings: Any) -> Any:
        return plan(SftConfig(model=six_layers, **{"max_length": 256, "batch_size": 2, **settings}))

    base, twice = of(), of(batch_size=4)
    assert twice.activations == pytest.approx(2 * base.activations, rel=0.02)
    assert of(gradient_checkpointing=True).flops > 1.3 * base.flops
    full, muon = of(method="full"), of(method="full", optimizer="muon")
    assert full.weights == full.gradients == full.optimizer // 2 == 4 * SIX
    assert full.gradients < muon.optimizer < 0.6 * full.optimizer
    assert full.flops == pytest.approx(6 * (SIX - 32000 * 4096), rel=0.03)


def test_what_is_shared_among_gpus(six_layers: str) -> None:
    config = SftConfig(model=six_layers, method="full", max_length=64, batch_size=1)
    one = plan(config)
    names: tuple[Sharding, ...] = ("ddp", "zero2", "zero3", "fsdp2")
    shared = {how: plan(config, 4, how) for how in names}
    assert shared["ddp"].optimizer == one.optimizer
    assert shared["zero2"].weights == one.weights
    assert shared["zero2"].optimizer == shared["fsdp2"].optimizer == one.optimizer // 4
    # Beside its share each card gathers the layer at work and the one that comes next.
    assert shared["fsdp2"].weights == one.weights // 4 + 2 * 4 * LAYER
    assert shared["zero3"] == shared["fsdp2"]


def test_the_command_tells_memory_fit_and_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    base = tiny.write(tmp_path / "base")
    said = (Turn(Message("user", "Go.")), Turn(Message("assistant", "Action: go"), 1.0))
    write_rows(tmp_path / "rows.jsonl", [Row(str(n), said) for n in range(5)])
    asked = ["tune", "plan", "--model", str(base), "--data", str(tmp_path / "rows.jsonl")]
    assert cli.run([*asked, "--card", "rtx4090", "batch_size=2"]) == 0
    told = capsys.readouterr().out
    for part in ("together on each of 1 rtx4090", "fits", "tokens/s", "rows an epoch", "3 epochs"):
        assert part in told
    assert not [warning for warning in recwarn if warning.category is FutureWarning]
    assert cli.run([*asked, "--card", "rtx409"]) == 2
    assert "did you mean 'rtx4090'?" in capsys.readouterr().err


def test_a_model_that_is_nowhere_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"cannot read the config of the model '\./nowhere'"):
        plan(SftConfig(model="./nowhere"))


def test_a_plan_of_nothing_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = tiny.write(tmp_path / "base")
    idle = Row("r", (Turn(Message("user", "Go.")), Turn(Message("assistant", "go"))))
    write_rows(tmp_path / "rows.jsonl", [idle])
    asked = ["tune", "plan", "--model", str(base)]
    for wrong, why in (
        (["--utilisation", "0"], "utilisation 0.0: give a share above 0, at most 1"),
        (["--utilisation", "nan"], "utilisation nan: "),
        (["--tflops", "-1"], "tflops -1.0: give a number above 0"),
        (["max_length=100000000000"], "max_length: "),
        (["batch_size=100000000000"], "batch_size: "),
        (
            ["--data", str(tmp_path / "rows.jsonl")],
            "rows.jsonl: nothing in it trains within max_length",
        ),
    ):
        assert cli.run([*asked, *wrong]) == 2
        assert why in capsys.readouterr().err
