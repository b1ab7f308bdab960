"""Supervised tokens a second of SFT, all on the same episodes and one model of nano's size:
`python -m benchmarks.tune [EPISODES]`.

The schemes take turns, so that what else the machine does meets all alike; each is told by its median.

- tmbr: `tmbr tune sft` as it is;
- the seed's: one turn a row, 512 + 512 tokens, cut and padded, logits of every position;
- TRL: SFTTrainer by itself with rows made by us, in the best of several settings;
- bare: a loop of PyTorch that does no more than it must, the limit.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.rows import RESULTS, Row, row, verdict, write
from tmbr.cli.build import model_path
from tmbr.core.rows import read_rows, rows, write_rows
from tmbr.core.store import read_traces
from tmbr.tuning.base import load_base
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import IGNORED, ChatTemplate, Encoded, Example, encode

TRACES = Path("runs/quickstart/teacher/traces.jsonl")
EPISODES = 500
ROUNDS = 3
BATCH = 6
SIDE = 512
Scheme = Callable[[], tuple[int, float]]


def episodes(folder: Path) -> tuple[Any, Encoded, list[Any]]:
    """nano's template, and the rows of 500 solved episodes, as tokens and as they are."""
    traces = TRACES
    if not traces.exists():
        from tmbr import cli

        out = folder / "collected"
        asked = ["--model", "noisy-expert:0.1:slips", "--out", str(out), f"samples={EPISODES + 50}"]
        assert cli.run(["collect", *asked]) == 0
        traces = out / "traces.jsonl"
    write_rows(folder / "rows.jsonl", rows(read_traces(traces)))
    content = read_rows(folder / "rows.jsonl")[:EPISODES]
    _, tokenizer = load_base(model_path("nano"), torch.float32)
    template = ChatTemplate(tokenizer)
    return template, encode(content, template, 1280), content


def taken(encoded: Encoded, count: int) -> Encoded:
    """Every so-manyth example, so that lengths are those of all."""
    step = len(encoded.examples) // count
    return Encoded(encoded.examples[::step][:count], encoded.ids[::step][:count])


def supervised(examples: Sequence[Example]) -> int:
    return sum(label != IGNORED for example in examples for label in example.labels)


def ours(template: Any, encoded: Encoded, folder: Path, **settings: Any) -> Scheme:
    """Our trainer, with what it does around a step: batches, schedule, clipping, metrics."""
    from tmbr.tuning import sft

    common = {"dtype": "fp32", "epochs": 1, "batch_size": BATCH, "eval_fraction": 0, "method": "full"}
    config = SftConfig(model=model_path("nano"), max_length=1280, **common, **settings)

    def run() -> tuple[int, float]:
        model, _ = load_base(config.model, torch.float32)
        trainer, clock = sft.make_trainer(config, model, template, encoded, folder)
        return supervised(encoded.examples), timed(trainer.train, clock.stop)

    return run


