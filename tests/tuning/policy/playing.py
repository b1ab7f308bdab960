"""A sampler with a real engine, and networks of the tiny model, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support import corridor
from tmbr.cli.policy import GrpoRun, PpoRun, Worlds

PLAYED = {"rollouts": {"task": corridor.SPEC, "max_tokens": 12, "concurrency": 8}}
FAST = {"dtype": "fp32", "samples": 1, "batch_size": 4, "eval_fraction": 0, **PLAYED}


def ppo(base: Path, **settings: Any) -> PpoRun:
    full = {"method": "full", "layout": "shared"} if "method" not in settings else {}
    return PpoRun(model=str(base), **{**FAST, "episodes": 4, "rank": 4, **full, **settings})


def grpo(base: Path, **settings: Any) -> GrpoRun:
    return GrpoRun(model=str(base), **{**FAST, "method": "full", "group": 4, **settings})


def opened(config: Any, networks: Any, out: Path) -> Worlds:
    worlds = Worlds(config, out)
    worlds.open(networks.causal, networks.tokenizer)
    return worlds
