"""Fine-tuning of a tiny model: it learns, goes on where it was killed, leaves nothing half-made."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support import tiny
from tests.tuning.killing import assert_same_course, kill_in_the_middle
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.rows import Row, Turn, read_rows, write_rows
from tmbr.core.types import Message
from tmbr.tuning import adapter, sft
from tmbr.tuning.base import load_base
from tmbr.tuning.checkpoints import Diverged
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import ChatTemplate, encode, template_message
from tmbr.tuning.trainer import WeightedTrainer, collate, collate_flat

PLACES = ("drawer", "cabinet", "desk", "fridge", "countertop", "garbagecan")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve conversations: go where the task says."""
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    write_rows(path, (_row(place, number) for place in PLACES for number in (1, 2)))
    return path


def _row(place: str, number: int) -> Row:
    said = f"Thought: I see the {place}.\nAction: go to {place} {number}"
    weights = ((said.index("go to"), len(said), 3.0),) if number == 2 else ()
    return Row(
        f"{place} {number}",
        (
            Turn(Message("user", f"Your task: {place} {number}.")),
            Turn(Message("assistant", said), 1.0, weights),
        ),
    )


def _config(base: Path, **settings: Any) -> SftConfig:
    fast = {"dtype": "fp32", "batch_size": 4, "learning_rate": 1e-2, "eval_fraction": 0, "log_every": 5}
    return SftConfig(model=str(base), **{**fast, **settings})


def _greedy(model: Any, tokenizer: Any, row: Row) -> str:
    prompt = tokenizer.apply_chat_template(
        [template_message(row.turns[0].message)],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    written = model.generate(**prompt, do_sample=False, max_new_tokens=60)
    text: str = tokenizer.decode(written[0, prompt["input_ids"].shape[1] :])
    return text


def test_lora_learns_the_rows_and_merging_changes_nothing(
    base: Path, data: Path, tmp_path: Path
) -> None:
    result = sft.run(_config(base, epochs=30, dropout=0.0), data, tmp_path / "run")
    assert result.stopped == "epochs"
    assert (result.rows, result.dropped, result.cut) == (12, (), ())
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("config.yaml", "versions.json", "metrics.jsonl", "result.json", "checkpoints", "adapter")
    }
    tuned, tokenizer = adapter.load(str(base), tmp_path / "run" / "adapter", torch.float32)
    rows = read_rows(data)
    answers = [row.turns[1].message.content + "<|im_end|>" for row in rows]
    assert [_greedy(tuned, tokenizer, row) for row in rows] == answers

    merged = adapter.merge(str(base), tmp_path / "run" / "adapter", tmp_path / "merged")
    plain = AutoModelForCausalLM.from_pretrained(merged)
    same = AutoTokenizer.from_pretrained(merged)
    ids = torch.tensor([same("Your task: desk 1.")["input_ids"]])
    torch.testing.assert_close(plain(ids).logits, tuned(ids).logits, atol=1e-4, rtol=1e-4)
    assert same.chat_template == tokenizer.chat_template


def test_full_tuning_by_muon_learns_the_rows(base: Path, data: Path, tmp_path: Path) -> None:
    config = _config(base, method="full", optimizer="muon", epochs=15)
    result = sft.run(config, data, tmp_path / "run")
    tuned = AutoModelForCausalLM.from_pretrained(tmp_path / "run" / result.folder)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run" / result.folder)
    row = read_rows(data)[3]
    assert _greedy(tuned, tokenizer, row) == row.turns[1].message.content + "<|im_end|>"


def test_half_precision_accumulation_and_checkpointing_run_too(
    base: Path, data: Path, tmp_path: Path
) -> None:
    config = _config(
        base, dtype="bf16", batch_size=2, accumulation=2, gradient_checkpointing=True, eval_fraction=0.2
    )
    result = sft.run(config, data, tmp_path / "run")
    assert result.updates == 3 * 3  # ten samples for training, four an update
    assert result.eval_loss is not None
    log = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    assert log[0]["loss"] > result.loss


