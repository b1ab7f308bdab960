"""A reward model in use: what transformers says, whatever the company, at the price of what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, MistralConfig, MistralForCausalLM

from tests.reasoning.playing import always, doors, play
from tests.support import tiny
from tmbr.core.chat import reading
from tmbr.core.errors import ConfigError, DataError, ModelFault
from tmbr.core.lines import write_lines
from tmbr.core.pairs import Valued, valued_line
from tmbr.core.trace import Budget
from tmbr.core.types import Message, Rewarded, Tool, Usage
from tmbr.models.local import LocalModel
from tmbr.models.reward import LocalReward
from tmbr.reasoning.judges import Mix, Reward, Rules
from tmbr.reasoning.search import Multibranch
from tmbr.teacher.preferences import States
from tmbr.tuning import reward
from tmbr.tuning.base import load_classifier
from tmbr.tuning.masks import ChatTemplate
from tmbr.tuning.preference_config import RewardConfig

PLACES = ("drawer", "cabinet", "desk", "fridge")
Conversation = tuple[Message, ...]


def told(place: str, went: str) -> Conversation:
    return (
        Message("user", f"Your task: {place} 1."),
        Message("assistant", f"Action: go to {went} 1"),
        Message("user", "You are there."),
    )


CONVERSATIONS = [told(place, went) for place in PLACES for went in PLACES]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "values.jsonl"
    lines = [Valued(c[0].content, c, float(c[0].content[11:14] in c[1].content)) for c in CONVERSATIONS]
    write_lines(path, map(valued_line, lines))
    return path


def trained(base: Path, data: Path, out: Path, **settings: Any) -> Path:
    fast = {"dtype": "fp32", "batch_size": 4, "learning_rate": 1e-2, "eval_fraction": 0, "epochs": 3}
    reward.run(RewardConfig(model=str(base), **{**fast, **settings}), data, out)
    return out


@pytest.fixture(scope="module")
def folder(base: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(base, data, tmp_path_factory.mktemp("run") / "reward")


def ask(model: LocalReward, conversations: Sequence[Conversation]) -> list[Rewarded]:
    return asyncio.run(model.rewards(conversations, ()))


def by_transformers(base: Path, folder: Path) -> list[float]:
    classifier, tokenizer = load_classifier(str(base), torch.float32, 0)
    tokenizer.chat_template = tiny.TEMPLATE
    tuned = PeftModel.from_pretrained(classifier, folder / "adapter").eval()
    read = [torch.tensor([reading(tokenizer, c, ())]) for c in CONVERSATIONS]
    with torch.no_grad():
        return [tuned(ids).logits.sigmoid().item() for ids in read]


def test_values_are_those_of_transformers_alone_and_in_company(base: Path, folder: Path) -> None:
    expected = by_transformers(base, folder)
    assert max(expected) - min(expected) > 0.01
    model = LocalReward.load(folder)
    assert model.outcomes
    together = ask(model, CONVERSATIONS)
    assert [found.value for found in together] == pytest.approx(expected, abs=1e-5)

    async def each(model: LocalReward) -> list[list[Rewarded]]:
        return await asyncio.gather(*(model.rewards([c], ()) for c in CONVERSATIONS))

    alone = asyncio.run(each(LocalReward.load(folder, cache_bytes=0)))
    assert [one.value for (one,) in alone] == pytest.approx(expected, abs=1e-5)
    in_waves = asyncio.run(each(LocalReward.load(folder)))
    assert [one.value for (one,) in in_waves] == pytest.approx(expected, abs=1e-5)


def test_a_sibling_costs_only_its_own_tokens(folder: Path) -> None:
    first, second = ask(LocalReward.load(folder), CONVERSATIONS[:2])
    assert first.usage == Usage(prompt=first.usage.prompt, prefill=first.usage.prompt)
    assert second.usage.prompt > 40
    assert second.usage.prefill < 25
    cold = ask(LocalReward.load(folder, cache_bytes=0), CONVERSATIONS[:2])
    assert [found.usage.prefill for found in cold] == [found.usage.prompt for found in cold]


def test_the_acting_models_weights_are_shared_and_left_alone(base: Path, folder: Path) -> None:
    acting = LocalModel.load(str(base))
    before = {name: weights.clone() for name, weights in acting.network.state_dict().items()}
    shared = LocalReward.load(folder, acting)
    expected = [found.value for found in ask(LocalReward.load(folder), CONVERSATIONS)]
    assert [found.value for found in ask(shared, CONVERSATIONS)] == pytest.approx(expected, abs=1e-5)
    after = acting.network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], weights) for name, weights in before.items())
    theirs = {weights.data_ptr() for weights in acting.network.parameters()}
    held = {weights.data_ptr() for weights in shared._reader._decoder.model.parameters()}
    assert len(theirs - held) == 1  # the head of language, which nobody reads here


def test_all_weights_tuned(base: Path, data: Path, tmp_path: Path) -> None:
    out = trained(base, data, tmp_path / "run", method="full", learning_rate=1e-3)
    whole = AutoModelForSequenceClassification.from_pretrained(out / "model").eval()
    tokenizer = tiny.tokenizer()
    read = [torch.tensor([reading(tokenizer, c, ())]) for c in CONVERSATIONS]
    expected = [whole(ids).logits.sigmoid().item() for ids in read]
    found = ask(LocalReward.load(out), CONVERSATIONS)
    assert [one.value for one in found] == pytest.approx(expected, abs=1e-5)


def test_attention_of_another_kind_is_read_in_the_models_own_way(data: Path, tmp_path: Path) -> None:
    tokenizer = tiny.tokenizer()
    settings = MistralConfig(
        vocab_size=512,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=16,
        max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id,
    )
    MistralForCausalLM(settings).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    out = trained(tmp_path / "base", data, tmp_path / "run", epochs=1)
    found = ask(LocalReward.load(out), CONVERSATIONS)
    expected = by_transformers(tmp_path / "base", out)
    assert [one.value for one in found] == pytest.approx(expected, abs=1e-5)


def test_what_has_no_room_is_not_read_and_not_paid_for(folder: Path) -> None:
    long = (*told("desk", "desk"), Message("assistant", "open " * 600))
    found = ask(LocalReward.load(folder), [long, told("desk", "desk")])
    assert found[0] == Rewarded(None)
    assert found[1].value is not None


def test_a_model_that_fails_is_a_fault_of_each_episode_and_the_next_is_served(folder: Path) -> None:
    model = LocalReward.load(folder)
    embeddings = model._reader._decoder.model.model.embed_tokens
    weights, embeddings.weight.data = embeddings.weight.data, torch.zeros(1, 1)

    async def both() -> list[Any]:
        asks = (model.rewards([c], ()) for c in CONVERSATIONS[:2])
        return await asyncio.gather(*asks, return_exceptions=True)

    faults = asyncio.run(both())
    assert [type(fault) for fault in faults] == [ModelFault] * 2
    assert str(faults[0]).startswith("the reward model failed: ")
    embeddings.weight.data = weights
    assert ask(model, CONVERSATIONS[:1])[0].value is not None


def test_what_is_no_reward_model_of_this_base_is_one_line(
    base: Path, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="no reward model here; give the folder"):
        LocalReward.load(base)
    place = tmp_path / "moved"
    place.mkdir()
    for path in (folder / "adapter").iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    record = (place / "reward.json").read_text()
    other = tiny.write(tmp_path / "other", layers=1)
    (place / "reward.json").write_text(record.replace(str(base), str(other)))
    with pytest.raises(
        ConfigError, match=r"the architecture of .* differs: load the adapter on its own"
    ):
        LocalReward.load(place)
    (place / "reward.json").write_text(record.replace(str(base), "./nowhere"))
    with pytest.raises(ConfigError, match=r"cannot load the reward model .* on './nowhere'"):
        LocalReward.load(place)
    (place / "reward.json").write_text(record)
    weights = place / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(ConfigError, match="cannot load the reward model") as caught:
        LocalReward.load(place)
    assert "\n" not in str(caught.value)
    weights.unlink()
    with pytest.raises(ConfigError, match=r"no adapter_model\.safetensors here"):
        LocalReward.load(place)
    (place / "reward.json").write_text("{}")
    with pytest.raises(DataError, match="not a record of a reward model"):
        LocalReward.load(place)


@dataclass
class Remembering:
    """A reward model that keeps what it reads."""

    tokenizer: Any
    outcomes: bool
    name: str = "remembering"
    read: list[tuple[int, ...]] = field(default_factory=list)

    async def rewards(
        self, conversations: Sequence[Sequence[Message]], tools: Sequence[Tool]
    ) -> list[Rewarded]:
        ids = [reading(self.tokenizer, messages, tools) for messages in conversations]
        self.read += ids
        return [Rewarded(0.5, Usage(prompt=len(found))) for found in ids]


@pytest.mark.parametrize("outcomes", [True, False])
def test_what_trains_is_what_the_judge_has_seen_in_the_search(outcomes: bool) -> None:
    tokenizer = tiny.tokenizer()
    model = Remembering(tokenizer, outcomes)
    answers = [f"Action: open {door}" for door in ("a", "b")]
    judge, sample = Reward(model), doors("abb")
    trace = play(Multibranch(branches=2), always(*answers), sample, judge=judge)
    assert trace.finish is not None
    assert trace.finish.score.success
    config = RewardConfig(model="tiny", max_length=100_000)
    told_pairs = [] if outcomes else list(States([trace]).pairs())
    told_values = list(States([trace]).valued()) if outcomes else []
    encoded = reward.encode(told_pairs, told_values, ChatTemplate(tokenizer), config)
    assert len(encoded.examples) >= 2
    trained = {tuple(ids) for e in encoded.examples for ids in (e.chosen_ids, e.rejected_ids) if ids}
    assert trained <= set(model.read)


def test_what_the_judge_costs_is_charged(folder: Path) -> None:
    model = always("Action: open a", "Action: open b")
    free = play(Multibranch(branches=2), model, doors("ab"), judge=Rules(), budget=Budget(steps=6))
    judge = Mix(((Rules(), 0.5), (Reward(LocalReward.load(folder)), 0.5)))
    paid = play(Multibranch(branches=2), model, doors("ab"), judge=judge, budget=Budget(steps=6))
    asked = sum(judgement.usage.total for judgement in paid.judgements)
    assert asked > 0
    assert free.spent.usage.total < paid.spent.usage.total
    calls = sum(judgement.usage.total > 0 for judgement in paid.judgements)
    assert paid.spent.calls >= calls > 0
