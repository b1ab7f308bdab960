"""Candidates of one step: sampled together, then filtered for free.

Malformed ones, doubles, and what is known to have no effect in this state are dropped; each stays in
the tree with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from tmbr.core.types import Sampling
from tmbr.reasoning.tree import Candidate, Tree


@dataclass(frozen=True, slots=True)
class Proposed:
    """all: as sampled. kept: what the filter left, different actions, most likely first."""

    all: tuple[Candidate, ...]
    kept: tuple[Candidate, ...]


async def propose(
    tree: Tree, at: int, n: int, sampling: Sampling, barred: frozenset[str] = frozenset()
) -> Proposed:
    """Sample `n` answers at a node and filter them; `barred` are keys of actions known to fail here."""
    sampled = await tree.ask(at, n, sampling)
    kept: dict[str, Candidate] = {}
    for candidate in sampled:
        if candidate.action is None:
            tree.grow(at, candidate, None)
        elif candidate.action.key in barred:
            tree.grow(at, candidate, None, "had no effect here")
        elif candidate.action.key in kept:
            tree.grow(at, candidate, None, "duplicate")
        else:
            kept[candidate.action.key] = candidate
    return Proposed(tuple(sampled), tuple(kept.values()))
