"""λ as a share of the rows, exactly; λ in the loss, as the paper writes it, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support import tiny
from tmbr.core.errors import ConfigError
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message
from tmbr.teacher.mix import Source, counts, drawn, factors, interleaved, sample, scaled, trained
from tmbr.tuning.base import load_base
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import ChatTemplate, encode
from tmbr.tuning.sft import make_trainer
from tmbr.tuning.trainer import collate


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 500), st.floats(0, 1))
def test_shares_hold_to_within_a_row_and_no_source_gives_more_than_it_has(
    agent: int, one: int, two: int, share: float
) -> None:
    sources = [
        Source("agent", agent, True),
        Source("one", one, False, 3.0),
        Source("two", two, False, 1.0),
    ]
    found = counts(sources, share)
    total = sum(found.values())
    assert all(found[source.name] <= source.size for source in sources)
    assert abs(found["agent"] - share * total) <= 1
    assert abs(found["one"] - (1 - share) * total * 0.75) <= 1
    full = {
        "agent": agent if share else 0,
        "one": one if share < 1 else 0,
        "two": two if share < 1 else 0,
    }
    assert any(found[name] >= size - 3 for name, size in full.items() if size)


def test_sources_without_weights_are_as_large_as_they_are() -> None:
    sources = [Source("a", 300, True), Source("b", 100, True), Source("g", 900, False)]
    assert counts(sources, 0.5) == {"a": 300, "b": 100, "g": 400}
    assert counts(sources, 1.0) == {"a": 300, "b": 100, "g": 0}
    assert counts(sources, 0.0) == {"a": 0, "b": 0, "g": 900}
    assert counts(sources, 0.5, most=10) == {"a": 4, "b": 1, "g": 5}


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([Source("a", 3, True)], "general data is asked for"),
        ([Source("a", 0, True), Source("g", 3, False)], "agent data is asked for"),
        ([Source("a", 3, True, 1.0), Source("b", 3, True), Source("g", 3, False)], "b has no weight"),
    ],
)
def test_what_cannot_be_mixed_is_said(sources: list[Source], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        counts(sources, 0.5)


@given(st.integers(0, 60), st.data(), st.integers(0, 9))
def test_exactly_so_many_are_drawn_in_order(size: int, data: st.DataObject, seed: int) -> None:
    count = data.draw(st.integers(0, size))
    found = list(drawn(range(size), size, count, seed))
    assert len(found) == count
    assert found == sorted(set(found))


def test_every_item_is_drawn_as_often_as_any_other() -> None:
    hits = [0] * 10
    for seed in range(4000):
        for item in drawn(range(10), 10, 3, seed):
            hits[item] += 1
    assert all(1100 < hit < 1300 for hit in hits)


def test_interleaving_loses_nothing_and_keeps_the_order_of_each() -> None:
    found = list(interleaved({"a": (iter(range(5)), 5), "b": (iter(range(3)), 3)}, seed=1))
    assert [item for name, item in found if name == "a"] == list(range(5))
    assert [item for name, item in found if name == "b"] == list(range(3))
    assert [name for name, _ in found] != sorted(name for name, _ in found)


def _rows(count: int, words: str, loss: float = 1.0) -> list[Row]:
    return [
        Row(
            f"{words}{n}",
            (Turn(Message("user", f"say {n}")), Turn(Message("assistant", words * (n + 1)), loss)),
        )
        for n in range(count)
    ]


def test_the_same_seed_gives_the_same_mix() -> None:
    content = {"a": _rows(20, "go "), "g": _rows(30, "hello ")}
    sources = [Source("a", 20, True), Source("g", 30, False)]
    first, again = (list(sample(content, sources, 0.4, 7)) for _ in range(2))
    other = list(sample(content, sources, 0.4, 8))
    assert first == again != other
    assert [name for name, _ in first].count("a") == 20
    assert len(first) == 50


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_the_trainers_loss_is_the_papers_formula(share: float, tmp_path: Path) -> None:
    """λ · mean over agent tokens + (1 - λ) · mean over general ones, both by a plain forward pass."""
    base = tiny.write(tmp_path / "base")
    model, tokenizer = load_base(str(base), torch.float32)
    template = ChatTemplate(tokenizer)
    sides = {"a": _rows(2, "go to the desk "), "g": _rows(3, "hello you ")}

    def tokens(turn: Turn) -> int:
        return len(tokenizer.encode(turn.message.content, add_special_tokens=False)) + 1

    sources = [
        Source(name, sum(trained(row, tokens) for row in side), name == "a")
        for name, side in sides.items()
    ]
    by = factors(sources, share)
    mixed = [scaled(row, by[name]) for name, side in sides.items() for row in side]
    assert sum(trained(row, tokens) for row in mixed) == pytest.approx(sum(s.size for s in sources))

    config = SftConfig(
        model=str(base), method="full", dtype="fp32", eval_fraction=0, batch_size=8, report_to="none"
    )
    trainer, _ = make_trainer(config, model, template, encode(mixed, template, 512), tmp_path)
    inputs = collate([trainer.train_dataset[i] for i in range(len(mixed))])
    model.train()
    loss = trainer.compute_loss(model, dict(inputs)).item()

    def mean(name: str) -> float:
        nll, count = 0.0, 0
        for example in encode(sides[name], template, 512).examples:
            with torch.no_grad():
                scores = model(torch.tensor([example.input_ids])).logits[0].log_softmax(-1)
            for at, label in enumerate(example.labels):
                if label >= 0:
                    nll -= scores[at - 1, label].item()
                    count += 1
        return nll / count

    assert loss == pytest.approx(share * mean("a") + (1 - share) * mean("g"), rel=1e-4)
