"""Going on from a node of an earlier episode: its world by replay, its conversation as it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tmbr.core.errors import DataError
from tmbr.core.protocols import Session
from tmbr.core.trace import Node, Trace
from tmbr.core.types import Message


@dataclass(frozen=True, slots=True)
class Begun:
    """A node of a stored trace. Raises DataError where no episode can go on from it."""

    trace: Trace
    node: int

    def __post_init__(self) -> None:
        nodes = self.trace.nodes
        if not 0 <= self.node < len(nodes):
            raise DataError(
                f"episode {self.trace.id}: no node {self.node}; its last is {len(nodes) - 1}"
            )
        if any(node.context == self.node and node.kind == "root" for node in nodes):
            raise DataError(f"{self._at(self.node)} is not the end of the prompt; name a later node")
        if any(node.step and node.step.done for node in map(nodes.__getitem__, self._kept())):
            raise self._over(self.node)

    def nodes(self) -> list[Node]:
        """What was told and done up to the node, as given: nothing of it was sampled in this run."""
        kept = self._kept()
        new = {old: at for at, old in enumerate(kept)}

        def moved(link: int | None) -> int | None:
            return None if link is None else new[link]

        return [
            replace(
                node,
                parent=moved(node.parent),
                context=moved(node.context),
                sampled=False,
                completion=None,
            )
            for node in map(self.trace.nodes.__getitem__, kept)
        ]

    def replay(self, trace: Trace, prompt: Sequence[Message], session: Session) -> int:
        """Do in a fresh world what the branch did, and return where it ends in the new trace.

        Nothing is charged that was paid for before; a last action that was never executed is now.
        Raises DataError when the world opens or answers otherwise than it is stored.
        """
        kept, start = self._kept(), len(trace.nodes) - 1
        branch = trace.branch(start)
        told = [trace.nodes[index].message.content for index in branch]
        if not all(was.startswith(now.content) for was, now in zip(told, prompt, strict=False)):
            raise self._changed("the prompt is not what was told in")
        for index in branch:
            node = trace.nodes[index]
            if node.kind != "act":
                continue
            step = session.step(node.action)
            if node.step is None:
                trace.spent.steps += 1
                trace.nodes[index] = replace(node, step=step, error=None if node.action else node.error)
            elif (node.step.observation, node.step.admissible) != (step.observation, step.admissible):
                raise self._changed(f"the world answers node {kept[index]} otherwise than in")
            if step.done:
                raise self._over(kept[index])
        return start

    def _kept(self) -> list[int]:
        """The node and all that it continues, as a state or as a conversation; oldest first."""
        kept = {self.node}
        for index in range(self.node, -1, -1):
            if index in kept:
                node = self.trace.nodes[index]
                kept |= {link for link in (node.parent, node.context) if link is not None}
        return sorted(kept)

    def _at(self, node: int) -> str:
        return f"episode {self.trace.id}, node {node}"

    def _over(self, node: int) -> DataError:
        return DataError(f"{self._at(node)}: the episode ends there; name a node before it")

    def _changed(self, what: str) -> DataError:
        version = self.trace.run.version
        return DataError(
            f"{what} episode {self.trace.id}, played in version {version!r} of the task: give the same"
            " form=…, and the data and tmbr that it was played with"
        )
