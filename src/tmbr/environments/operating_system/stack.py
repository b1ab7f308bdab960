"""The layers of files of one episode and all its forks, and who needs them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter

#: Layers by number, the newest first, down to BASE.
Chain = tuple[int, ...]
BASE = 0


class Stack(ABC):
    """Layers are numbered. A new one is written into until it is kept; nobody writes into it any more
    then, and others may lie over it. It is freed with the last chain that holds it, and all of it with
    the last chain."""

    def __init__(self) -> None:
        self._users: Counter[int] = Counter()
        self._last = BASE

    @abstractmethod
    def new_layer(self, below: Chain) -> int:
        """An empty layer over others. Raises OSError."""

    @abstractmethod
    def keep(self, layer: int, below: Chain) -> bool:
        """Let nobody write into a layer any more; False where nothing was written, and it may go."""

    @abstractmethod
    def flat(self, chain: Chain) -> Chain:
        """The chain, or a shorter one that says the same where it has become too long."""

    @abstractmethod
    def key(self, chain: Chain) -> str:
        """A hash of what the layers of a chain, taken together, change."""

    @abstractmethod
    def drop(self, layer: int) -> None:
        """Free a layer."""

    @abstractmethod
    def layers(self) -> set[int]:
        """The layers that exist, without BASE."""

    @abstractmethod
    def close(self) -> None:
        """Free all that is left."""

    def retain(self, chain: Chain) -> None:
        self._users.update(chain)

    def release(self, chain: Chain) -> None:
        """Give up a chain; layers that nobody holds any more are freed, the newest first."""
        self._users.subtract(chain)
        for layer in [layer for layer in chain if self._users[layer] <= 0 and layer != BASE]:
            del self._users[layer]
            self.drop(layer)
        if self._users[BASE] <= 0:
            self.close()
