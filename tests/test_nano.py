"""The embedded base, as it is shipped."""

from __future__ import annotations

import asyncio
import hashlib
from importlib.resources import files
from pathlib import Path

from tmbr.core.types import Context, Sampling
from tmbr.models.local import LocalModel
from tmbr.tasks.household import Household

NANO = Path(str(files("tmbr") / "assets" / "nano"))


def test_the_files_are_those_that_the_recipe_wrote() -> None:
    listed = dict(line.split()[::-1] for line in (NANO / "SHA256SUMS").read_text().splitlines())
    there = {path.name for path in NANO.iterdir()} - {"SHA256SUMS"}
    assert there == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((NANO / name).read_bytes()).hexdigest() == digest, name
    assert {"README.md", "log.jsonl"} <= there
    assert sum((NANO / name).stat().st_size for name in there) <= 16 * 2**20


def test_the_base_speaks_the_prompts_form_but_makes_no_experts_decision() -> None:
    """It writes Thought and Action lines, without the words of the expert."""
    task = Household()
    sample = task.samples("validation")[0]
    messages = task.messages(sample, task.open(sample).observation)
    model = LocalModel.load(str(NANO), device="cpu")
    said = asyncio.run(model.complete(Context(messages[0]), (), 4, Sampling(1.0, max_tokens=60), 0))
    asyncio.run(model.aclose())
    assert sum("\nAction: " in completion.text for completion in said) >= 3
    assert all("I need" not in completion.text for completion in said)
