"""The episodes of a round as flat tensors, one number a sampled token or a turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tmbr.core.errors import DataError
from tmbr.core.trace import Trace
from tmbr.tuning import ranks
from tmbr.tuning.policy.config import PolicyConfig
from tmbr.tuning.policy.sampler import Played, Rewards
from tmbr.tuning.policy.turns import Earned, Prompt, Strand, Turn, earned, strands, turns


@dataclass(frozen=True, slots=True)
class Batch:
    """Tokens in the order in which they were sampled, episode after episode.

    strands: the conversations, and `starts` their first tokens in the flat order, with the end.
    turn: [tokens] index of each token's turn. sampler: [tokens] log-probabilities by the sampler.
    rewards: [turns]. episodes: the turns of each of `played`, which may be none; earned: the rewards of
    each where they fell, also those of turns that are left out.
    cut: turns left out by `max_length`; faults: episodes that a fault of the world ended, left out.
    """

    strands: list[Strand]
    starts: list[int]
    turn: Tensor
    sampler: Tensor
    rewards: Tensor
    played: list[Played]
    episodes: list[list[Turn]]
    earned: list[Earned]
    cut: int
    faults: int

    @classmethod
    def of(
        cls, played: Sequence[Played], prompt: Prompt, rewards: Rewards, config: PolicyConfig
    ) -> Batch:
        """Raises DataError where there is nothing to learn from."""
        whole = [one for one in played if one.trace.finish and one.trace.finish.status != "task error"]

        def read(trace: Trace) -> tuple[Earned, list[Turn]]:
            got = earned(trace, rewards, config.invalid_cost)
            return got, turns(trace, prompt, got)

        every = ranks.spread(whole, lambda own: [read(one.trace) for one in own])
        found: list[list[Strand]] = []
        cut = 0
        for _, said in every:
            content, left = strands(said, config.max_length)
            found.append(content)
            cut += left
        flat = [strand for content in found for strand in content]
        if not flat:
            raise DataError(_nothing(played, cut, config))
        kept = [turn for strand in flat for turn in strand.turns]
        lengths = torch.tensor([len(turn.tokens) for turn in kept])
        ends = torch.tensor([sum(len(turn.tokens) for turn in strand.turns) for strand in flat]).cumsum(
            0
        )
        return cls(
            strands=flat,
            starts=[0, *ends.tolist()],
            turn=torch.arange(len(kept)).repeat_interleave(lengths),
            sampler=torch.tensor([value for turn in kept for value in turn.logprobs]),
            rewards=torch.tensor([turn.reward for turn in kept]),
            played=whole,
            episodes=[[turn for strand in content for turn in strand.turns] for content in found],
            earned=[got for got, _ in every],
            cut=cut,
            faults=len(played) - len(whole),
        )

    @property
    def first(self) -> Tensor:
        """[tokens] whether a token is the first of its turn."""
        return torch.cat([torch.ones(1, dtype=torch.bool), self.turn[1:] != self.turn[:-1]])

    @property
    def last(self) -> Tensor:
        """[tokens] whether a token is the last of its turn."""
        return torch.cat([self.turn[1:] != self.turn[:-1], torch.ones(1, dtype=torch.bool)])

    def spans(self, of: Tensor) -> list[slice]:
        """Where each episode lies in a tensor of shape [tokens] or [turns]; empty ones are left out."""
        counts = [len(content) for content in self.episodes]
        if of.shape == self.turn.shape:
            counts = [sum(len(turn.tokens) for turn in content) for content in self.episodes]
        found, at = [], 0
        for count in counts:
            if count:
                found.append(slice(at, at + count))
            at += count
        return found

    def tokens(self, index: Sequence[int]) -> Tensor:
        """Indices of the tokens of these strands, in the order of `Networks.hidden`."""
        return torch.cat([torch.arange(self.starts[i], self.starts[i + 1]) for i in index])


def _nothing(played: Sequence[Played], cut: int, config: PolicyConfig) -> str:
    errors = [one.trace.finish.error for one in played if one.trace.finish and one.trace.finish.error]
    if errors:
        return f"no episode of the round came to an end: {errors[0]}"
    if cut:
        return f"no turn of the round fits max_length {config.max_length}; raise it"
    return "no episode of the round holds a sampled turn with token ids; play with a local model"
