"""A tiny reward model: it learns what is better, goes on where it was killed, measures itself."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM
from trl import RewardTrainer

from tests.support import tiny
from tests.tuning.killing import assert_same_course, kill_in_the_middle
from tmbr.core.chat import reading
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.lines import write_lines
from tmbr.core.pairs import Pair, Valued, pair_line, read_either, valued_line
from tmbr.core.rewards import RewardRecord
from tmbr.core.types import Message
from tmbr.tuning import reward
from tmbr.tuning.base import load_classifier
from tmbr.tuning.checkpoints import Diverged
from tmbr.tuning.masks import ChatTemplate
from tmbr.tuning.preference_config import RewardConfig
from tmbr.tuning.reward_trainer import Collate, PreferenceTrainer, measured

PLACES = ("drawer", "cabinet", "desk", "fridge", "countertop", "garbagecan")
BAD = "Thought: nothing happens.\nAction: look"


def pair(place: str, number: int) -> Pair:
    good = Message("assistant", f"Thought: I see the {place}.\nAction: go to {place} {number}")
    asked = (Message("user", f"Your task: {place} {number}."),)
    return Pair(f"{place} {number}", asked, good, Message("assistant", BAD), margin=0.5)


def valued(place: str, number: int, good: bool) -> Valued:
    question, answer = pair(place, number).prompt[0], pair(place, number).chosen
    said = answer if good else Message("assistant", BAD)
    told = Message("user", "You are there." if good else "Nothing happens.")
    return Valued(f"{place} {number}", (question, said, told), 0.9 if good else 0.1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 pairs and 24 valued conversations of 12 samples."""
    path = tmp_path_factory.mktemp("data") / "both.jsonl"
    names = [(place, number) for place in PLACES for number in (1, 2)]
    lines = [pair_line(pair(*name)) for name in names]
    lines += [valued_line(valued(*name, good)) for name in names for good in (True, False)]
    write_lines(path, lines)
    return path


def _config(base: Path, **settings: Any) -> RewardConfig:
    fast = {"dtype": "fp32", "batch_size": 4, "learning_rate": 1e-2, "eval_fraction": 0, "log_every": 5}
    return RewardConfig(model=str(base), **{**fast, **settings})


def _trainer(base: Path, data: Path, out: Path, **settings: Any) -> PreferenceTrainer:
    config = _config(base, dropout=0.0, **settings)
    model, tokenizer = load_classifier(config.model, torch.float32, 0)
    template = ChatTemplate(tokenizer)
    encoded = reward.encode(*read_either(data), template, config)
    return reward.make_trainer(config, model, template, encoded.examples, out)[0]


def test_it_ends_with_the_best_by_what_is_held_out(base: Path, data: Path, tmp_path: Path) -> None:
    config = _config(base, epochs=8, eval_fraction=0.25, evaluate_every=3, patience=2)
    result = reward.run(config, data, tmp_path / "run")
    assert result.stopped == "patience"
    said = json.loads((tmp_path / "run" / "validation.json").read_text())["success"]
    assert list(said) == [str(step) for step in range(0, result.kept + 7, 3)]
    assert result.validated == max(said.values()) == said[str(result.kept)] == 1.0 > said["0"]
    assert result.auc == result.validated  # measured of what was kept, not of what came last
    logged = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    assert logged[-1]["step"] == result.kept + 6


def test_too_few_samples_to_hold_one_out_are_said_in_one_line(base: Path, tmp_path: Path) -> None:
    data = tmp_path / "few.jsonl"
    write_lines(data, [pair_line(pair("desk", number)) for number in (1, 2)])
    config = _config(base, eval_fraction=0.1, evaluate_every=1)
    with pytest.raises(ConfigError, match=r"what is held out has no pairs, .*; raise eval_fraction"):
        reward.run(config, data, tmp_path / "run")


