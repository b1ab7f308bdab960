"""A task to learn on: one house whose way out is `ab`, and a tiny model that opens any door."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support import tiny
from tests.support.doors import LIMIT, DoorsSession, DoorsTask
from tmbr.core.types import Sample, Tool

WAY = "ab"
#: As a command takes it.
SPEC = f"{__file__}:Corridor"


class CorridorSession(DoorsSession):
    """Doors without tools: a short prompt."""

    @property
    def observation(self) -> str:
        return f"{self.path or 'hall'}:"

    @property
    def tools(self) -> Sequence[Tool]:
        return []


@dataclass(frozen=True, slots=True)
class Corridor(DoorsTask):
    count: int = 1

    def _sample(self, split: str, index: int) -> Sample:
        return Sample(str(index), self.name, split, "Out.", {"way": WAY}, WAY)

    def open(self, sample: Sample) -> CorridorSession:
        return CorridorSession(sample.setup["way"])


def opener(folder: Path, steps: int = 80) -> Path:
    """A tiny model that has learnt to say `open a` or `open b`, by chance; returns its folder."""
    tiny.write(folder, hidden=32, layers=1, context=512)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    rng = random.Random(0)
    for _ in range(steps):
        texts = [_walk(tokenizer, rng) for _ in range(8)]
        made = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        labels = made["input_ids"].masked_fill(made["attention_mask"] == 0, -100)
        loss = model(**made, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder


def _walk(tokenizer: Any, rng: random.Random) -> str:
    """An episode with doors by chance, as the template writes it."""
    session = CorridorSession("")
    messages = [{"role": "user", "content": f"Out. {session.observation}"}]
    for _ in range(LIMIT):
        door = rng.choice("ab")
        session.path += door
        messages += [
            {"role": "assistant", "content": f"open {door}"},
            {"role": "user", "content": session.observation},
        ]
    text: str = tokenizer.apply_chat_template(messages[:-1], tokenize=False)
    return text
