"""Which engine serves a search best? Ours, continuous batching, CTranslate2, or `generate`.

    python -m benchmarks.engines

The embedded model answers the same prompts in each, greedily, 30 tokens each: 32 prompts of their own,
and 8 branches of 24 tokens on one prompt of 600 words. Then a tree of conversations is grown in ours,
and what was computed of its prompts is held against their distinct tokens. CTranslate2 is left out if
it is not installed. Writes benchmarks/results/engines.json.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from benchmarks.rows import RESULTS, Row, row, verdict, write
from tmbr.core.types import Completion, Context, Message, Sampling
from tmbr.models.local import LocalModel

Prompts = Sequence[Sequence[int]]
NANO = str(files("tmbr") / "assets" / "nano")
PROMPTS, LENGTH, NEW = 32, 300, 30
PREFIX, BRANCHES, BRANCH = 600, 8, 24
WORDS = "go to shelf 1 . you see a mug 2 , an apple 3 and a plate 1 .".split()  # noqa: SIM905


def main() -> None:
    texts = [_text(random.Random(seed), LENGTH) for seed in range(PROMPTS)]
    rows = [*_throughput(texts), *_branches(), *asyncio.run(_tree())]
    write(RESULTS / "engines.json", rows)
    verdict(rows)


def _throughput(texts: Sequence[str]) -> list[Row]:
    """Tokens a second of each engine on prompts of their own."""
    asked = [Context(Message("user", text)) for text in texts]
    tokens = _encoded(asked)
    model = AutoModelForCausalLM.from_pretrained(NANO).eval()
    slow = _speed(lambda: _generated(model, tokens[:8], NEW))
    one_by_one = "`generate`, one prompt at a time"
    rows = [row(one_by_one, slow, "tokens/s")]

    def beside(name: str, speed: float) -> Row:
        return row(name, speed, "tokens/s", None, one_by_one, slow)

    batched = _speed(lambda: _continuous(model, tokens))
    rows.append(beside("transformers' continuous batching, 32 prompts", batched))
    if converted := _converted():
        other = _speed(lambda: _ct2(converted, tokens))
        rows.append(beside("CTranslate2, 32 prompts in a batch", other))
    served = LocalModel.load(NANO, device="cpu", dtype="float32", cache_bytes=0)
    ours = _speed(lambda: asyncio.run(_ours(served, asked, 1, NEW)))
    asyncio.run(served.aclose())
    rows.append(beside("ours, 32 prompts at once", ours))
    return rows


def _branches() -> list[Row]:
    """Seconds of 8 branches on one prefix, in one call and in 8."""
    context = Context(Message("user", _text(random.Random(99), PREFIX)))
    model = AutoModelForCausalLM.from_pretrained(NANO).eval()
    tokens = _encoded([context])
    calls = _seconds(lambda: _generated(model, list(tokens) * BRANCHES, BRANCH))
    served = LocalModel.load(NANO, device="cpu", dtype="float32", cache_bytes=0)
    once = _seconds(lambda: asyncio.run(_ours(served, [context], BRANCHES, BRANCH)))
    asyncio.run(served.aclose())
    told = f"{BRANCHES} calls of `generate`"
    name = f"ours, {BRANCHES} branches of {BRANCH} on {len(tokens[0])} tokens"
    return [row(name, once, "s", ">= 3.5x", told, calls)]


async def _tree() -> list[Row]:
    """Prompt tokens computed while 16 conversations branch and grow, over those that differ."""
    model = LocalModel.load(NANO, device="cpu", dtype="float32")
    prompts: list[tuple[int, ...]] = []
    made: list[Completion] = []
    decoded: set[tuple[int, ...]] = set()

    async def grown(seed: int) -> None:
        rng = random.Random(seed)
        heads = [Context(Message("system", _text(random.Random(0), 200))).then(_said(rng, 60))]
        for turn in range(6):
            context = rng.choice(heads[-3:])
            answers = await model.complete(
                context, (), 4, Sampling(0.8, max_tokens=20), seed * 99 + turn
            )
            prompt = tuple(model._encoder.encode(context, ()))
            prompts.append(prompt)
            made.extend(answers)
            for answer in answers:
                ids = answer.token_ids
                decoded.update((*prompt, *ids[: end + 1]) for end in range(len(ids)))
            for answer in answers[:2]:
                heads.append(context.then(answer.message(), answer.token_ids).then(_said(rng, 20)))

    await asyncio.gather(*(grown(seed) for seed in range(16)))
    await model.aclose()
    prefixes = {prompt[: end + 1] for prompt in prompts for end in range(len(prompt))}
    distinct = len(prefixes - decoded)  # what was decoded once is not computed again
    computed = sum(answer.usage.prefill for answer in made)
    asked = sum(len(prompt) for prompt in prompts)
    name = f"ours, a tree of {len(prompts)} prompts: computed over distinct tokens"
    return [
        row(name, computed / distinct, bar="<= 1.1"),
        row("the same: computed over asked", computed / asked),
    ]


def _encoded(asked: Sequence[Context]) -> Prompts:
    tokenizer = AutoTokenizer.from_pretrained(NANO)
    texts = [[{"role": m.role, "content": m.content} for m in context.messages()] for context in asked]
    return [
        list(
            tokenizer.apply_chat_template(t, add_generation_prompt=True, return_dict=True)["input_ids"]
        )
        for t in texts
    ]


def _generated(model: Any, tokens: Prompts, new: int) -> int:
    config = GenerationConfig(max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0)
    made = 0
    for prompt in tokens:
        out = model.generate(torch.tensor([list(prompt)]), generation_config=config)
        made += out.shape[1] - len(prompt)
    return made


def _continuous(model: Any, tokens: Prompts) -> int:
    config = GenerationConfig(max_new_tokens=NEW, do_sample=False, eos_token_id=-1, pad_token_id=0)
    out = model.generate_batch([list(p) for p in tokens], generation_config=config, progress_bar=False)
    return sum(len(found.generated_tokens) for found in out.values())


def _converted() -> Any:
    """CTranslate2's generator for the same weights; None where it is not installed."""
    try:
        import ctranslate2
        from ctranslate2.converters import TransformersConverter
    except ImportError:
        return None
    folder = tempfile.mkdtemp()
    TransformersConverter(NANO).convert(folder, force=True)
    config = Path(folder, "config.json")  # the tokenizer has no unknown token, which must have a name
    told = json.loads(config.read_text()) | {"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}
    config.write_text(json.dumps(told))
    return ctranslate2.Generator(folder, device="cpu", intra_threads=torch.get_num_threads())


def _ct2(generator: Any, tokens: Prompts) -> int:
    tokenizer = AutoTokenizer.from_pretrained(NANO)
    words = [tokenizer.convert_ids_to_tokens(list(prompt)) for prompt in tokens]
    out = generator.generate_batch(
        words, max_length=NEW, min_length=NEW, sampling_topk=1, include_prompt_in_result=False
    )
    return sum(len(found.sequences_ids[0]) for found in out)


async def _ours(model: LocalModel, asked: Sequence[Context], n: int, new: int) -> int:
    """Without the cache of prefixes, so that a second run computes all of it again."""
    sampling = Sampling(0.0 if n == 1 else 1.0, max_tokens=new)
    answers = await asyncio.gather(*(model.complete(c, (), n, sampling, 0) for c in asked))
    return sum(answer.usage.generated for found in answers for answer in found)


def _speed(do: Callable[[], int]) -> float:
    do()
    begun = time.perf_counter()
    made = do()
    return made / (time.perf_counter() - begun)


def _seconds(do: Callable[[], int]) -> float:
    do()
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def _said(rng: random.Random, words: int) -> Message:
    return Message("user", _text(rng, words))


if __name__ == "__main__":
    main()
