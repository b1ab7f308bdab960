"""What trains is what was sampled, token for token, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.tuning.policy.playing import grpo, opened, ppo
from tmbr.core.errors import DataError
from tmbr.core.trace import Finish, Node, Run, Trace
from tmbr.core.types import Message, Sample, Score
from tmbr.tuning.policy.batch import Batch
from tmbr.tuning.policy.networks import Networks, sampled
from tmbr.tuning.policy.sampler import Ask, Played
from tmbr.tuning.policy.turns import Turn, earned, outcome, strands, turns


def test_a_batch_holds_the_sampled_ids_and_nothing_else(base: Path, tmp_path: Path) -> None:
    config = ppo(base)
    networks = Networks(config)
    worlds = opened(config, networks, tmp_path)
    try:
        played = worlds.play(0, Ask(1, 6))
        batch = Batch.of(played, worlds.prompt, outcome, config)
    finally:
        worlds.close()
    drawn = [
        token
        for one in played
        for node in one.trace.nodes
        if node.completion
        for token in node.completion.token_ids
    ]
    assert sampled(batch.strands).tolist() == drawn
    assert len(batch.strands) == 6  # each prompt goes on where the last answer ended
    text = networks.tokenizer.decode(batch.strands[0].ids)
    told = [node for node in played[0].trace.nodes if node.step]
    assert "<|im_start|>user\nOut. hall:<|im_end|>" in text
    assert text.count("<|im_start|>assistant") == len(told)
    assert batch.rewards.sum().item() == sum(
        one.trace.finish.score.value for one in played if one.trace.finish
    )
    # The sampler said how likely each token was; so does a plain forward pass over the whole strand.
    for index, strand in enumerate(batch.strands):
        logits = networks.causal(torch.tensor([strand.ids])).logits[0].log_softmax(-1)
        at = [place for start, end in strand.spans for place in range(start, end)]
        plain = torch.stack([logits[place - 1, strand.ids[place]] for place in at])
        mine = slice(batch.starts[index], batch.starts[index + 1])
        torch.testing.assert_close(plain, batch.sampler[mine], atol=1e-4, rtol=1e-4)


def test_a_branch_trains_only_what_it_sampled_itself(base: Path, tmp_path: Path) -> None:
    config = grpo(base, groups="tree", trunks=1, forks=1, group=3)
    worlds = opened(config, Networks(config), tmp_path)
    try:
        trunk, *branches = worlds.play(0, Ask(1, 1, 1, 2))
        again = worlds.play(0, Ask(1, 1, 1, 2))
        contents = [turns(one.trace, worlds.prompt, earned(one.trace)) for one in (trunk, *branches)]
    finally:
        worlds.close()
    assert [one.trace for one in again] == [trunk.trace, *(branch.trace for branch in branches)]
    assert len(branches) == 2
    for branch, mine in zip(branches, contents[1:], strict=True):
        assert branch.trunk == trunk.trace.id
        before = trunk.trace.nodes[: branch.node + 1]
        same = branch.trace.nodes[: branch.node + 1]
        assert [node.message for node in same] == [node.message for node in before]
        assert [node.step for node in same] == [node.step for node in before]
        assert [turn.node for turn in mine] == list(range(branch.node + 1, len(branch.trace.nodes)))


def _turn(prompt: list[int], tokens: list[int], reward: float = 0.0) -> Turn:
    return Turn(0, tuple(prompt), tuple(tokens), (0.0,) * len(tokens), reward)


def test_turns_are_one_sequence_while_prompts_go_on() -> None:
    content = [_turn([1, 2], [3]), _turn([1, 2, 3, 4], [5, 6]), _turn([1, 9], [7], 1.0)]
    found, cut = strands(content, 100)
    assert [(strand.ids, strand.spans) for strand in found] == [
        ([1, 2, 3, 4, 5, 6], [(2, 3), (4, 6)]),
        ([1, 9, 7], [(2, 3)]),
    ]
    assert cut == 0


def test_a_turn_that_is_too_long_leaves_its_reward_to_the_one_before() -> None:
    content = [_turn([1, 2], [3], -0.1), _turn([1, 2, 3, 4], [5, 6], 1.0)]
    found, cut = strands(content, 5)
    assert (cut, len(found), found[0].ids) == (1, 1, [1, 2, 3])
    assert found[0].turns[0].reward == pytest.approx(0.9)


def test_what_is_left_out_was_earned_all_the_same(base: Path, tmp_path: Path) -> None:
    config = ppo(base)
    worlds = opened(config, Networks(config), tmp_path)
    try:
        played = worlds.play(0, Ask(1, 6))
        whole = Batch.of(played, worlds.prompt, outcome, config)
        # As long as the shortest: of the others the end is left out.
        room = min(len(strand.ids) for strand in whole.strands)
        short = Batch.of(played, worlds.prompt, outcome, config.model_copy(update={"max_length": room}))
    finally:
        worlds.close()
    assert short.cut > 0
    assert short.earned == whole.earned
    for one, got in zip(played, whole.earned, strict=True):
        assert one.trace.finish is not None
        assert got[-1] == (one.trace.finish.leaf, one.trace.finish.score.value)


def test_nothing_to_learn_from_is_one_line(base: Path) -> None:
    run = Run("", "t", "m", "react", "none", 0)
    trace = Trace("1", Sample("s", "t", "train", "", {}), run)
    trace.add(Node(None, None, "root", Message("user", "go")))
    trace.finish = Finish(0, Score(0, False), "task error", error="EnvironmentFault: the disk is full")
    with pytest.raises(
        DataError, match="no episode of the round came to an end: EnvironmentFault: the"
    ):
        Batch.of([Played(trace)], lambda *_: (), outcome, ppo(base))
    trace.finish = Finish(0, Score(0, False), "completed")
    with pytest.raises(DataError, match="holds a sampled turn with token ids; play with"):
        Batch.of([Played(trace)], lambda *_: (), outcome, ppo(base))


def test_an_invalid_turn_costs(base: Path, tmp_path: Path) -> None:
    config = ppo(base)
    worlds = opened(config, Networks(config), tmp_path)
    try:
        (one,) = worlds.play(0, Ask(1, 1))
        node = one.trace.nodes[1]
        assert node.completion is not None
        got = earned(one.trace, lambda _, nodes: [0.0] * len(nodes), 0.5)
        mine = turns(one.trace, worlds.prompt, got)
    finally:
        worlds.close()
    invalid = [
        bool(node.error) or bool(node.step and node.step.admissible is False)
        for node in one.trace.nodes[1:]
    ]
    assert [turn.reward for turn in mine] == [-0.5 if bad else 0.0 for bad in invalid]
