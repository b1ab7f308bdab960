"""How much better than expected: by a critic (GAE), or by comparison within a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from tmbr.core.trace import Trace
from tmbr.tuning.policy.batch import Batch
from tmbr.tuning.policy.config import GrpoConfig
from tmbr.tuning.policy.sampler import Played
from tmbr.tuning.policy.turns import Earned, Turn

#: Keeps a group in which all are nearly equal from being blown up.
TINY = 1e-4


def gae(rewards: Tensor, values: Tensor, gamma: float, lam: float) -> Tensor:
    """Generalised advantage estimates (Schulman et al., 2016) of one episode's steps, shape (steps,).

    What follows the last step is worth nothing: the limit of rounds is a rule of the world.
    """
    found = torch.zeros_like(rewards)
    later = value = torch.zeros_like(rewards[:1]).squeeze()
    for step in range(len(rewards) - 1, -1, -1):
        error = rewards[step] + gamma * value - values[step]
        later = found[step] = error + gamma * lam * later
        value = values[step]
    return found


def normalised(values: Tensor) -> Tensor:
    """Mean 0, deviation 1."""
    deviation = values.std(correction=0) if len(values) > 1 else torch.zeros(())
    return (values - values.mean()) / (deviation + 1e-8)


def tempered(values: Tensor, weight: float) -> Tensor:
    """What is below 0 times `weight`."""
    return torch.where(values < 0, weight * values, values)


def compared(values: Sequence[float], deviation: bool) -> list[float]:
    """Each against the mean of all, over their deviation where asked; one alone is as expected."""
    found = torch.tensor(values, dtype=torch.float64)
    found = found - found.mean()
    if deviation and len(values) > 1:
        found = found / (found.std() + TINY)
    return [float(value) for value in found]


def grouped(batch: Batch, config: GrpoConfig) -> list[float]:
    """The advantage of each turn of a batch, in order."""
    if config.groups == "tree":
        forest = by_fork(batch.played, batch.episodes, batch.earned, config.deviation)
        return [value for mine in forest for value in mine]
    returns = [sum(reward for _, reward in mine) for mine in batch.earned]
    samples = [one.trace.sample.id for one in batch.played]
    whole = by_episode(samples, returns, config.deviation)
    if config.groups == "episodes":
        return [value for value, mine in zip(whole, batch.episodes, strict=True) for _ in mine]
    traces = [(one.trace, mine) for one, mine in zip(batch.played, batch.episodes, strict=True)]
    steps = by_state(traces, config.gamma, config.deviation)
    return [
        value + config.step_weight * step
        for value, mine in zip(whole, steps, strict=True)
        for step in mine
    ]


def by_episode(samples: Sequence[str], returns: Sequence[float], deviation: bool) -> list[float]:
    """Of each episode among those of its sample."""
    return _grouped(samples, returns, deviation)


def by_state(
    episodes: Sequence[tuple[Trace, Sequence[Turn]]], gamma: float, deviation: bool
) -> list[list[float]]:
    """Of each turn among those of the same sample before which the world had said the same; compared is
    the discounted sum of rewards from there (GiGPO). A state that came up once says nothing: 0."""
    keys: list[Hashable] = []
    returns: list[float] = []
    for trace, content in episodes:
        later: list[float] = []
        for turn in reversed(content):
            later.append(turn.reward + gamma * (later[-1] if later else 0.0))
        returns += later[::-1]
        keys += [(trace.sample.id, _heard_last(trace, turn.node)) for turn in content]
    flat = iter(_grouped(keys, returns, deviation))
    return [[next(flat) for _ in content] for _, content in episodes]


class Stretch(NamedTuple):
    """A part of an episode, from one fork to the next. group: where it begins, as do the others that it
    is compared with; after: the trunk's node at which that is."""

    group: Hashable
    name: Hashable
    after: int


def by_fork(
    played: Sequence[Played],
    content: Sequence[Sequence[Turn]],
    earned: Sequence[Earned],
    deviation: bool,
) -> list[list[float]]:
    """Of each turn in a forest of episodes: its stretch against the others that begin where it does.

    A stretch is worth the mean, over all episodes that go through it, of the rewards from its beginning
    on. An episode's first stretch is compared with those of the sample's other trunks.
    """
    paths = _paths(played)
    got = {one.trace.id: mine for one, mine in zip(played, earned, strict=True)}
    through: dict[Hashable, list[float]] = defaultdict(list)
    begins: dict[Hashable, dict[Hashable, None]] = defaultdict(dict)
    for one in played:
        shared = got[one.trunk] if one.trunk is not None else ()
        told = [(node, reward) for node, reward in shared if node <= one.node]
        # In a branch's trace its own nodes may have lower numbers than in the trunk's.
        own = [(max(node, one.node + 1), reward) for node, reward in got[one.trace.id]]
        for stretch in paths[one.trace.id]:
            through[stretch.name].append(
                sum(reward for node, reward in [*told, *own] if node > stretch.after)
            )
            begins[stretch.group][stretch.name] = None
    advantage: dict[Hashable, float] = {}
    for names in begins.values():
        worth = [fmean(through[name]) for name in names]
        advantage.update(zip(names, compared(worth, deviation), strict=True))
    found = []
    for one, mine in zip(played, content, strict=True):
        path = paths[one.trace.id]
        places = [path[-1] if one.trunk else _at(path, turn.node) for turn in mine]
        found.append([advantage[stretch.name] for stretch in places])
    return found


def _paths(played: Sequence[Played]) -> dict[str, list[Stretch]]:
    """All stretches that each episode goes through, oldest first."""
    forks: dict[str, set[int]] = defaultdict(set)
    for one in played:
        if one.trunk is not None:
            forks[one.trunk].add(one.node)
    found: dict[str, list[Stretch]] = {}
    for one in played:
        id = one.trace.id
        if one.trunk is None:
            first = Stretch(one.trace.sample.id, id, -1)
            found[id] = [first, *(Stretch((id, at), (id, at), at) for at in sorted(forks[id]))]
    for one in played:
        if one.trunk is not None:
            before = [stretch for stretch in found[one.trunk] if stretch.after < one.node]
            own = Stretch((one.trunk, one.node), one.trace.id, one.node)
            found[one.trace.id] = [*before, own]
    return found


def _at(path: Sequence[Stretch], node: int) -> Stretch:
    return [stretch for stretch in path if stretch.after < node][-1]


def _grouped(keys: Sequence[Hashable], values: Sequence[float], deviation: bool) -> list[float]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    found = [0.0] * len(values)
    for members in groups.values():
        for index, value in zip(
            members, compared([values[index] for index in members], deviation), strict=True
        ):
            found[index] = value
    return found


def _heard_last(trace: Trace, node: int) -> str:
    """What the world last said before this turn: its answer, or the prompt."""
    before = trace.nodes[node].context
    assert before is not None
    at = trace.nodes[before]
    return at.step.observation if at.step is not None else at.message.content
