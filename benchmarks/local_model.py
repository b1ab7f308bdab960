"""The local model beside transformers' own `generate`: tokens a second of concurrent episodes.

    python -m benchmarks.local_model

A random LLaMA of the embedded model's shape plays conversations that grow turn by turn, as episodes do.
The reference answers the same prompts one by one with `model.generate`, which fills its cache anew each
time. Writes benchmarks/results/local_model.json.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# For both sides: on a machine that is not idle, threads that spin while they wait slow each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
import transformers
from tests.support import tiny
from transformers import AutoModelForCausalLM

from benchmarks.rows import RESULTS, Row, row, verdict, write
from tmbr.core.types import Completion, Context, Message, Sampling
from tmbr.models.local import LocalModel

REFERENCE = f"transformers {transformers.__version__} generate, one prompt at a time"
TURNS, NEW = 10, 30
WORDS = " ".join(tiny.CORPUS).split()


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt of an episode, and what was answered."""

    prompt: tuple[int, ...]
    answers: list[Completion]


def main() -> None:
    """Measure, print the table, write the rows, and fail where a bar is missed."""
    with tempfile.TemporaryDirectory() as made:
        folder = tiny.write(Path(made), hidden=256, heads=8, kv_heads=4, vocabulary=2048, context=4096)
        rows = [
            found
            for episodes, n, bar in ((64, 1, 8), (32, 1, 5), (16, 4, 8), (1, 1, 1))
            for found in measured(folder, episodes, n, f">= {bar}x")
        ]
    write(RESULTS / "local_model.json", rows)
    verdict(rows)


def measured(folder: Path, episodes: int, n: int, bar: str) -> list[Row]:
    """Rows of one setting: speed beside the reference, and the share of prefill."""
    begun = time.perf_counter()
    asked = asyncio.run(_play(folder, episodes, n))
    took = time.perf_counter() - begun
    answers = [answer for each in asked for answer in each.answers]
    speed = sum(answer.usage.generated for answer in answers) / took
    prefill = sum(a.usage.prefill for a in answers) / sum(a.usage.prompt for a in answers)
    slow = _generate(folder, random.Random(0).sample(asked, min(len(asked), 24 // n)), n)
    name = f"local model: {episodes} episodes, {n} candidate{'s' if n > 1 else ''}"
    return [
        row(f"{name}: generated", speed, "tokens/s", bar, REFERENCE, slow),
        row(f"{name}: prompt tokens computed", 100 * prefill, "%", "<= 25"),
    ]


async def _play(folder: Path, episodes: int, n: int) -> list[Asked]:
    model = LocalModel.load(str(folder), max_batch=max(64, episodes * n))
    played = await asyncio.gather(*(_episode(model, seed, n) for seed in range(episodes)))
    await model.aclose()
    return [asked for episode in played for asked in episode]


async def _episode(model: LocalModel, seed: int, n: int) -> list[Asked]:
    rng, asked = random.Random(seed), []
    context = Context(Message("system", _text(rng, 80))).then(Message("user", _text(rng, 80)))
    for turn in range(TURNS):
        answers = await model.complete(context, (), n, Sampling(1.0, max_tokens=NEW), seed * 100 + turn)
        asked.append(Asked(model._encoder.encode(context, ()), answers))
        chosen = answers[rng.randrange(n)]
        context = context.then(chosen.message(), chosen.token_ids)
        context = context.then(Message("user", _text(rng, 20)))
    return asked


def _generate(folder: Path, asked: list[Asked], n: int) -> float:
    """Tokens a second of the reference on these prompts."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    made, begun = 0, time.perf_counter()
    for each in asked:
        prompt = torch.tensor([each.prompt])
        out = model.generate(
            prompt, max_new_tokens=NEW, do_sample=True, num_return_sequences=n, pad_token_id=0
        )
        made += out.shape[0] * (out.shape[1] - len(each.prompt))
    return made / (time.perf_counter() - begun)


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


if __name__ == "__main__":
    main()
