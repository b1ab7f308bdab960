"""What `tmbr tune plan` computes beside what a process really takes: `python -m benchmarks.plan`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.rows import RESULTS, Row, row, verdict, write

#: A model large enough for its tensors to dwarf all else, small enough for a CPU.
SHAPE = {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 6}
SETTINGS: dict[str, dict[str, Any]] = {
    "full": {"method": "full"},
    "full, checkpointing": {"method": "full", "gradient_checkpointing": True, "batch_size": 4},
    "LoRA": {"method": "lora", "batch_size": 4},
    "LoRA, checkpointing": {"method": "lora", "gradient_checkpointing": True, "batch_size": 8},
}
COMMON = {"dtype": "fp32", "batch_size": 2, "max_length": 256, "eval_fraction": 0, "epochs": 1}

#: Trains a few updates and prints the peak of its memory over what it held before it loaded the model.
MEASURED = """
import json, sys, tempfile
from pathlib import Path
import torch
from transformers import AutoTokenizer
from tmbr.tuning import sft
from tmbr.tuning.config import SftConfig
from tmbr.tuning.masks import ChatTemplate, Encoded, Example
from tmbr.tuning.setup import base_model

torch.set_num_threads(1)

def held(key):
    lines = dict(line.split(":") for line in open("/proc/self/status"))
    return 1024 * int(lines[key].split()[0])

def train(config):
    model, tokenizer = base_model(config)
    ids = list(range(100, 100 + config.max_length))
    example = Example(ids, [-100, *ids[1:]], [0.0] + [1.0] * (len(ids) - 1), 1)
    rows = Encoded([example] * 3 * config.batch_size, [str(n) for n in range(3 * config.batch_size)])
    with tempfile.TemporaryDirectory() as out:
        trainer, clock = sft.make_trainer(config, model, ChatTemplate(tokenizer), rows, Path(out))
        trainer.train()
        clock.stop()

small, real = (SftConfig.model_validate_json(text) for text in sys.argv[1:])
train(small)  # what is imported and set up only once
before = held("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
train(real)
print(json.dumps(held("VmHWM") - before))
"""


def measure(small: Path, model: Path, settings: dict[str, Any]) -> tuple[int, int]:
    """Bytes planned, and bytes that a process takes."""
    from tmbr.tuning.config import SftConfig
    from tmbr.tuning.plan import plan

    config = SftConfig(model=str(model), **{**COMMON, **settings})
    warm = config.model_copy(update={"model": str(small)})
    # Every larger block by itself, so that freed memory is given back at once.
    kept = {"MALLOC_MMAP_THRESHOLD_": "16384", "MALLOC_MMAP_MAX_": "1000000", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, warm.model_dump_json(), config.model_dump_json()],
        env={**os.environ, **kept},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return plan(config, on_cpu=True).bytes, json.loads(done.stdout.splitlines()[-1])


def models(folder: Path) -> tuple[Path, Path]:
    """A tiny model, and one of `SHAPE` with random weights."""
    from tests.support import tiny
    from transformers import LlamaConfig, LlamaForCausalLM

    small = tiny.write(folder / "small")
    shape = LlamaConfig(vocab_size=8192, num_attention_heads=8, tie_word_embeddings=True, **SHAPE)
    LlamaForCausalLM(shape).save_pretrained(folder / "model")
    tiny.tokenizer().save_pretrained(folder / "model")
    return small, folder / "model"


def main() -> None:
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        small, model = models(Path(folder))
        for name, settings in SETTINGS.items():
            planned, taken = measure(small, model, settings)
            found.append(row(f"{name}: planned", planned / 2**20, "MiB"))
            found.append(row(f"{name}: taken", taken / 2**20, "MiB"))
            found.append(row(f"{name}: error", abs(planned / taken - 1), "share", "<= 0.15"))
    write(RESULTS / "plan.json", found)
    verdict(found)


if __name__ == "__main__":
    main()
