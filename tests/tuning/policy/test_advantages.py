"""Against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.trace import Node, Run, Trace
from tmbr.core.types import Message, Sample, Step
from tmbr.tuning.policy.advantages import (
    by_episode,
    by_fork,
    by_state,
    compared,
    gae,
    normalised,
)
from tmbr.tuning.policy.sampler import Played
from tmbr.tuning.policy.turns import Earned, Turn


def test_gae_by_hand() -> None:
    rewards, values = torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.2, 0.4, 0.6])
    # δ₃ = 1 - 0.6; δ₂ = 0.5 + 0.9 × 0.6 - 0.4; δ₁ = 0.9 × 0.4 - 0.2; each adds 0.9 × 0.5 of the next.
    third = 0.4
    second = 0.64 + 0.45 * third
    first = 0.16 + 0.45 * second
    assert gae(rewards, values, 0.9, 0.5).tolist() == pytest.approx([first, second, third])


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=6))
def test_gae_between_outcome_and_critic(steps: list[tuple[float, float]]) -> None:
    rewards, values = (torch.tensor(column, dtype=torch.float64) for column in zip(*steps, strict=True))
    whole = gae(rewards, values, 1.0, 1.0)
    assert (whole + values).tolist() == pytest.approx(rewards.flip(0).cumsum(0).flip(0).tolist())
    following = torch.cat([values[1:], torch.zeros(1, dtype=torch.float64)])
    assert gae(rewards, values, 1.0, 0.0).tolist() == pytest.approx(
        (rewards + following - values).tolist()
    )


def test_normalised_has_mean_0_and_deviation_1() -> None:
    found = normalised(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert found.mean().item() == pytest.approx(0, abs=1e-6)
    assert found.std(correction=0).item() == pytest.approx(1)
    assert normalised(torch.tensor([3.0])).tolist() == [0.0]


def test_compared_within_a_group() -> None:
    assert compared([1.0, 0.0, 0.0, 1.0], deviation=False) == [0.5, -0.5, -0.5, 0.5]
    # The deviation is that of a sample: √(4 × 0.25 / 3).
    assert compared([1.0, 0.0, 0.0, 1.0], deviation=True)[0] == pytest.approx(0.866, abs=1e-3)
    assert compared([1.0, 1.0], deviation=True) == [0.0, 0.0]
    assert compared([1.0], deviation=True) == [0.0]


def test_episodes_are_compared_within_their_sample() -> None:
    assert by_episode(["x", "y", "x"], [1.0, 1.0, 0.0], deviation=False) == [0.5, 0.0, -0.5]


def _trace(id: str, seen: list[str]) -> Trace:
    """A prompt, then a turn to each of which the world says the next."""
    sample = Sample("s", "t", "train", "", {})
    trace = Trace(id, sample, Run("", "t", "m", "react", "none", 0))
    trace.add(Node(None, None, "root", Message("user", "go")))
    for at, words in enumerate(seen):
        trace.add(Node(at, at, "act", Message("assistant", "x"), True, step=Step(words)))
    return trace


def _turns(rewards: list[float], first: int = 1) -> list[Turn]:
    return [Turn(first + at, (1,), (2,), (0.0,), reward) for at, reward in enumerate(rewards)]


def _got(rewards: list[float], first: int = 1) -> Earned:
    return [(first + at, reward) for at, reward in enumerate(rewards)]


def test_turns_at_the_same_state_are_compared_by_what_came_after() -> None:
    one = (_trace("1", ["hall", "out"]), _turns([0.0, 1.0]))
    other = (_trace("2", ["hall", "pit"]), _turns([0.0, 0.0]))
    third = (_trace("3", ["cellar", "pit"]), _turns([0.0, 0.0]))
    found = by_state([one, other, third], gamma=0.5, deviation=False)
    # All began at `go`: returns 0.5, 0, 0. The first two met in the hall: 1 and 0. Nobody else was in
    # the cellar.
    assert found[0] == pytest.approx([1 / 3, 0.5])
    assert found[1] == pytest.approx([-1 / 6, -0.5])
    assert found[2] == pytest.approx([-1 / 6, 0.0])


def test_branches_are_compared_at_the_state_that_they_were_forked_from() -> None:
    trunk, other = _trace("trunk", ["a", "b", "c"]), _trace("other", ["a"])
    forest = [
        Played(trunk),
        Played(other),
        Played(_trace("early", ["a", "x"]), "trunk", 1),
        Played(_trace("late", ["a", "b", "y"]), "trunk", 2),
    ]
    turns = [_turns([0.0, 0.0, 1.0]), _turns([0.0]), _turns([0.0], first=2), _turns([0.5], first=3)]
    got = [_got([0.0, 0.0, 1.0]), _got([0.0]), _got([0.0], first=2), _got([0.5], first=3)]
    found = by_fork(forest, turns, got, deviation=False)
    # After node 2: the trunk's last turn 1, `late` 0.5. After node 1: the trunk's second turn is worth
    # the mean of both, 0.75, `early` 0. From the start: the trunk the mean of 1, 0, 0.5, the other 0.
    assert found[0] == pytest.approx([0.25, 0.375, 0.25])
    assert found[1] == pytest.approx([-0.25])
    assert found[2] == pytest.approx([-0.375])
    assert found[3] == pytest.approx([-0.25])


def test_rewards_before_a_fork_count_for_the_trunk_alone() -> None:
    forest = [Played(_trace("trunk", ["a", "b"])), Played(_trace("branch", ["a", "z"]), "trunk", 1)]
    turns = [_turns([-0.2, 1.0]), _turns([0.0], first=2)]
    got = [_got([-0.2, 1.0]), _got([0.0], first=2)]
    assert by_fork(forest, turns, got, deviation=False) == [[0.0, 0.5], [-0.5]]


def test_what_a_trunk_earned_after_a_fork_is_not_the_branchs_where_its_turn_is_left_out() -> None:
    forest = [Played(_trace("trunk", ["a", "b"])), Played(_trace("branch", ["a", "z"]), "trunk", 1)]
    # The trunk's winning turn was too long: its reward lies with the turn before.
    turns = [_turns([1.0]), _turns([0.0], first=2)]
    got = [_got([0.0, 1.0]), _got([0.0], first=2)]
    assert by_fork(forest, turns, got, deviation=False) == [[0.0], [-0.5]]
