"""What a data set is made of, counted in one pass."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tmbr.core.pairs import Pair
from tmbr.core.types import Message
from tmbr.teacher.formats.base import Item


@dataclass(slots=True)
class Statistics:
    """Counts of all items added.

    tokens: counts the tokens of a text; None where no tokenizer is at hand.
    roles: turns. tools: calls by name. sources: rows; tasks or data sets. lengths: rows by the length
    of their content, in tokens or else characters, keyed by the power of two that it does not reach.
    trained: turns that carry loss. duplicates: rows whose conversation was there before.
    """

    tokens: Callable[[str], int] | None = None
    rows: int = 0
    pairs: int = 0
    roles: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    trained: int = 0
    tokens_all: int = 0
    tokens_trained: int = 0
    duplicates: int = 0
    _seen: set[bytes] = field(default_factory=set)

    def add(self, item: Item) -> None:
        """Count one item. 16 bytes of it are kept, to know it again."""
        said = list(_said(item))
        self.rows += not isinstance(item, Pair)
        self.pairs += isinstance(item, Pair)
        self.sources["" if isinstance(item, Pair) else item.source] += 1
        length = 0
        for message, trained in said:
            size = self._size(message)
            length += size
            self.roles[message.role] += 1
            self.trained += trained
            self.tokens_trained += size * trained
            self.tools.update(call.name for call in message.tool_calls)
        self.tokens_all += length
        self.lengths[1 << length.bit_length()] += 1
        conversation = repr([message for message, _ in said]).encode(errors="replace")
        known = hashlib.blake2b(conversation, digest_size=16).digest()
        self.duplicates += known in self._seen
        self._seen.add(known)

    @property
    def turns(self) -> int:
        return self.roles.total()

    def _size(self, message: Message) -> int:
        calls = [part for call in message.tool_calls for part in (call.name, call.arguments)]
        text = "\n".join([message.content, *calls])
        return len(text) if self.tokens is None else self.tokens(text)


def _said(item: Item) -> Iterator[tuple[Message, bool]]:
    """Messages, and whether they train."""
    if isinstance(item, Pair):
        yield from ((message, False) for message in item.prompt)
        yield from ((item.chosen, True), (item.rejected, True))
    else:
        yield from ((turn.message, turn.loss > 0) for turn in item.turns)
