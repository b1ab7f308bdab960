"""What a killed run goes on from: trained weights and optimiser after a round, whole or not at all.

Imported only from inside a run: PyTorch takes seconds.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tmbr.tuning import ranks
from tmbr.tuning.checkpoints import DAMAGED, KEPT_CHECKPOINTS, Diverged, damaged
from tmbr.tuning.policy.learner import Learner
from tmbr.tuning.whole import whole

WEIGHTS, OPTIMISER = "trained.safetensors", "optimiser.pt"


def save(folder: Path, learner: Learner, round: int) -> None:
    """Write `folder/round-N` and drop all but the last two. Raises Diverged or DataError."""
    weights = _trained(learner)
    check(weights, round)
    with whole(folder / f"round-{round:05d}") as aside:
        if ranks.first():
            _write(aside / WEIGHTS, weights)
            torch.save(learner.state_dict(), aside / OPTIMISER)
    if ranks.first():
        for old in _rounds(folder)[:-KEPT_CHECKPOINTS]:
            shutil.rmtree(old)


def resume(folder: Path, learner: Learner) -> int:
    """Load the newest checkpoint; returns its round, 0 where there is none. Raises DataError."""
    found = _rounds(folder)
    if not found:
        return 0
    try:
        load_weights(found[-1] / WEIGHTS, learner)
        learner.load_state_dict(torch.load(found[-1] / OPTIMISER, weights_only=True))
    except DAMAGED as error:
        raise damaged(found[-1], error) from None
    return int(found[-1].name.removeprefix("round-"))


def save_best(path: Path, learner: Learner) -> None:
    with whole(path) as aside:
        if ranks.first():
            _write(aside / WEIGHTS, _trained(learner))


def load_weights(path: Path, learner: Learner) -> None:
    stored, weights = load_file(path), _trained(learner)
    with torch.no_grad():
        for name, value in stored.items():
            weights[name].copy_(value)


def check(weights: dict[str, Any], round: int) -> None:
    """Raises Diverged for the first that is no number."""
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            raise Diverged(
                f"{name} is not finite after round {round}; lower learning_rate or set dtype: fp32"
            )


def _trained(learner: Learner) -> dict[str, Any]:
    return learner.networks.actor_weights | learner.networks.critic_weights


def _write(path: Path, weights: dict[str, Any]) -> None:
    save_file({name: value.detach().cpu().contiguous() for name, value in weights.items()}, path)


def _rounds(folder: Path) -> list[Path]:
    return sorted(folder.glob("round-*")) if folder.is_dir() else []
