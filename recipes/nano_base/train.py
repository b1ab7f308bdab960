"""Pretrain the embedded base model from nothing: `python recipes/nano_base/train.py --minutes 100`.

A LLaMA of a few million parameters learns the household's language, general text and practice
exercises (play.py, prose.py, drills.py). Resumable: the same command goes on after a kill.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch
from drills import PLACES, THINGS, Turns, practice
from play import play
from prose import prose
from tokens import END, render, train_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tmbr.tasks.household import Household

SHARES = {"play": 0.35, "practice": 0.5, "prose": 0.15}
LONGEST = 1280
STEP = 32
#: Share of what others say that is trained on, and weight of commands in aimless play: both are drawn
#: at random, so that there is little to learn from them.
HEARD = 0.1
AIMLESS = 0.2


def document(rng: Random, task: Household) -> Turns:
    source = rng.choices(list(SHARES), list(SHARES.values()))[0]
    if source == "play":
        return play(rng, task)
    return practice(rng) if source == "practice" else prose(rng)


Row = tuple[list[int], list[float]]


def encode(turns: Turns, tokenizer: PreTrainedTokenizerFast, rng: Random) -> Row:
    """Token ids and the weight of each in the loss; which heard tokens are trained on is drawn."""
    ids: list[int] = []
    weights: list[float] = []
    for role, text in turns:
        head = tokenizer.convert_tokens_to_ids(f"<|{role}|>")
        ids.append(head)
        weights.append(0.0)
        for part, weight in weighted(role, text + END):
            body = tokenizer(part, add_special_tokens=False)["input_ids"]
            ids += body
            heard = weight == HEARD
            weights += [float(rng.random() < HEARD) if heard else weight for _ in body]
    return ids[:LONGEST], weights[:LONGEST]


def weighted(role: str, text: str) -> list[tuple[str, float]]:
    """A turn in parts of equal weight; a command of aimless play weighs little."""
    if role not in ("assistant", "text"):
        return [(text, HEARD)]
    thought, action, command = text.partition("\nAction:")
    return [(thought + action, 1.0), (command, AIMLESS)] if action else [(text, 1.0)]


def batches(seed: int, tokenizer: PreTrainedTokenizerFast, tokens: int) -> Iterator[list[Row]]:
    """Batches of rows of like length, `tokens` padded tokens each, forever.

    Lengths are rounded up to a multiple of STEP and each length has its own pool, so that few shapes
    occur: a CPU prepares its kernels once per shape.
    """
    rng = Random(seed)
    task = Household()
    pools: dict[int, list[Row]] = {}
    while True:
        row = encode(document(rng, task), tokenizer, rng)
        length = -(-len(row[0]) // STEP) * STEP
        pool = pools.setdefault(length, [])
        pool.append(row)
        if len(pool) == max(1, tokens // length):
            yield pools.pop(length)


def feed(queue: multiprocessing.Queue, seed: int, folder: Path, tokens: int) -> None:
    torch.set_num_threads(1)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    for batch in batches(seed, tokenizer, tokens):
        queue.put(batch)


def tensors(batch: list[Row], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """ids (rows, longest) padded right with 0, weights of the same shape."""
    longest = -(-max(len(ids) for ids, _ in batch) // STEP) * STEP
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    weights = torch.zeros(len(batch), longest)
    for index, (row, weight) in enumerate(batch):
        ids[index, : len(row)] = torch.tensor(row)
        weights[index, : len(row)] = torch.tensor(weight)
    return ids.to(device), weights.to(device)


def loss_of(model: LlamaForCausalLM, ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean cross-entropy in nats. Right padding needs no mask under causal attention.

    Only positions that carry loss are projected to the vocabulary.
    """
    trained = weights[:, 1:] > 0
    with torch.autocast(ids.device.type, dtype=torch.bfloat16):
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[trained]).float()
    losses = torch.nn.functional.cross_entropy(logits, ids[:, 1:][trained], reduction="none")
    weight = weights[:, 1:][trained]
    return (losses * weight).sum() / weight.sum()