def test_on_a_cpu_the_loss_is_trls_and_weights_weigh(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(base, dropout=0.0)
    model, tokenizer = load_base(config.model, torch.float32)
    template = ChatTemplate(tokenizer)
    encoded = encode(read_rows(data), template, 512)
    trainer, _ = sft.make_trainer(config, model, template, encoded, tmp_path)
    batch = collate([trainer.train_dataset[index] for index in range(4)])
    weight = batch.pop("loss_weight")
    trainer.model.train()
    ones = torch.ones_like(weight)
    ours = trainer.compute_loss(trainer.model, {**batch, "loss_weight": ones})
    theirs = super(WeightedTrainer, trainer).compute_loss(trainer.model, dict(batch))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)

    weighted = trainer.compute_loss(trainer.model, {**batch, "loss_weight": weight})
    logits = trainer.model(batch["input_ids"], batch["attention_mask"]).logits[:, :-1].transpose(1, 2)
    nll = torch.nn.functional.cross_entropy(logits, batch["labels"][:, 1:], reduction="none")
    expected = (nll * weight[:, 1:]).sum() / (batch["labels"] >= 0).sum()
    assert weighted.item() == pytest.approx(expected.item(), rel=1e-4)
    monkeypatch.setattr(WeightedTrainer, "_on_one_cpu", lambda _: False)  # as on a GPU
    fused = trainer.compute_loss(trainer.model, {**batch, "loss_weight": weight})
    assert fused.item() == pytest.approx(expected.item(), rel=1e-4)
    trainer.focal = 2.0
    expected = (nll * (1 - (-nll).exp()) ** 2).sum() / (batch["labels"] >= 0).sum()
    assert expected.item() < theirs.item()
    for _ in ("on a GPU", "on a CPU"):
        focal = trainer.compute_loss(trainer.model, {**batch, "loss_weight": ones})
        assert focal.item() == pytest.approx(expected.item(), rel=1e-3)
        monkeypatch.setattr(WeightedTrainer, "_on_one_cpu", lambda _: True)
    trainer.model.eval()
    plain = trainer.compute_loss(trainer.model, {**batch, "loss_weight": ones})
    assert plain.item() == pytest.approx(theirs.item(), rel=1e-4)
    shown = [example["loss_weight"] for example in trainer.train_dataset]
    heavy = {round(value, 4) for row in shown for value in row if value}
    assert max(heavy) == pytest.approx(3 * min(heavy), rel=1e-3)
    assert sum(map(sum, shown)) == pytest.approx(sum(v > 0 for row in shown for v in row))


