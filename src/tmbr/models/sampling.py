"""Draw tokens so that a sequence's result depends on nothing else in its batch."""

from __future__ import annotations

import torch
from torch import Tensor

from tmbr.core.types import derive_seed


def noise(seed: int, n: int, length: int, temperature: float) -> list[list[float]]:
    """One uniform number in [0, 1) for each candidate and position, from (seed, candidate)."""
    if temperature == 0:  # greedy asks for none
        return [[0.0] * length] * n
    rows = []
    for index in range(n):
        generator = torch.Generator().manual_seed(derive_seed(seed, index))
        rows.append(torch.rand(length, generator=generator, dtype=torch.float64).tolist())
    return rows


def draw(
    logits: Tensor, temperature: Tensor, top_p: Tensor, uniform: Tensor, allowed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Tokens and their log-probabilities under the untempered distribution.

    logits: [rows, n, vocabulary]; temperature, top_p: [rows, 1]; uniform: [rows, n], float64; allowed:
    as logits, the tokens from which is drawn, None for all. A row of temperature 0 is greedy. Inverse
    transform sampling in the vocabulary's order, summed in float64: a rounding difference of the logits
    moves a boundary by as little, wherever the sequence runs.

    The log-probabilities are the model's own, before anything was barred: what it had to be made to say
    is unlikely, and whoever reads confidence from them sees it.
    """
    logprobs = logits.float().log_softmax(-1)
    open_to = logprobs if allowed is None else logprobs.masked_fill(~allowed, -torch.inf)
    tokens = open_to.argmax(-1)
    if bool((temperature > 0).any()):
        heat = temperature.clamp_min(1e-6)[..., None]
        probabilities = (open_to / heat).softmax(-1)
        if bool((top_p < 1).any()):
            probabilities = _nucleus(probabilities, top_p[..., None])
        mass = probabilities.cumsum(-1, dtype=torch.float64)
        drawn = torch.searchsorted(mass, (uniform * mass[..., -1])[..., None], right=True)
        drawn = drawn.squeeze(-1).clamp_max(mass.shape[-1] - 1)
        tokens = torch.where(temperature > 0, drawn, tokens)
    return tokens, logprobs.gather(-1, tokens[..., None]).squeeze(-1)


def _nucleus(probabilities: Tensor, top_p: Tensor) -> Tensor:
    """Zero all but the most probable tokens that together reach `top_p` (Holtzman et al., 2020)."""
    ordered = probabilities.sort(-1, descending=True).values
    before = ordered.cumsum(-1) - ordered
    least = ordered.masked_fill(before >= top_p, 1.0).amin(-1, keepdim=True)
    return probabilities.masked_fill(probabilities < least, 0.0)
