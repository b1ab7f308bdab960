"""Continuous batching: one thread decodes whatever the concurrent episodes are waiting for.

A request joins as soon as a row is free and leaves as soon as its last candidate ends (Yu et al., Orca,
2022). What it draws depends on its own tokens, sampling and seed only.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import torch
from torch import Tensor

from tmbr.core.errors import ModelFault
from tmbr.core.types import Sampling
from tmbr.models.guided import Guide
from tmbr.models.sampling import draw, noise


class Decoder(Protocol):
    """A model's forward passes over rows; see `tmbr.models.packed.Packed`."""

    width: int

    def rows(self, max_batch: int, width: int) -> int: ...

    def logits(self, tokens: Sequence[int], keep: int) -> tuple[Tensor, int]: ...

    def admit(
        self, prompts: Sequence[Sequence[int]], width: int, room: int
    ) -> tuple[Tensor, list[int]]: ...

    def step(self, tokens: Tensor) -> Tensor: ...

    def retire(self, row: int, tokens: Sequence[int], drawn: Sequence[Sequence[int]]) -> None: ...

    def reset(self) -> None: ...


@dataclass(slots=True)
class Drawn:
    """One candidate; its end token is among the tokens. guide: of its grammar, None without one."""

    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: bool = False
    guide: Guide | None = None


@dataclass(slots=True, eq=False)
class Request:
    """n continuations of `tokens`, each of at most `room` tokens. guide: of all, at its beginning."""

    tokens: Sequence[int]
    n: int
    room: int
    sampling: Sampling
    seed: int
    future: asyncio.Future[Request]
    guide: Guide | None = None
    drawn: list[Drawn] = field(default_factory=list)
    prefill: int = 0
    noise: list[list[float]] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return all(d.ended or len(d.tokens) >= self.room for d in self.drawn)


@dataclass(slots=True)
class Errand:
    """Something else to be done between two steps, such as scoring a text."""

    work: Callable[[Decoder], Any]
    future: asyncio.Future[Any]