def test_packed_rows_have_the_losses_they_have_alone(base: Path, data: Path, tmp_path: Path) -> None:
    """Token for token: what stands beside a row in its sequence does not reach it."""
    config = _config(base, packing=True, max_length=128, dropout=0.0)
    model, tokenizer = load_base(config.model, torch.float32)
    template = ChatTemplate(tokenizer)
    encoded = encode(read_rows(data), template, config.max_length)
    trainer, _ = sft.make_trainer(config, model, template, encoded, tmp_path)
    packed = list(trainer.train_dataset)
    assert len(packed) < len(encoded.examples)
    apart = []
    for row in packed:
        ends = list(accumulate(row["seq_lengths"], initial=0))
        apart += [{key: row[key][a:b] for key in KEYS} for a, b in pairwise(ends)]
    assert sorted(row["input_ids"] for row in apart) == sorted(e.input_ids for e in encoded.examples)

    alone = torch.cat([_losses(model, collate([row])) for row in apart])
    for batch in (collate(packed), collate_flat(packed)):
        assert "attention_mask" not in batch
        torch.testing.assert_close(_losses(model, batch), alone, atol=1e-5, rtol=1e-4)
    mixed = _losses(model, {**collate(packed), "position_ids": None})
    assert (mixed - alone).abs().max() > 0.01  # and would, without positions
    trainer.model.train()
    losses = [
        trainer.compute_loss(trainer.model, batch).item()
        for batch in (collate(packed), collate_flat(packed), collate(apart))
    ]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_a_base_in_four_bits_learns_by_its_adapter(base: Path, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    config = _config(base, four_bit=True, dtype="bf16", epochs=30, dropout=0.0)
    result = sft.run(config, data, tmp_path / "run")
    assert result.loss < 1.0
    merged = adapter.merge(str(base), tmp_path / "run" / "adapter", tmp_path / "merged")
    assert AutoModelForCausalLM.from_pretrained(merged).dtype == torch.float32


def test_tensorboard_gets_the_metrics(base: Path, data: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    result = sft.run(_config(base, epochs=2, report_to="tensorboard"), data, tmp_path / "run")
    (file,) = (tmp_path / "run").rglob("events.out.tfevents.*")
    events = accumulator.EventAccumulator(str(file)).Reload()
    assert events.Scalars("train/loss")[-1].value == pytest.approx(result.loss)


KEYS = ("input_ids", "labels", "loss_weight")


def _losses(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """Of each label, in the order of the rows."""
    given = {key: batch[key] for key in batch if key not in ("labels", "loss_weight")}
    logits = model(**given).logits[:, :-1].transpose(1, 2)
    nll = torch.nn.functional.cross_entropy(logits, batch["labels"][:, 1:], reduction="none")
    return nll[batch["labels"][:, 1:] >= 0]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full"])
def test_after_kill_9_the_same_call_ends_with_the_same_numbers(
    base: Path, data: Path, tmp_path: Path, method: str
) -> None:
    optimizer = "muon" if method == "full" else "adamw"
    config = _config(
        base,
        method=method,
        optimizer=optimizer,
        epochs=60,
        save_every=7,
        eval_fraction=0.2,
        log_every=3,
    )
    whole = sft.run(config, data, tmp_path / "whole")
    out = tmp_path / "killed"
    kill_in_the_middle(sft, config, data, out)
    resumed = sft.run(config, data, out)
    assert resumed.updates == whole.updates == 180
    assert resumed.loss == pytest.approx(whole.loss, rel=1e-5)
    assert resumed.eval_loss == pytest.approx(whole.eval_loss, rel=1e-5)
    assert_same_course(tmp_path / "whole", out)


def test_a_finished_run_is_returned_and_another_is_not_mixed_in(
    base: Path, data: Path, tmp_path: Path
) -> None:
    config = _config(base, epochs=1)
    first = sft.run(config, data, tmp_path / "run")
    assert sft.run(config, data, tmp_path / "run") == first
    with pytest.raises(ConfigError, match="holds a run with another rank, seed; give another folder"):
        sft.run(config.model_copy(update={"rank": 2, "seed": 3}), data, tmp_path / "run")
    other = tmp_path / "other.jsonl"
    write_rows(other, read_rows(data)[:6])
    with pytest.raises(ConfigError, match="holds a run with another data"):
        sft.run(config, other, tmp_path / "run")


def test_killed_after_its_last_update_it_makes_no_further_one(
    base: Path, data: Path, tmp_path: Path
) -> None:
    config, out = _config(base, epochs=1.5), tmp_path / "run"
    first = sft.run(config, data, out)
    kept = load_file(out / "adapter" / "adapter_model.safetensors")
    told = [json.loads(line) for line in (out / "metrics.jsonl").open()]
    (out / "result.json").unlink()
    again = sft.run(config, data, out)
    assert again.updates == first.updates
    new = [json.loads(line) for line in (out / "metrics.jsonl").open()]
    assert new[:-1] == told[:-1]  # the last tells the seconds
    for name, weights in load_file(out / "adapter" / "adapter_model.safetensors").items():
        assert torch.equal(weights, kept[name])


@pytest.mark.parametrize("file", ["optimizer.pt", "adapter_model.safetensors", "trainer_state.json"])
def test_a_damaged_checkpoint_is_one_line_and_the_one_before_is_gone_on_from(
    base: Path, data: Path, tmp_path: Path, file: str
) -> None:
    config, out = _config(base, epochs=2, save_every=1), tmp_path / "run"
    whole = sft.run(config, data, out)
    (out / "result.json").unlink()
    last = out / "checkpoints" / f"checkpoint-{whole.updates}"
    (last / file).write_bytes((last / file).read_bytes()[:40])
    with pytest.raises(
        DataError, match=rf"checkpoint-{whole.updates} is damaged .*; remove it"
    ) as caught:
        sft.run(config, data, out)
    assert "\n" not in str(caught.value)
    shutil.rmtree(last)
    assert sft.run(config, data, out).loss == pytest.approx(whole.loss, rel=1e-5)


def test_weights_that_are_not_whole_are_one_line(base: Path, data: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(base, torn)
    weights = load_file(torn / "model.safetensors")
    save_file(
        {name: value for name, value in weights.items() if "layers.0.mlp" not in name},
        torn / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(
        ConfigError, match=r"its weights lack model\.layers\.0\.mlp\.\w+\.weight and 2 more"
    ):
        sft.run(_config(torn), data, tmp_path / "run")
    (torn / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(ConfigError, match="cannot load the model") as caught:
        sft.run(_config(torn), data, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_the_clock_stops_it_cleanly(base: Path, data: Path, tmp_path: Path) -> None:
    result = sft.run(_config(base, epochs=500, max_minutes=0.01), data, tmp_path / "run")
    assert result.stopped == "time"
    assert 0 < result.updates < 1500
    assert (tmp_path / "run" / "checkpoints" / f"checkpoint-{result.updates}").is_dir()
    adapter.load(str(base), tmp_path / "run" / "adapter")


def test_a_diverging_run_stops_in_one_line_and_saves_nothing_broken(
    base: Path, data: Path, tmp_path: Path
) -> None:
    config = _config(base, method="full", learning_rate=1e25, warmup=0.9, save_every=1, epochs=20)
    with pytest.raises(Diverged, match="lower learning_rate") as caught:
        sft.run(config, data, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "result.json").exists()
    for file in (tmp_path / "run" / "checkpoints").glob("checkpoint-*/model.safetensors"):
        assert all(weights.isfinite().all() for weights in load_file(file).values())


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full for all larger files."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays(
    base: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    sft.run(_config(base, epochs=1), data, out)
    (out / "result.json").unlink()
    kept = {path.name: path.read_bytes() for path in (out / "adapter").iterdir()}
    with (
        _files_no_larger_than(20_000),
        pytest.raises(DataError, match=r"could not write .*adapter") as caught,
    ):
        sft.run(_config(base, epochs=1), data, out)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in (out / "adapter").iterdir()} == kept
    with (
        _files_no_larger_than(20_000),
        pytest.raises(DataError, match=r"could not write .*checkpoint-3"),
    ):
        sft.run(_config(base, epochs=1), data, tmp_path / "other")
    assert list((tmp_path / "other" / "checkpoints").iterdir()) == []
    assert sft.run(_config(base, epochs=1), data, tmp_path / "other").updates == 3


def test_an_adapter_of_another_base_is_refused(base: Path, data: Path, tmp_path: Path) -> None:
    sft.run(_config(base, epochs=1), data, tmp_path / "run")
    other = tiny.write(tmp_path / "other", layers=1)
    with pytest.raises(
        ConfigError, match=r"the architecture of .* differs: load the adapter on its own"
    ):
        adapter.merge(str(other), tmp_path / "run" / "adapter", tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
    with pytest.raises(ConfigError, match=r"no adapter_config\.json here"):
        adapter.merge(str(base), tmp_path / "run", tmp_path / "merged")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"targets": ("q_proj", "up_prok")}, "has no layer 'up_prok'; did you mean 'up_proj'"),
        ({"dtype": "fp16"}, "fp16 needs a GPU"),
        ({"attention": "flash_attention_2"}, "flash_attention_2 needs a GPU and dtype: bf16"),
        (
            {"chat_template": "lama2"},
            "chat_template: 'lama2' is neither a file nor one of chatml, llama2",
        ),
        ({"model": "./nowhere"}, "cannot load the model './nowhere': nowhere: no such file"),
    ],
)
def test_a_wrong_setting_is_one_line(
    base: Path, data: Path, tmp_path: Path, settings: dict[str, Any], why: str
) -> None:
    config = _config(base).model_copy(update=settings)
    with pytest.raises(ConfigError, match=why) as caught:
        sft.run(config, data, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "config.yaml").exists()  # the mended config may use the folder


def test_rows_that_do_not_fit_at_all_are_an_error(base: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row has a trained turn within max_length 8"):
        sft.run(_config(base, max_length=8), data, tmp_path / "run")


def test_rows_that_train_nothing_are_an_error(base: Path, data: Path, tmp_path: Path) -> None:
    quiet = [
        replace(row, turns=tuple(replace(t, loss=0.0) for t in row.turns)) for row in read_rows(data)
    ]
    write_rows(tmp_path / "rows.jsonl", quiet)
    with pytest.raises(DataError, match="no row has a turn that is trained"):
        sft.run(_config(base), tmp_path / "rows.jsonl", tmp_path / "run")


def test_four_bits_need_their_package(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tmbr.tuning.setup.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"four_bit needs bitsandbytes; pip install 'tmbr\[qlora\]'"):
        sft.run(_config(base, four_bit=True), data, tmp_path / "run")
    with pytest.raises(ValidationError, match="four_bit freezes the base"):
        SftConfig(model="base", four_bit=True, method="full")


def test_muon_needs_whole_matrices() -> None:
    with pytest.raises(ValidationError, match="set method: full"):
        SftConfig(model="base", optimizer="muon")
