"""Candidates of one step: sampled together, then filtered for free.

Malformed ones, doubles, and what is known to have no effect in this state are dropped; each stays in
the tree with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from tmbr.core.types import Sampling, Usage
from tmbr.reasoning.tree import Candidate, Tree


@dataclass(frozen=True, slots=True)
class Proposed:
    """kept: what the filter left, different actions, as sampled. dropped: the nodes of the others.

    said: keys of all actions that were sampled, None among them for an answer without one.
    """

    kept: tuple[Candidate, ...]
    dropped: tuple[int, ...]
    said: frozenset[str | None]
    usage: Usage


async def propose(
    tree: Tree, at: int, n: int, sampling: Sampling, barred: frozenset[str] = frozenset()
) -> Proposed:
    """Sample `n` answers at a node and filter them; `barred` are keys of actions known to fail here."""
    kept: dict[str, Candidate] = {}
    dropped: list[int] = []
    candidates = await tree.ask(at, n, sampling)
    said = frozenset(candidate.action.key if candidate.action else None for candidate in candidates)
    usage = sum((candidate.completion.usage for candidate in candidates), Usage())
    for candidate in candidates:
        if candidate.action is None:
            dropped.append(tree.grow(at, candidate, None))
        elif candidate.action.key in barred:
            dropped.append(tree.grow(at, candidate, None, "had no effect here"))
        elif candidate.action.key in kept:
            dropped.append(tree.grow(at, candidate, None, "duplicate"))
        else:
            kept[candidate.action.key] = candidate
    return Proposed(tuple(kept.values()), tuple(dropped), said, usage)
