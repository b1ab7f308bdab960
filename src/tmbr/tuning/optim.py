"""Muon for the matrices, AdamW for everything else, as one optimiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class MuonAdamW(torch.optim.Optimizer):
    """Muon on the 2-D matrices of the blocks; AdamW on embeddings, head, norms and biases.

    Muon's update is scaled to AdamW's root mean square (Liu et al., 2025, arXiv 2502.16982), so one
    learning rate serves both. Weight decay is for matrices only. beside: groups of other parameters,
    for AdamW.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        lr: float,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.95),
        beside: Sequence[dict[str, Any]] = (),
    ) -> None:
        matrices, rest = muon_groups(model)
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(
                matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
            ),
            torch.optim.AdamW([{"params": rest}, *beside], lr=lr, betas=betas, weight_decay=0.0),
        ]
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        self._share()

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = closure() if closure is not None else None
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share()

    def _share(self) -> None:
        """A schedule sets rates here, the parts read them: these must be the same groups."""
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def muon_groups(
    model: PreTrainedModel,
) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """Trainable parameters: matrices of the blocks, and all others."""
    ends = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, torch.nn.Embedding) or module is model.get_output_embeddings()  # type: ignore[no-untyped-call]
        for parameter in module.parameters()
    }
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [p for p in trained if p.ndim == 2 and id(p) not in ends]
    chosen = {id(p) for p in matrices}
    return matrices, [p for p in trained if id(p) not in chosen]