def build(args: argparse.Namespace, vocabulary: int) -> LlamaForCausalLM:
    torch.manual_seed(args.seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=args.hidden,
        intermediate_size=3 * args.hidden,
        num_hidden_layers=args.layers,
        num_attention_heads=args.heads,
        num_key_value_heads=args.kv_heads,
        head_dim=args.hidden // args.heads,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def optimizers(model: LlamaForCausalLM, args: argparse.Namespace) -> list[torch.optim.Optimizer]:
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        torch.optim.Muon(matrices, lr=args.lr_muon, weight_decay=0.01, momentum=0.95),
        torch.optim.AdamW(others, lr=args.lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def schedule(done: float) -> float:
    """Share of the learning rate at this share of the time: warm up, hold, fall from 60% on."""
    if done < 0.01:
        return 0.1 + 90 * done
    return 1.0 if done < 0.6 else max(0.02, 1.0 - (done - 0.6) / 0.4)


def check(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, device: str) -> dict[str, float]:
    """Share of held-out exercises whose last answer is right to the letter, teacher forced."""
    from drills import DRILLS

    found = {}
    model.eval()
    for function, _ in DRILLS:
        rows = [encode(function(Random(f"check {k}")), tokenizer, Random(k)) for k in range(40)]
        ids, _ = tensors(rows, device)
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
            guesses = model(input_ids=ids).logits.argmax(-1)
        right = 0
        head = tokenizer.convert_tokens_to_ids("<|assistant|>")
        for index, (row, _) in enumerate(rows):
            start = len(row) - 1 - row[::-1].index(head)
            right += guesses[index, start : len(row) - 1].tolist() == row[start + 1 :]
        found[function.__name__] = right / 40
    model.train()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/nano_base"))
    parser.add_argument("--minutes", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--kv-heads", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=6_000)
    parser.add_argument("--lr-muon", type=float, default=3e-3)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(args.out, args.seed)
    model = build(args, len(tokenizer)).to(device)
    train(model, tokenizer, args, device)


def load_tokenizer(folder: Path, seed: int) -> PreTrainedTokenizerFast:
    """The tokenizer of this run, made from its own data and from every name that a house may hold."""
    if not (folder / "tokenizer.json").exists():
        rng, task = Random(seed), Household()
        texts = [render(document(rng, task)) for _ in range(6_000)]
        names = [f" {kind} {n}" for kind in PLACES for n in range(1, 31)]
        names += [f" {kind} {n}" for kind in THINGS for n in range(1, 7)]
        train_tokenizer([*texts, *names * 50]).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def train(model: LlamaForCausalLM, tokenizer, args, device: str) -> None:
    opts = optimizers(model, args)
    base = [[group["lr"] for group in o.param_groups] for o in opts]
    state = {"step": 0, "seconds": 0.0, "tokens": 0}
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        for o, s in zip(opts, saved["optimizers"], strict=True):
            o.load_state_dict(s)
        state = saved["state"]
    queue: multiprocessing.Queue = multiprocessing.get_context("spawn").Queue(64)
    worker = multiprocessing.get_context("spawn").Process(
        target=feed, args=(queue, args.seed + 1000 * state["step"], args.out, args.tokens), daemon=True
    )
    worker.start()
    log = (args.out / "log.jsonl").open("a")
    total = args.minutes * 60
    last, saved_at, checked = time.monotonic(), state["seconds"], state["seconds"]
    smooth = float("nan")
    while state["seconds"] < total:
        ids, weights = tensors(queue.get(), device)
        for o, rates in zip(opts, base, strict=True):
            for group, rate in zip(o.param_groups, rates, strict=True):
                group["lr"] = rate * schedule(state["seconds"] / total)
        loss = loss_of(model, ids, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        now = time.monotonic()
        state["step"] += 1
        state["seconds"] += now - last
        state["tokens"] += int((weights > 0).sum())
        last = now
        value = loss.item()
        if not math.isfinite(value):
            raise SystemExit(
                f"loss is {value} at step {state['step']}; lower --lr-muon and start again"
            )
        smooth = value if math.isnan(smooth) else 0.98 * smooth + 0.02 * value
        if state["step"] % 100 == 0:
            row = {**state, "loss": round(smooth, 4)}
            if state["seconds"] - checked > 120:
                checked = state["seconds"]
                row |= check(model, tokenizer, device)
            log.write(json.dumps(row) + "\n")
            log.flush()
            print(json.dumps(row), flush=True)
        if state["seconds"] - saved_at > 120:
            saved_at = state["seconds"]
            aside = checkpoint.with_suffix(".tmp")
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizers": [o.state_dict() for o in opts],
                    "state": state,
                },
                aside,
            )
            aside.replace(checkpoint)
    row = {**state, "loss": round(smooth, 4), **check(model, tokenizer, device)}
    log.write(json.dumps(row) + "\n")
    print(json.dumps(row))
    model.save_pretrained(args.out / "model")
    tokenizer.save_pretrained(args.out / "model")
    worker.terminate()


if __name__ == "__main__":
    main()
