"""Models with attention of another kind: one prompt at a time, in the model's own cache."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel


class Own:
    """The `Decoder` for sliding windows, recurrent layers and whatever else transformers has."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.width = 1
        self._cache: object | None = None

    def rows(self, max_batch: int, width: int) -> int:  # noqa: ARG002
        return 1

    def logits(self, tokens: Sequence[int], keep: int) -> tuple[Tensor, int]:
        ids = torch.tensor([list(tokens)], device=self.model.device)
        return self.model(input_ids=ids, use_cache=False).logits[0, -keep:], len(tokens)

    def read(self, prompts: Sequence[Sequence[int]]) -> tuple[Tensor, list[int]]:
        logits = [self.logits(tokens, 1)[0] for tokens in prompts]
        return torch.cat(logits), [len(tokens) for tokens in prompts]

    def admit(
        self,
        prompts: Sequence[Sequence[int]],
        width: int,
        room: int,  # noqa: ARG002
    ) -> tuple[Tensor, list[int]]:
        (tokens,) = prompts
        self.width = width
        ids = torch.tensor([list(tokens)] * width, device=self.model.device)
        out = self.model(input_ids=ids, use_cache=True)
        self._cache = out.past_key_values
        return out.logits[:1, -1], [len(tokens)]

    def step(self, tokens: Tensor) -> Tensor:
        ids = tokens.view(-1, 1).to(self.model.device)
        out = self.model(input_ids=ids, past_key_values=self._cache, use_cache=True)
        logits: Tensor = out.logits
        return logits.view(1, self.width, -1)

    def retire(self, row: int, tokens: Sequence[int], drawn: Sequence[Sequence[int]]) -> None:  # noqa: ARG002
        self._cache = None

    def reset(self) -> None:
        self._cache = None
