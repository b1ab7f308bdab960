"""Keys and values of known prefixes: a radix tree over token ids (SGLang, Zheng et al., 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(slots=True, eq=False)
class _Segment:
    """The tokens of one edge; kv: [layers, 2, kv heads, len(tokens), head size]."""

    tokens: tuple[int, ...]
    kv: Tensor | None
    parent: _Segment | None
    used: int = 0
    children: dict[int, _Segment] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        return 0 if self.kv is None else self.kv.numel() * self.kv.element_size()


class PrefixTree:
    """Least recently used branches go first once `limit` bytes are held."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.nbytes = 0
        self._root = _Segment((), None, None)
        self._clock = 0

    def match(self, tokens: Sequence[int]) -> list[Tensor]:
        """Pieces [layers, 2, kv heads, length, head size] of the longest known prefix, in order."""
        self._clock += 1
        pieces: list[Tensor] = []
        at, done = self._root, 0
        while done < len(tokens) and (child := at.children.get(tokens[done])) is not None:
            shared = _shared(child.tokens, tokens, done)
            child.used = self._clock
            assert child.kv is not None
            pieces.append(child.kv[..., :shared, :])
            done += shared
            if shared < len(child.tokens):
                break
            at = child
        return pieces

    def insert(self, tokens: Sequence[int], kv: Tensor) -> None:
        """Remember `kv`, which covers the last `kv.shape[-2]` tokens; copies what is new."""
        if self.limit <= 0:
            return
        self._clock += 1
        start = len(tokens) - kv.shape[-2]
        at, done = self._root, 0
        while done < len(tokens) and (child := at.children.get(tokens[done])) is not None:
            shared = _shared(child.tokens, tokens, done)
            child.used = self._clock
            done += shared
            at = child if shared == len(child.tokens) else self._split(child, shared)
        if start <= done < len(tokens):  # else what it builds on was evicted
            leaf = _Segment(tuple(tokens[done:]), kv[..., done - start :, :].clone(), at, self._clock)
            at.children[tokens[done]] = leaf
            self.nbytes += leaf.nbytes
            self._evict()

    def clear(self) -> None:
        self._root = _Segment((), None, None)
        self.nbytes = 0

    def _split(self, child: _Segment, length: int) -> _Segment:
        assert child.kv is not None
        assert child.parent is not None
        head = _Segment(
            child.tokens[:length], child.kv[..., :length, :].clone(), child.parent, child.used
        )
        child.parent.children[head.tokens[0]] = head
        child.tokens, child.kv = child.tokens[length:], child.kv[..., length:, :].clone()
        child.parent = head
        head.children[child.tokens[0]] = child
        return head

    def _evict(self) -> None:
        """In bulk, down to 7/8 of the limit: finding the oldest leaves walks the tree."""
        if self.nbytes <= self.limit:
            return
        goal = self.limit * 7 // 8
        while self.nbytes > goal:
            for leaf in sorted(self._leaves(), key=lambda leaf: leaf.used):
                assert leaf.parent is not None
                del leaf.parent.children[leaf.tokens[0]]
                self.nbytes -= leaf.nbytes
                if self.nbytes <= goal:
                    break

    def _leaves(self) -> list[_Segment]:
        found, open_ = [], [self._root]
        while open_:
            at = open_.pop()
            open_.extend(at.children.values())
            if not at.children and at.parent is not None:
                found.append(at)
        return found


def _shared(segment: tuple[int, ...], tokens: Sequence[int], start: int) -> int:
    """How many tokens of `segment` agree with `tokens[start:]`."""
    length = min(len(segment), len(tokens) - start)
    if segment[:length] == tuple(tokens[start : start + length]):
        return length
    return next(i for i in range(length) if segment[i] != tokens[start + i])