@pytest.mark.parametrize("method", ["lora", "full"])
def test_it_tells_good_from_bad_on_samples_it_has_not_seen(
    base: Path, data: Path, tmp_path: Path, method: str
) -> None:
    rate = 1e-2 if method == "lora" else 1e-3
    config = _config(base, method=method, learning_rate=rate, epochs=8, eval_fraction=0.25)
    result = reward.run(config, data, tmp_path / "run")
    assert (result.pairs, result.valued, result.dropped, result.alike) == (12, 24, (), ())
    assert (result.accuracy, result.auc) == (1.0, 1.0)
    assert result.margin is not None
    assert result.margin > 1
    assert result.ece is not None
    assert result.ece < 0.2
    folder = {"lora": "adapter", "full": "model"}[method]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("config.yaml", "versions.json", "metrics.jsonl", "result.json", "checkpoints", folder)
    }
    assert RewardRecord.find(tmp_path / "run") == (
        tmp_path / "run" / folder,
        RewardRecord(str(base), outcomes=True),
    )
    logged = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    assert {"eval_accuracy", "eval_auc", "eval_ece", "eval_brier", "eval_loss"} <= set(logged[-2])
    assert reward.run(config, data, tmp_path / "run") == result
    with pytest.raises(ConfigError, match="holds a run with another margin; give another folder"):
        reward.run(config.model_copy(update={"margin": 1.0}), data, tmp_path / "run")


def test_the_loss_of_pairs_is_trls(base: Path, data: Path, tmp_path: Path) -> None:
    trainer = _trainer(base, data, tmp_path, margin=2.0, center=0.1)
    trainer.model.eval()
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(5)])
    ours = trainer.compute_loss(trainer.model, dict(batch), return_outputs=True)[0]
    trainer.args.center_rewards_coefficient = 0.1
    theirs = {key: batch[key] for key in ("input_ids", "attention_mask")} | {
        "margin": 2.0 * batch["margin"]
    }
    assert ours.item() == pytest.approx(
        RewardTrainer.compute_loss(trainer, trainer.model, theirs).item(), rel=1e-5
    )


def test_values_weigh_by_cross_entropy_and_language_by_its_likelihood(
    base: Path, data: Path, tmp_path: Path
) -> None:
    trainer = _trainer(base, data, tmp_path, value_weight=0.5, center=0.0, lm_weight=2.0)
    trainer.model.train()
    rows = [trainer.train_dataset[index] for index in (0, 12, 13)]
    batch = trainer.data_collator(rows)
    loss = trainer.compute_loss(trainer.model, batch).item()
    told = [rows[0]["chosen_ids"], rows[0]["rejected_ids"], *(row["chosen_ids"] for row in rows[1:])]
    good, bad, *others = [trainer.model(torch.tensor([ids])).logits.item() for ids in told]
    by_hand = math.log(1 + math.exp(bad - good))
    for logit, row in zip(others, rows[1:], strict=True):
        said = 1 / (1 + math.exp(-logit))
        (value,) = row["values"]
        by_hand -= 0.5 * (value * math.log(said) + (1 - value) * math.log(1 - said))
    plain = AutoModelForCausalLM.from_pretrained(base)
    ids, labels = torch.tensor([rows[0]["chosen_ids"]]), torch.tensor([rows[0]["labels"]])
    language = plain(ids, labels=labels).loss.item()  # no adapter has been trained yet
    text = trainer.processing_class.decode([label for label in rows[0]["labels"] if label >= 0])
    assert text == pair("drawer", 1).chosen.content + "<|im_end|>"
    assert loss == pytest.approx(by_hand / 3 + 2.0 * language, rel=1e-4)


