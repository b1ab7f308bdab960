"""DPO of a tiny model: the answers train and nothing else, the margin grows, a killed run goes on."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import chat_template_utils

from tests.support import tiny
from tests.tuning.killing import assert_same_course, kill_in_the_middle
from tmbr.core.chat import template_message
from tmbr.core.errors import DataError
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.types import Message, Tool, ToolCall
from tmbr.tuning import adapter, dpo, sft
from tmbr.tuning.base import load_base
from tmbr.tuning.checkpoints import Diverged
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import ChatTemplate
from tmbr.tuning.preference_config import DpoConfig

PLACES = ("drawer", "cabinet", "desk", "fridge", "countertop", "garbagecan")
WORDS = ("apple", "the fridge 1", "is closed", "Thought:", "take", "\n", "go to", "{", "é", "1")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("models") / "base")


def pair(place: str, number: int) -> Pair:
    good = Message("assistant", f"Thought: I see the {place}.\nAction: go to {place} {number}")
    asked = (Message("user", f"Your task: {place} {number}."),)
    bad = Message("assistant", "Thought: nothing happens.\nAction: look")
    return Pair(f"{place} {number}", asked, good, bad)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    write_pairs(path, (pair(place, number) for place in PLACES for number in (1, 2)))
    return path


def _config(base: Path, **settings: Any) -> DpoConfig:
    fast = {"dtype": "fp32", "batch_size": 4, "learning_rate": 3e-3, "eval_fraction": 0, "log_every": 1}
    return DpoConfig(model=str(base), **{**fast, **settings})


def _lead(model: Any, tokenizer: Any, pair: Pair) -> float:
    """How much likelier the chosen answer is than the rejected one, in nats, by transformers alone."""
    prompt = tokenizer.apply_chat_template(
        [template_message(message) for message in pair.prompt],
        add_generation_prompt=True,
        tokenize=False,
    )
    asked = tokenizer.encode(prompt)

    def likely(answer: Message) -> float:
        said = tokenizer.encode(answer.content + "<|im_end|>")
        with torch.no_grad():
            logits = model(torch.tensor([asked + said])).logits[0, len(asked) - 1 : -1]
        return float(logits.log_softmax(-1)[range(len(said)), said].sum())

    return likely(pair.chosen) - likely(pair.rejected)


def _steps(out: Path, key: str) -> list[float]:
    return [entry[key] for entry in map(json.loads, (out / "metrics.jsonl").open()) if key in entry]


def test_the_chosen_answers_gain_also_on_samples_not_seen(
    base: Path, data: Path, tmp_path: Path
) -> None:
    config = _config(base, epochs=6, eval_fraction=0.25)
    result = dpo.run(config, data, tmp_path / "run")
    assert (result.pairs, result.dropped, result.alike) == (12, (), ())
    assert result.accuracy == 1.0
    before, tokenizer = load_base(str(base), torch.float32)
    after, _ = adapter.load(str(base), tmp_path / "run" / "adapter", torch.float32)
    pairs = [pair(place, number) for place in PLACES for number in (1, 2)]
    gains = [_lead(after, tokenizer, one) - _lead(before, tokenizer, one) for one in pairs]
    assert min(gains) > 5
    assert result.margin is not None
    assert min(gains) * 0.1 <= result.margin <= max(gains) * 0.1  # beta is 0.1
    assert _steps(tmp_path / "run", "loss")[0] == pytest.approx(math.log(2), rel=1e-3)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("config.yaml", "versions.json", "metrics.jsonl", "result.json", "checkpoints", "adapter")
    }
    assert dpo.run(config, data, tmp_path / "run") == result


def test_it_goes_on_from_an_adapter_which_is_the_reference(
    base: Path, data: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    lines = [
        {"role": "user", "content": "Your task: desk 1."},
        {"role": "assistant", "content": "Action: look", "loss": 1.0},
    ]
    rows.write_text(json.dumps({"id": "a", "messages": lines}) + "\n")
    tuned = SftConfig(model=str(base), dtype="fp32", learning_rate=1e-2, eval_fraction=0, epochs=3)
    sft.run(tuned, rows, tmp_path / "sft")
    config = _config(base, adapter=str(tmp_path / "sft" / "adapter"), epochs=2)
    dpo.run(config, data, tmp_path / "run")
    losses = _steps(tmp_path / "run", "loss")
    assert losses[0] == pytest.approx(math.log(2), rel=1e-3)
    assert losses[-1] < losses[0]
    assert not (tmp_path / "run" / "adapter" / "ref").exists()
    before, tokenizer = adapter.load(str(base), tmp_path / "sft" / "adapter", torch.float32)
    after, _ = adapter.load(str(base), tmp_path / "run" / "adapter", torch.float32)
    assert _lead(after, tokenizer, pair("desk", 1)) > _lead(before, tokenizer, pair("desk", 1))


@pytest.mark.parametrize(("before", "now"), [(0.0, 0.5), (0.5, 0.0)])
def test_an_adapter_gone_on_from_has_the_dropout_that_is_asked_for(
    base: Path, data: Path, tmp_path: Path, before: float, now: float
) -> None:
    dpo.run(_config(base, epochs=1, dropout=before), data, tmp_path / "first")
    start = str(tmp_path / "first" / "adapter")
    dpo.run(_config(base, epochs=1, dropout=now, adapter=start), data, tmp_path / "run")
    told = json.loads((tmp_path / "run" / "adapter" / "adapter_config.json").read_text())
    assert told["lora_dropout"] == now
    losses = _steps(tmp_path / "run", "loss")
    # Without dropout policy and reference begin alike.
    assert (losses[0] == pytest.approx(math.log(2), rel=1e-4)) == (now == 0)


def test_full_tuning_with_a_reference_asked_once_is_the_same(
    base: Path, data: Path, tmp_path: Path
) -> None:
    told = {"method": "full", "learning_rate": 1e-4, "epochs": 2}
    beside = dpo.run(_config(base, **told), data, tmp_path / "beside")
    once = dpo.run(_config(base, **told, precompute_reference=True), data, tmp_path / "once")
    assert once.loss == pytest.approx(beside.loss, rel=1e-4)
    assert once.loss < math.log(2)
    assert once.folder == "model"
    AutoModelForCausalLM.from_pretrained(tmp_path / "once" / "model")


def test_without_a_reference_and_with_likelihood_the_loss_is_what_the_papers_say(
    base: Path, data: Path, tmp_path: Path
) -> None:
    plain, tokenizer = load_base(str(base), torch.float32)
    told = [pair(place, number) for place in PLACES for number in (1, 2)]
    leads = torch.tensor([_lead(plain, tokenizer, one) for one in told])
    config = _config(base, reference_free=True, batch_size=12, epochs=1)
    dpo.run(config, data, tmp_path / "free")
    by_hand = -torch.nn.functional.logsigmoid(0.1 * leads).mean().item()
    assert _steps(tmp_path / "free", "loss")[0] == pytest.approx(by_hand, rel=1e-4)

    dpo.run(_config(base, sft_weight=0.5, batch_size=12, epochs=1), data, tmp_path / "rpo")
    template = ChatTemplate(tokenizer)
    nll, tokens = 0.0, 0
    for one in dpo.encode(told, template, 512).examples:
        ids = torch.tensor([one.chosen_ids])
        labels = torch.where(torch.arange(ids.shape[1])[None] < one.chosen_from, -100, ids)
        count = len(one.chosen_ids) - one.chosen_from
        nll, tokens = nll + plain(ids, labels=labels).loss.item() * count, tokens + count
    expected = math.log(2) + 0.5 * nll / tokens
    assert _steps(tmp_path / "rpo", "loss")[0] == pytest.approx(expected, rel=1e-4)


def _random_pair(rng: random.Random, tools: bool) -> Pair:
    """A conversation of some turns with up to three calls each, and two answers to it."""

    def words() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(1, 6))).strip() or "well"

    def answer(turn: int) -> Message:
        calls = tuple(
            ToolCall(f"c{turn}_{at}", rng.choice(("look", "take")), json.dumps({"what": words()}))
            for at in range(rng.randint(0, 3) if tools else 0)
        )
        return Message("assistant", words() if not calls or rng.random() < 0.7 else "", calls)

    messages = [Message("system", words())] if rng.random() < 0.5 else []
    messages.append(Message("user", words()))
    for turn in range(rng.randint(0, 3)):
        messages.append(answer(turn))
        if calls := messages[-1].tool_calls:
            messages += [Message("tool", words(), tool_call_id=call.id) for call in calls]
        else:
            messages.append(Message("user", words()))
    offered = tuple(_tool(name) for name in ("look", "take")) if tools else ()
    chosen = answer(8)
    rejected = next(other for other in (answer(9) for _ in range(99)) if other != chosen)
    return Pair(str(rng.random()), tuple(messages), chosen, rejected, offered)


def _tool(name: str) -> Tool:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    "own", ["tiny", "chatml", "llama2", "qwen2_5_chat_template", "qwen3_instruct_2507_chat_template"]
)
def test_only_the_answers_train_to_their_end_whatever_the_template(own: str) -> None:
    """Against an encoder of its own: the rendered whole, less what the model would be asked."""
    tokenizer: PreTrainedTokenizerFast = tiny.tokenizer()
    tokenizer.add_special_tokens({"bos_token": "<s>"})
    end = "<|im_end|>"
    if own == "llama2":
        tokenizer.add_special_tokens({"eos_token": "</s>"})
        end = "</s>"
    if hasattr(chat_template_utils, own):
        tokenizer.chat_template = getattr(chat_template_utils, own)
    template = ChatTemplate(tokenizer, own if own in ("chatml", "llama2") else None)
    rng = random.Random(own)
    tools = own not in ("chatml", "llama2")
    pairs = [_random_pair(rng, tools and at % 3 > 0) for at in range(100)]
    encoded = dpo.encode(pairs, template, 100_000)
    assert len(encoded.examples) + len(encoded.alike) == 100
    assert len(encoded.examples) > 90
    by_id = {pair.id: pair for pair in pairs}
    for example in encoded.examples:
        one = by_id[example.id]
        told = {"tools": [dict(tool) for tool in one.tools] or None, "tokenize": False}
        asked = [template_message(message) for message in one.prompt]
        prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, **told)
        for answer, ids, start in (
            (one.chosen, example.chosen_ids, example.chosen_from),
            (one.rejected, example.rejected_ids, example.rejected_from),
        ):
            whole = tokenizer.apply_chat_template([*asked, template_message(answer)], **told)
            assert whole.startswith(prompt)
            expected = whole[len(prompt) :].rstrip()
            assert expected.endswith(end)
            assert tokenizer.decode(ids[start:]) == expected
            assert ids[:start] == tokenizer.encode(prompt, add_special_tokens=False)


def test_what_is_too_long_or_alike_is_left_out_and_listed(
    base: Path, data: Path, tmp_path: Path
) -> None:
    one = pair("desk", 1)
    far = Message("assistant", "open " * 99)
    pairs = [
        Pair("long answer", one.prompt, one.chosen, far),
        Pair("long prompt", (Message("user", far.content),), one.chosen, one.rejected),
        Pair("same", one.prompt, one.chosen, one.chosen),
        one,
    ]
    encoded = dpo.encode(pairs, ChatTemplate(tiny.tokenizer()), 80)
    assert (encoded.dropped, encoded.alike) == (["long answer", "long prompt"], ["same"])
    assert [example.id for example in encoded.examples] == ["desk 1"]
    with pytest.raises(DataError, match="nothing in it fits max_length 8; raise it"):
        dpo.run(_config(base, max_length=8), data, tmp_path / "run")
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, pairs[2:3])
    with pytest.raises(DataError, match="the two answers of each pair are the same to the model"):
        dpo.run(_config(base), path, tmp_path / "run")
    path.write_text(data.read_text() + '{"messages": [{"role": "user", "content": "a"}]}\n')
    with pytest.raises(DataError, match=r"pairs\.jsonl:13: chosen: Field required \(and 1 more\)"):
        dpo.run(_config(base), path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"loss": ("sigmoid", "sft"), "loss_weights": (1.0,)}, "give 2, one for each loss"),
        ({"loss": ("sigmod",)}, "Input should be 'sigmoid'"),
        ({"adapter": "x", "method": "full"}, "merge it into the model"),
        ({"reference_free": True, "precompute_reference": True}, "leave one out"),
        ({"loss": ("exo_pair",)}, "needs label_smoothing above 0"),
        ({"loss": ("aot",), "weighting": True}, "does not go with aot"),
        ({"loss": ("aot",), "divergence": "forward_kl"}, "goes with the losses"),
    ],
)
def test_settings_that_do_not_go_together_are_one_line(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        DpoConfig(model="base", **settings)


@pytest.mark.parametrize("loss", ["ipo", "robust", "exo_pair", "apo_zero", "aot", "nca_pair"])
def test_every_loss_trains(base: Path, data: Path, tmp_path: Path, loss: str) -> None:
    config = _config(base, loss=(loss,), label_smoothing=0.01, epochs=4)
    dpo.run(config, data, tmp_path / "run")
    margins = _steps(tmp_path / "run", "rewards/margins")
    assert margins[-1] > margins[0] + 0.02


def test_a_diverging_run_stops_in_one_line(base: Path, data: Path, tmp_path: Path) -> None:
    config = _config(base, method="full", learning_rate=1e25, warmup=0.9, save_every=1, epochs=20)
    with pytest.raises(Diverged, match="lower learning_rate") as caught:
        dpo.run(config, data, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "result.json").exists()


@pytest.mark.slow
def test_after_kill_9_the_same_call_ends_with_the_same_numbers(
    base: Path, data: Path, tmp_path: Path
) -> None:
    dpo.run(_config(base, epochs=1), data, tmp_path / "first")
    config = _config(
        base,
        adapter=str(tmp_path / "first" / "adapter"),
        epochs=12,
        save_every=7,
        eval_fraction=0.2,
        learning_rate=3e-4,
        dropout=0.1,
    )
    whole = dpo.run(config, data, tmp_path / "whole")
    out = tmp_path / "killed"
    kill_in_the_middle(dpo, config, data, out)
    resumed = dpo.run(config, data, out)
    assert resumed.updates == whole.updates
    for figure in ("loss", "eval_loss", "accuracy", "margin"):
        assert getattr(resumed, figure) == pytest.approx(getattr(whole, figure), rel=1e-4), figure
    assert_same_course(tmp_path / "whole", out, loss=1e-4)