class Batcher:
    """The thread, its rows and its queue. `submit` may be called from any event loop."""

    def __init__(self, decoder: Decoder, stop: frozenset[int], max_batch: int) -> None:
        self._decoder = decoder
        self._stop = stop
        self._max_batch = max_batch
        self._inbox: SimpleQueue[Request | Errand | None] = SimpleQueue()
        self._waiting: deque[Request] = deque()
        self._active: list[Request] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="tmbr-decoder", daemon=True)
        self._thread.start()

    def submit(self, item: Request | Errand) -> None:
        if self._closing:
            raise ModelFault("the model was closed; load it again")
        self._inbox.put(item)

    def close(self) -> None:
        """Finish what is under way, then end the thread."""
        if not self._closing:
            self._closing = True
            self._inbox.put(None)
            self._thread.join()

    def _run(self) -> None:
        with torch.inference_mode():
            while self._listen():
                try:
                    self._admit()
                    if self._active:
                        self._step()
                except Exception as error:  # whatever torch raises: the episodes must hear of it
                    self._fail(error)

    def _listen(self) -> bool:
        """Take what has arrived; wait for it when there is nothing else to do."""
        while True:
            idle = not self._active and not self._waiting
            try:
                item = self._inbox.get(block=idle and not self._closing)
            except Empty:
                return not (idle and self._closing)
            if isinstance(item, Errand):
                _do(item, self._decoder)
            elif item is not None and not item.future.cancelled():
                self._waiting.append(item)

    def _admit(self) -> None:
        """First come, first served; candidates beyond the batch's width wait until it is empty."""
        if not self._active and self._waiting:
            width = max(request.n for request in self._waiting)
        else:
            width = self._decoder.width
        free = self._decoder.rows(self._max_batch, width) - len(self._active)
        joining: list[Request] = []
        while self._waiting and len(joining) < free and self._waiting[0].n <= width:
            joining.append(self._waiting.popleft())
        if not joining:
            return
        self._active += joining
        prompts = [request.tokens for request in joining]
        logits, computed = self._decoder.admit(prompts, width, max(r.room for r in joining))
        for request, prefill in zip(joining, computed, strict=True):
            request.prefill = prefill
            guide = request.guide
            request.drawn = [Drawn(guide=guide and guide.copy()) for _ in range(request.n)]
            request.noise = noise(request.seed, request.n, request.room, request.sampling.temperature)
        self._draw(joining, logits[:, None].expand(-1, width, -1))

    def _step(self) -> None:
        width = self._decoder.width
        last = [[d.tokens[-1] for d in request.drawn] for request in self._active]
        tokens = torch.tensor([row + row[:1] * (width - len(row)) for row in last])
        self._draw(self._active, self._decoder.step(tokens))

    def _draw(self, requests: Sequence[Request], logits: Tensor) -> None:
        """Append a token to each candidate that goes on; logits: [requests, width, vocabulary]."""
        width = logits.shape[1]
        settings = torch.tensor(
            [(r.sampling.temperature, r.sampling.top_p) for r in requests], device=logits.device
        )
        uniform = [
            [*(u[min(len(d.tokens), r.room - 1)] for u, d in zip(r.noise, r.drawn, strict=True))]
            + [0.0] * (width - r.n)
            for r in requests
        ]
        drawn, logprobs = draw(
            logits,
            settings[:, :1],
            settings[:, 1:],
            torch.tensor(uniform, dtype=torch.float64, device=logits.device),
            _allowed(requests, logits),
        )
        for request, tokens, values in zip(requests, drawn.tolist(), logprobs.tolist(), strict=True):
            for candidate, token, value in zip(request.drawn, tokens, values, strict=False):
                if not candidate.ended and len(candidate.tokens) < request.room:
                    candidate.tokens.append(token)
                    candidate.logprobs.append(value)
                    candidate.ended = token in self._stop
                    if candidate.guide and not candidate.ended:
                        candidate.guide.take(token)
        self._retire()

    def _retire(self) -> None:
        for row in range(len(self._active) - 1, -1, -1):
            request = self._active[row]
            if request.finished or request.future.cancelled():
                self._decoder.retire(row, request.tokens, [d.tokens for d in request.drawn])
                last = self._active.pop()  # the decoder moves its last row likewise
                if last is not request:
                    self._active[row] = last
                _tell(request.future, request)

    def _fail(self, error: Exception) -> None:
        why = str(error).strip().split("\n")[0] or "no reason given"
        fault = ModelFault(f"the local model failed while decoding: {type(error).__name__}: {why}")
        for request in [*self._active, *self._waiting]:
            _tell(request.future, fault)
        self._active, self._waiting = [], deque()
        self._decoder.reset()


def _allowed(requests: Sequence[Request], logits: Tensor) -> Tensor | None:
    """What may be drawn, as the logits are shaped; None where nobody has a grammar."""
    if not any(request.guide for request in requests):
        return None
    rows, width, vocabulary = logits.shape
    masks = torch.full((rows, width, -(-vocabulary // 32)), -1, dtype=torch.int32)
    for row, request in enumerate(requests):
        for column, candidate in enumerate(request.drawn):
            if candidate.guide and not candidate.ended:
                candidate.guide.fill(masks[row, column])
    masks = masks.to(logits.device)
    bits = masks[..., None] >> torch.arange(32, dtype=torch.int32, device=logits.device)
    return (bits & 1).bool().flatten(-2)[..., :vocabulary]


def _do(errand: Errand, decoder: Decoder) -> None:
    try:
        _tell(errand.future, errand.work(decoder))
    except Exception as error:
        _tell(errand.future, ModelFault(f"the local model failed while scoring: {error}"))


def _tell(future: asyncio.Future[Any], result: object) -> None:
    """Hand a result, or an exception, to the event loop that waits for it."""

    def settle() -> None:
        if future.done():
            return
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    try:
        future.get_loop().call_soon_threadsafe(settle)
    except RuntimeError:  # its loop is closed: nobody waits any more
        return