def test_what_is_padded_with_is_never_read(base: Path, data: Path, tmp_path: Path) -> None:
    trainer = _trainer(base, data, tmp_path, center=0.0)
    trainer.model.eval()
    rows = [trainer.train_dataset[at] for at in (0, 12, 13)]
    said = trainer.processing_class.convert_tokens_to_ids("<|im_end|>")
    assert {row["chosen_ids"][-1] for row in rows} == {said}
    assert len({len(row["chosen_ids"]) for row in rows}) == 3
    lone = [_loss(trainer, trainer.data_collator([row])) for row in rows]
    trainer.data_collator = Collate(said)
    assert _loss(trainer, trainer.data_collator(rows)) == pytest.approx(sum(lone) / 3, rel=1e-5)


def _loss(trainer: PreferenceTrainer, batch: dict[str, Any]) -> float:
    loss: float = trainer.compute_loss(trainer.model, batch, return_outputs=True)[0].item()
    return loss


def test_a_conversation_valued_turn_by_turn_is_read_once(base: Path, tmp_path: Path) -> None:
    asked, answer, told = valued("desk", 1, good=True).messages
    other = Message("assistant", BAD)
    values = [
        Valued("desk 1", (asked, answer, told, answer, told), 0.9),
        Valued("desk 1", (asked, answer), 0.3),
        Valued("desk 1", (asked, answer, told), 0.6),
        Valued("desk 1", (asked, answer, told, other), 0.0),
        Valued("desk 2", (asked, answer), 1.0),  # another sample is never held out with it
    ]
    write_lines(tmp_path / "data.jsonl", map(valued_line, values))
    trainer = _trainer(base, tmp_path / "data.jsonl", tmp_path)
    trainer.model.eval()
    rows = [*trainer.train_dataset]
    assert sorted(row["values"] for row in rows) == [[0.0], [0.3, 0.6, 0.9], [1.0]]
    together = _loss(trainer, trainer.data_collator(rows))
    lone = []
    for one in values:
        ids = list(reading(trainer.processing_class, one.messages, ()))
        row = {
            "number": 0,
            "chosen_ids": ids,
            "rejected_ids": [],
            "margin": 0.0,
            "ends": [len(ids) - 1],
        }
        lone.append(_loss(trainer, trainer.data_collator([{**row, "values": [one.value]}])))
    assert together == pytest.approx(sum(lone) / 5, rel=1e-5)


def test_what_is_too_long_or_alike_is_left_out_and_listed(
    base: Path, data: Path, tmp_path: Path
) -> None:
    pairs, values = read_either(data)
    template = ChatTemplate(load_classifier(str(base), torch.float32, 0)[1])
    long = Pair("long", pairs[0].prompt, pairs[0].chosen, Message("assistant", "open " * 99))
    same = Pair("same", pairs[0].prompt, pairs[0].chosen, pairs[0].chosen)
    far = Valued("far", (*values[0].messages, Message("assistant", "open " * 99)), 0.5)
    config = _config(base, max_length=80)
    encoded = reward.encode([long, same, *pairs], [far, *values], template, config)
    assert (encoded.dropped, encoded.alike) == (["long", "far"], ["same"])
    assert len(encoded.examples) == 36
    assert max(len(example.chosen_ids) for example in encoded.examples) <= 80
    with pytest.raises(DataError, match="nothing in it fits max_length 8; raise it"):
        reward.run(_config(base, max_length=8), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_head_reads_the_end_of_the_last_message() -> None:
    tokenizer = tiny.tokenizer()
    said = valued("desk", 1, good=True).messages
    text = tokenizer.decode(reading(tokenizer, said[:2], ()))
    assert text.endswith("Action: go to desk 1<|im_end|>")
    assert tokenizer.decode(reading(tokenizer, said, ())).endswith("You are there.<|im_end|>")
    twice = (*said, Message("user", "Go on."))
    assert tokenizer.decode(reading(tokenizer, twice, ())).endswith("You are there.\nGo on.<|im_end|>")
    tokenizer.chat_template = "{{ raise_exception('no') }}"
    with pytest.raises(ConfigError, match="cannot render this conversation: no"):
        reading(tokenizer, said, ())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"messages": [{"role": "user", "content": "a"}]}', "row: Value error, give both chosen"),
        (
            '{"messages": [{"role": "user", "content": "a"}], "value": 1}',
            "row: Value error, a valued conversation has an answer",
        ),
        (
            '{"messages": [{"role": "user", "content": "a"}],'
            ' "chosen": {"role": "user", "content": "b"},'
            ' "rejected": {"role": "assistant", "content": "c"}}',
            "chosen: Value error, an answer is the assistant's",
        ),
        ('{"messages": [], "valeu": 1}', "messages: List should have at least 1 item"),
        ("{", "row: Invalid JSON"),
    ],
)
def test_a_bad_line_is_named(base: Path, tmp_path: Path, data: Path, line: str, why: str) -> None:
    path = tmp_path / "both.jsonl"
    path.write_text(data.read_text() + line + "\n")
    with pytest.raises(DataError) as caught:
        reward.run(_config(base), path, tmp_path / "run")
    assert str(caught.value).startswith(f"{path}:37: {why}")
    assert not (tmp_path / "run").exists()


