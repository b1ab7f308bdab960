"""A LLaMA-like model over packed tokens: no padding in its matrices, one key/value slab for decoding.

transformers lets a caller name the attention function and hands unknown keyword arguments down to it.
So the linear layers see one flat sequence [1, tokens, hidden] of whatever is to be computed, and the
attention function, given a `layout`, knows which tokens belong together.

Prefill: each prompt attends to its own past. Decoding: the n candidates of a prompt share one row of
the slab; each sees the prompt and its own tokens only, so the prompt is read once, not n times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from tmbr.models.prefixes import PrefixTree

ATTENTION = "tmbr_packed"
#: Tokens of one prefill call: bounds its activations.
PREFILL = 8192


class Layout(Protocol):
    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """query: [1, heads, tokens, head size] -> [1, tokens, heads, head size]."""
        ...


def _attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001
    *,
    scaling: float,
    layout: Layout,
    **_: Any,
) -> tuple[Tensor, None]:
    layer = module.layer_idx
    assert isinstance(layer, int)
    return layout.attend(layer, query, key, value, scaling), None


AttentionInterface.register(ATTENTION, _attention)


def supports(config: Any) -> bool:
    """Whether every layer is plain causal attention over all tokens, in the LLaMA way."""
    if config.model_type == "mistral":
        return config.sliding_window is None
    if config.model_type in ("qwen2", "qwen3"):
        return set(config.layer_types) == {"full_attention"}
    return bool(config.model_type == "llama")


class _Prompt:
    """One prompt in a prefill: past and new keys and values side by side."""

    def __init__(self, kv: Tensor, past: int) -> None:
        self.kv = kv  # [layers, 2, kv heads, length, head size]
        self.past = past
        self.length = kv.shape[-2]
        new = self.length - past
        self.mask = (
            torch.ones(new, self.length, dtype=torch.bool, device=kv.device).tril(past)
            if past
            else None
        )


class _Prefill:
    def __init__(self, prompts: Sequence[_Prompt]) -> None:
        self.prompts = prompts

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        groups = query.shape[1] // key.shape[1]
        done, out = 0, []
        for prompt in self.prompts:
            new = slice(done, done + prompt.length - prompt.past)
            kv = prompt.kv[layer]
            kv[0, :, prompt.past :] = key[0, :, new]
            kv[1, :, prompt.past :] = value[0, :, new]
            k, v = kv.repeat_interleave(groups, dim=1) if groups > 1 else kv
            attended = scaled_dot_product_attention(
                query[:, :, new], k[None], v[None], prompt.mask, is_causal=not prompt.past, scale=scale
            )
            out.append(attended)
            done = new.stop
        return torch.cat(out, dim=2).transpose(1, 2)


class Packed:
    """Rows under decoding, and the tree of finished prefixes. Used by one thread.

    A row is one prompt with `width` candidates. Its slab holds the prompt, then the candidates' tokens
    interleaved: candidate i's t-th token at prompt + t * width + i.
    """

    def __init__(self, model: PreTrainedModel, cache_bytes: int) -> None:
        config = model.config
        self.model = model
        self.tree = PrefixTree(cache_bytes)
        self.device, self.dtype = model.device, model.dtype
        self.heads: int = config.num_key_value_heads
        self.groups: int = config.num_attention_heads // self.heads
        self.size: int = model.model.layers[0].self_attn.head_dim
        self.layers: int = config.num_hidden_layers
        self.width = 1
        self.prompts: list[int] = []  # length of each row's prompt
        self.steps: list[int] = []  # tokens decoded in each row
        self._slab = self._zeros(self.layers, 2, 0, self.heads, 0, self.size)
        self._mask = self._zeros(0, 1, self.groups, 0)

    def rows(self, max_batch: int, width: int) -> int:
        """How many prompts of `width` candidates may be decoded at once."""
        return max(1, max_batch // width)

    def logits(self, tokens: Sequence[int], keep: int) -> tuple[Tensor, int]:
        """Logits [keep, vocabulary] at the last positions, and how many tokens were computed."""
        prompt = self._prompt(tokens, keep)
        logits = self._prefill([tokens], [prompt], keep)[0]
        self.tree.insert(tokens, prompt.kv[..., prompt.past :, :])
        return logits, prompt.length - prompt.past

    def read(self, prompts: Sequence[Sequence[int]]) -> tuple[Tensor, list[int]]:
        """Logits [prompts, vocabulary] after each prompt, and how many tokens of it were computed."""
        prepared = [self._prompt(tokens, 1) for tokens in prompts]
        logits = self._last(prompts, prepared)
        for tokens, prompt in zip(prompts, prepared, strict=True):
            self.tree.insert(tokens, prompt.kv[..., prompt.past :, :])
        return logits, [p.length - p.past for p in prepared]

    def admit(
        self, prompts: Sequence[Sequence[int]], width: int, room: int
    ) -> tuple[Tensor, list[int]]:
        """Start rows; logits [prompts, vocabulary] of their first tokens, and the prefill of each.

        room: the most tokens that any candidate of these may take.
        """
        if width != self.width:
            assert not self.prompts
            self.width = width
            self._mask = self._zeros(0, 1, self.groups * width, 0)
        prepared = [self._prompt(tokens, 1) for tokens in prompts]
        logits = self._last(prompts, prepared)
        self._reserve(len(prepared), max(p.length for p in prepared) + width * room)
        for tokens, prompt in zip(prompts, prepared, strict=True):
            row = len(self.prompts)
            self._slab[:, :, row, :, : prompt.length] = prompt.kv
            self._mask[row] = -torch.inf
            self._mask[row, ..., : prompt.length] = 0
            self.prompts.append(prompt.length)
            self.steps.append(0)
            self.tree.insert(tokens, prompt.kv[..., prompt.past :, :])
        return logits, [p.length - p.past for p in prepared]

    def step(self, tokens: Tensor) -> Tensor:
        """Feed one token to each candidate: [rows, width] -> logits [rows, width, vocabulary]."""
        rows, width = tokens.shape
        prompt = torch.tensor(self.prompts)[:, None]
        step = torch.tensor(self.steps)[:, None]
        slots = (prompt + step * width + torch.arange(width)).to(self.device)
        position = (prompt + step).expand(rows, width).reshape(1, -1).to(self.device)
        self._row = torch.arange(rows, device=self.device)[:, None]
        self._slots = slots
        query = torch.arange(self.groups * width, device=self.device)
        self._mask[self._row, 0, query, slots.repeat(1, self.groups)] = 0
        self._end = max(p + (s + 1) * width for p, s in zip(self.prompts, self.steps, strict=True))
        out = self._forward(tokens.reshape(1, -1), position, self, 0)
        self.steps = [s + 1 for s in self.steps]
        return out.view(rows, width, -1)

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """The decoding layout: see the module's text."""
        rows, width = self._slots.shape
        keys, values = self._slab[layer, :, :rows]
        for slab, new in ((keys, key), (values, value)):
            slab[self._row, :, self._slots] = (
                new[0].view(self.heads, rows, width, -1).permute(1, 2, 0, 3)
            )
        # One query per candidate and head of a group: keys and values are never expanded.
        packed = query[0].view(self.heads, self.groups, rows, width, -1).permute(2, 0, 1, 3, 4)
        out = scaled_dot_product_attention(
            packed.reshape(rows, self.heads, self.groups * width, -1),
            keys[:, :, : self._end],
            values[:, :, : self._end],
            self._mask[:rows, ..., : self._end],
            scale=scale,
        )
        out = out.view(rows, self.heads, self.groups, width, -1).permute(0, 3, 1, 2, 4)
        return out.reshape(1, rows * width, self.heads * self.groups, -1)

    def retire(self, row: int, tokens: Sequence[int], drawn: Sequence[Sequence[int]]) -> None:
        """Remember what a finished row computed, and move the last row into its place."""
        prompt, width = self.prompts[row], self.width
        for index, completion in enumerate(drawn):
            fed = min(len(completion) - 1, self.steps[row])
            if fed > 0:
                first = prompt + index
                kv = self._slab[:, :, row, :, first : first + fed * width : width]
                self.tree.insert([*tokens, *completion[:fed]], kv)
        last = len(self.prompts) - 1
        if row != last:
            end = self.prompts[last] + self.steps[last] * width
            self._slab[:, :, row, :, :end] = self._slab[:, :, last, :, :end]
            self._mask[row] = self._mask[last]
            self.prompts[row], self.steps[row] = self.prompts[last], self.steps[last]
        del self.prompts[last], self.steps[last]

    def reset(self) -> None:
        self.prompts, self.steps = [], []
        self.tree.clear()

    def _prompt(self, tokens: Sequence[int], keep: int) -> _Prompt:
        pieces = self.tree.match(tokens[: len(tokens) - keep])
        past = sum(piece.shape[-2] for piece in pieces)
        kv = torch.empty(
            self.layers, 2, self.heads, len(tokens), self.size, dtype=self.dtype, device=self.device
        )
        if pieces:
            torch.cat(pieces, dim=-2, out=kv[..., :past, :])
        return _Prompt(kv, past)

    def _last(self, prompts: Sequence[Sequence[int]], prepared: Sequence[_Prompt]) -> Tensor:
        """Logits [prompts, vocabulary] at the last positions, in calls of a bounded size."""
        logits, first = [], 0
        while first < len(prepared):
            end, total = first, 0
            while end < len(prepared) and (end == first or total < PREFILL):
                total += prepared[end].length - prepared[end].past
                end += 1
            logits.append(self._prefill(prompts[first:end], prepared[first:end], 1)[:, 0])
            first = end
        return torch.cat(logits)

    def _prefill(
        self, prompts: Sequence[Sequence[int]], prepared: Sequence[_Prompt], keep: int
    ) -> Tensor:
        """Logits [prompts, keep, vocabulary]; fills the new part of each prompt's keys and values."""
        flat: list[int] = []
        position: list[int] = []
        last: list[int] = []
        for tokens, prompt in zip(prompts, prepared, strict=True):
            flat += tokens[prompt.past :]
            position += range(prompt.past, prompt.length)
            last += range(len(flat) - keep, len(flat))
        ids, at, kept = (torch.tensor(x, device=self.device) for x in (flat, position, last))
        return self._forward(ids[None], at[None], _Prefill(prepared), kept).view(len(prompts), keep, -1)

    def _forward(self, ids: Tensor, position: Tensor, layout: Layout, keep: Tensor | int) -> Tensor:
        out = self.model(
            input_ids=ids, position_ids=position, use_cache=False, logits_to_keep=keep, layout=layout
        )
        logits: Tensor = out.logits
        return logits

    def _reserve(self, more: int, capacity: int) -> None:
        """Room for `more` rows of `capacity` tokens; grows in big strides, zeroed, so no NaN is met."""
        active, rows, held = len(self.prompts), self._slab.shape[2], self._slab.shape[4]
        need = active + more
        if need > rows or capacity > held:
            rows = rows if need <= rows else max(need, rows * 2)
            capacity = held if capacity <= held else -(-capacity // 256) * 256
            slab = self._zeros(self.layers, 2, rows, self.heads, capacity, self.size)
            slab[:, :, :active, :, :held] = self._slab[:, :, :active]
            self._slab = slab
        rows, held = self._slab.shape[2], self._slab.shape[4]
        if self._mask.shape[0] != rows or self._mask.shape[-1] != held:
            mask = self._zeros(rows, 1, self.groups * self.width, held) - torch.inf
            mask[:active, ..., : self._mask.shape[-1]] = self._mask[:active]
            self._mask = mask

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=self.dtype, device=self.device)
