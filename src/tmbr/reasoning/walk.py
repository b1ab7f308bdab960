"""What every strategy is: a way through an episode, whole or in part."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tmbr.core.protocols import Episode, Judge, Model, Outcome
from tmbr.core.types import Access, Sampling
from tmbr.reasoning.judges import default_judge
from tmbr.reasoning.tree import Tree


class Walk(ABC):
    """A strategy that can also be sent through a part of an episode."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def access(self) -> Access: ...

    @property
    @abstractmethod
    def sampling(self) -> Sampling: ...

    async def solve(self, episode: Episode, model: Model, judge: Judge | None, seed: int) -> Outcome:
        return await self.walk(Tree(episode, model, seed), judge or self.default_judge(model))

    def default_judge(self, model: Model) -> Judge:  # noqa: ARG002
        """Who judges where no judge is named."""
        return default_judge()

    @abstractmethod
    async def walk(self, tree: Tree, judge: Judge) -> Outcome:
        """Grow the tree from `tree.world`."""
