"""A reward model in this process: the head that `tmbr tune reward` trained, on its base.

A sibling costs only its own tokens: the keys and values of what it shares with others are kept. Where
the acting model is the plain base of the adapter, its weights are shared and not loaded a second time;
beside any other model, or one that is being trained, the base is loaded once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.chat import reading
from tmbr.core.errors import ModelFault
from tmbr.core.rewards import RewardRecord
from tmbr.core.types import Message, Rewarded, Tool, Usage

if TYPE_CHECKING:
    from tmbr.models.local import LocalModel
    from tmbr.models.valuing import Valuing

Conversation = tuple[int, ...]


@dataclass(slots=True, eq=False)
class _Asked:
    """What one state's siblings are, and who waits for their values."""

    conversations: list[Conversation]
    future: asyncio.Future[list[Rewarded]]


class LocalReward:
    """Values conversations, those of concurrent episodes together; see `load`."""

    def __init__(self, name: str, outcomes: bool, tokenizer: Any, reader: Valuing) -> None:
        self.name = name
        self.outcomes = outcomes
        self.context_limit = reader.context_limit
        self._tokenizer = tokenizer
        self._reader = reader
        self._waiting: list[_Asked] = []
        self._reads: asyncio.Task[None] | None = None

    @classmethod
    def load(
        cls,
        folder: Path,
        acting: LocalModel | None = None,
        device: str | None = None,
        dtype: str | None = None,
        cache_bytes: int = 1 << 30,
    ) -> LocalReward:
        """Load what `tmbr tune reward` wrote.

        acting: whose weights are shared if they are the base's; the rest is as in `LocalModel.load`.
        Raises ConfigError: no reward model there, or the model at its base's place is another one.
        """
        from tmbr.models.valuing import load

        place, record = RewardRecord.find(folder)
        shared = acting.network if acting is not None and acting.name == record.base else None
        reader, tokenizer = load(place, record.base, shared, device, dtype, cache_bytes)
        return cls(str(folder), record.outcomes, tokenizer, reader)

    async def rewards(
        self, conversations: Sequence[Sequence[Message]], tools: Sequence[Tool]
    ) -> list[Rewarded]:
        """What is asked while others are read is read next, all of it together. Raises ModelFault."""
        loop = asyncio.get_running_loop()
        ids = [reading(self._tokenizer, messages, tools) for messages in conversations]
        asked = _Asked(ids, loop.create_future())
        self._waiting.append(asked)
        if self._reads is None or self._reads.done():
            self._reads = loop.create_task(self._read_all())
        return await asked.future

    async def _read_all(self) -> None:
        while self._waiting:
            batch = [asked for asked in self._waiting if not asked.future.done()]
            self._waiting = []
            try:
                found = await asyncio.to_thread(self._read, [asked.conversations for asked in batch])
            except Exception as error:  # whatever torch raises: the episodes must hear of it
                why = str(error).strip().split("\n")[0] or "no reason given"
                fault = ModelFault(f"the reward model failed: {type(error).__name__}: {why}")
                for asked in batch:
                    if not asked.future.done():
                        asked.future.set_exception(fault)
                continue
            for asked, rewards in zip(batch, found, strict=True):
                if not asked.future.done():
                    asked.future.set_result(rewards)

    def _read(self, batch: Sequence[Sequence[Conversation]]) -> list[list[Rewarded]]:
        """First one of each state's siblings, then the others, which share what that one has left."""
        found = [[Rewarded(None) for _ in siblings] for siblings in batch]
        places = [
            [(row, at) for at, ids in enumerate(siblings) if len(ids) <= self.context_limit]
            for row, siblings in enumerate(batch)
        ]
        firsts = [place for siblings in places for place in siblings[:1]]
        others = [place for siblings in places for place in siblings[1:]]
        for wave in filter(None, (firsts, others)):
            values, computed = self._reader.values([batch[row][at] for row, at in wave])
            for (row, at), value, prefill in zip(wave, values, computed, strict=True):
                usage = Usage(prompt=len(batch[row][at]), prefill=prefill)
                found[row][at] = Rewarded(value, usage)
        return found