def test_a_diverging_run_stops_in_one_line(base: Path, data: Path, tmp_path: Path) -> None:
    config = _config(base, method="full", learning_rate=1e25, warmup=0.9, save_every=1, epochs=20)
    with pytest.raises(Diverged, match="lower learning_rate") as caught:
        reward.run(config, data, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "result.json").exists()


@pytest.mark.slow
def test_after_kill_9_the_same_call_ends_with_the_same_numbers(
    base: Path, data: Path, tmp_path: Path
) -> None:
    config = _config(
        base, epochs=12, save_every=7, eval_fraction=0.2, log_every=3, learning_rate=1e-3, lm_weight=0.1
    )
    whole = reward.run(config, data, tmp_path / "whole")
    out = tmp_path / "killed"
    kill_in_the_middle(reward, config, data, out)
    resumed = reward.run(config, data, out)
    assert resumed.updates == whole.updates
    for figure in ("loss", "eval_loss", "accuracy", "margin", "auc", "ece", "brier"):
        assert getattr(resumed, figure) == pytest.approx(getattr(whole, figure), rel=1e-5), figure
    assert_same_course(tmp_path / "whole", out)


numbers = st.integers(-3, 3).map(float)


@given(st.lists(st.tuples(numbers, st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), min_size=1))
def test_auc_and_calibration_are_what_counting_gives(said: list[tuple[float, float]]) -> None:
    found = measured(torch.tensor([(reward, math.nan, value) for reward, value in said]))
    good = [reward for reward, value in said if value > 0.5]
    bad = [reward for reward, value in said if value <= 0.5]
    if good and bad:
        wins = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
        assert found["auc"] == pytest.approx(wins / len(good) / len(bad))
    else:
        assert "auc" not in found
    each = [(1 / (1 + math.exp(-reward)), value) for reward, value in said]
    assert found["brier"] == pytest.approx(sum((p - v) ** 2 for p, v in each) / len(each))
    bins = {int(10 * p) for p, _ in each}
    gaps = [abs(sum(p - v for p, v in each if int(10 * p) == bin)) for bin in bins]
    assert found["ece"] == pytest.approx(sum(gaps) / len(each))
    assert "accuracy" not in found


@given(st.lists(st.tuples(numbers, numbers), min_size=1))
def test_accuracy_and_margin_are_what_counting_gives(said: list[tuple[float, float]]) -> None:
    found = measured(torch.tensor([(chosen, rejected, math.nan) for chosen, rejected in said]))
    wins = [1.0 if c > r else 0.5 if c == r else 0.0 for c, r in said]
    assert found == {
        "accuracy": pytest.approx(sum(wins) / len(said)),
        "margin": pytest.approx(sum(c - r for c, r in said) / len(said)),
    }