def trl(template: Any, encoded: Encoded, folder: Path, **settings: Any) -> Scheme:
    """TRL's trainer on the same tokens and labels, its own collator and loss."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig as TrlConfig
    from trl import SFTTrainer

    def run() -> tuple[int, float]:
        model, _ = load_base(model_path("nano"), torch.float32)
        given = {"max_length": None, "dataset_kwargs": {"skip_prepare_dataset": True}, **settings}
        columns = {
            "input_ids": [example.input_ids for example in encoded.examples],
            "labels": [example.labels for example in encoded.examples],
        }
        trainer = SFTTrainer(
            model=model,
            args=TrlConfig(
                output_dir=str(folder),
                per_device_train_batch_size=BATCH,
                num_train_epochs=1,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                bf16=False,
                **given,
            ),
            train_dataset=Dataset.from_dict(columns),
            processing_class=template.tokenizer,
        )
        trainer.remove_callback(PrinterCallback)
        return supervised(encoded.examples), timed(trainer.train)

    return run


def seed(template: Any, content: Sequence[Any], turns: int) -> Scheme:
    """One turn a row, the prompt's last 512 tokens and the answer's first, padded to both; as many
    turns as the others have episodes, for each takes it as long."""
    from tmbr.core.rows import Row as Line

    examples: list[tuple[list[int], list[int]]] = []
    for line in content:
        for index, turn in enumerate(line.turns):
            if turn.loss > 0 and len(examples) < turns:
                context = tuple(type(turn)(earlier.message) for earlier in line.turns[:index])
                ((example,),) = template.parts(Line(line.id, (*context, turn), line.tools), 100_000)
                start = next(i for i, label in enumerate(example.labels) if label != IGNORED)
                prompt, answer = example.input_ids[:start][-SIDE:], example.input_ids[start:][:SIDE]
                examples.append((prompt, answer))

    def run() -> tuple[int, float]:
        model, _ = load_base(model_path("nano"), torch.float32)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4)

        def train() -> None:
            for at in range(0, len(examples), BATCH):
                ids = torch.zeros(BATCH, 2 * SIDE, dtype=torch.long)
                mask, labels = torch.zeros_like(ids), torch.full_like(ids, IGNORED)
                for place, (prompt, answer) in enumerate(examples[at : at + BATCH]):
                    whole = torch.tensor(prompt + answer)
                    ids[place, : len(whole)] = whole
                    mask[place, : len(whole)] = 1
                    labels[place, : len(whole)] = whole  # the prompt too
                model(
                    input_ids=ids, attention_mask=mask, labels=labels, use_cache=False
                ).loss.backward()
                update(model, optimizer)

        return sum(len(answer) for _, answer in examples), timed(train)

    return run


def bare(encoded: Encoded) -> Scheme:
    """Length-grouped batches, logits where there are labels, AdamW; no trainer around it."""
    by_length = sorted(encoded.examples, key=lambda example: -len(example.input_ids))
    batches = [by_length[at : at + BATCH] for at in range(0, len(by_length), BATCH)]

    def run() -> tuple[int, float]:
        model: Any = load_base(model_path("nano"), torch.float32)[0]
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4)

        def train() -> None:
            for batch in batches:
                ids = pad([example.input_ids for example in batch], 0)
                labels = pad([example.labels for example in batch], IGNORED)[:, 1:]
                kept = labels != IGNORED
                mask = pad([[1] * len(example.input_ids) for example in batch], 0)
                hidden = model.model(input_ids=ids, attention_mask=mask, use_cache=False)
                logits = model.lm_head(hidden.last_hidden_state[:, :-1][kept])
                torch.nn.functional.cross_entropy(logits, labels[kept]).backward()
                update(model, optimizer)

        model.train()
        return supervised(encoded.examples), timed(train)

    return run


def pad(lists: Sequence[list[int]], value: int) -> torch.Tensor:
    tensors = [torch.tensor(one) for one in lists]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)


def update(model: Any, optimizer: torch.optim.Optimizer) -> None:
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


def timed(work: Callable[[], Any], after: Callable[[], None] = lambda: None) -> float:
    """Seconds of the processor: what others do on the machine is not counted."""
    began = time.process_time()
    work()
    seconds = time.process_time() - began
    after()
    return seconds


def measure(schemes: dict[str, Scheme], rounds: int) -> dict[str, float]:
    """Median of supervised tokens a second, the schemes one after another in each round."""
    rates: dict[str, list[float]] = {name: [] for name in schemes}
    for _ in range(rounds):
        for name, run in schemes.items():
            tokens, seconds = run()
            rates[name].append(tokens / seconds)
    return {name: statistics.median(found) for name, found in rates.items()}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EPISODES
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        template, whole, content = episodes(folder)
        some = taken(whole, count)
        grouped = {"train_sampling_strategy": "group_by_length"}
        found = measure(
            {
                "tmbr": ours(template, some, folder),
                "tmbr, packed": ours(template, some, folder, packing=True),
                "seed's": seed(template, content[:: len(content) // count], count),
                "TRL": trl(template, some, folder),
                "TRL, by length": trl(template, some, folder, **grouped),
                "TRL, padding-free": trl(template, some, folder, padding_free=True),
                "bare": bare(some),
            },
            ROUNDS,
        )
    table = [row("SFT, episodes", count), *rates(found)]
    write(RESULTS / "tune.json", table)
    verdict(table)


def rates(found: dict[str, float]) -> list[Row]:
    best = max((name for name in found if name.startswith("TRL")), key=lambda name: found[name])
    beside = {
        "seed's": ("the seed's scheme", ">= 3x"),
        best: (f"the best of TRL ({best})", ">= 1.0x"),
        "bare": ("a bare loop", ">= 0.85x"),
    }
    unit = "tokens/s"
    table = [row(f"SFT, {name}", rate, unit) for name, rate in found.items()]
    for name, (reference, bar) in beside.items():
        table.append(row("SFT, tmbr", found["tmbr"], unit, bar, reference, found[name]))
    return table


if __name__ == "__main__":
    main()
