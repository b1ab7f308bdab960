"""The task: samples, prompt, score, mistakes."""

from __future__ import annotations

from random import Random

import pytest

from tests.tasks.household.playing import command_of, take, written
from tests.tasks.playing import play
from tmbr.core.errors import ConfigError
from tmbr.core.types import Message
from tmbr.tasks.base import split_seed
from tmbr.tasks.household import Household
from tmbr.tasks.household.task import SIZES


def test_samples_are_made_when_they_are_asked_for() -> None:
    samples = Household().samples("train")
    assert len(samples) == SIZES["train"] == 20_000
    assert samples[3] == samples[3:4][0] == Household().samples("train")[3]
    assert samples[-1].id == "generated-train-19999"
    with pytest.raises(IndexError):
        samples[20_000]


def test_a_sample_says_what_its_game_asks() -> None:
    task = Household()
    for sample in task.samples("test")[:5]:
        assert task.game(sample).instruction == sample.instruction
        assert task.open(sample).observation.endswith(f"Your task is to: {sample.instruction}")


def test_seeds_of_the_splits_never_meet() -> None:
    seeds = {split: {split_seed(split, index, SIZES) for index in range(2000)} for split in SIZES}
    assert sum(map(len, seeds.values())) == len(set.union(*seeds.values())) == 6000


def test_the_score_is_whether_the_game_is_won() -> None:
    task = Household()
    sample = task.samples("validation")[0]
    session = task.open(sample)
    steps = [session.step(take(command)) for command in task.game(sample).walkthrough[:-1]]
    assert task.score(sample, session, steps).value == 0.0
    steps.append(session.step(take(task.game(sample).walkthrough[-1])))
    score = task.score(sample, session, steps)
    assert (score.value, score.success, steps[-1].status) == (1.0, True, "completed")


def test_the_prompt_holds_the_room_once() -> None:
    for form, roles in (("text", ["user"]), ("agentbench", ["system", "user"])):
        task = Household(form=form)
        messages = task.messages(task.samples("train")[0], "THE ROOM")
        assert [message.role for message in messages] == roles
        assert messages[-1].content.endswith("THE ROOM")
        assert "".join(message.content for message in messages).count("THE ROOM") == 1


def test_forms_are_part_of_the_version() -> None:
    assert Household(form="text").version != Household(form="agentbench").version


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_a_mistake_is_wrong_and_nearly_always_admissible(form: str) -> None:
    task = Household(form=form)
    rng = Random(0)

    def err(messages: list[Message]) -> Message:
        wrong = task.mistake(messages, rng)
        assert command_of(task, wrong) != command_of(task, task.expert(messages))
        return wrong

    games = [play(task, sample, err) for sample in task.samples("validation")[:10]]  # type: ignore[arg-type]
    turns = sum(len(game.steps) for game in games)
    assert sum(len(game.refused) for game in games) < 0.05 * turns
    assert not any(game.steps[-1].status == "completed" for game in games)


def test_a_slip_is_wrong_often_refused_and_mended() -> None:
    """Every fifth turn a slip: the expert still wins most games, and is itself never refused."""
    task = Household()
    rng = Random(0)
    slips: list[str] = []

    def stumble(messages: list[Message]) -> Message:
        if rng.random() > 0.2:
            return task.expert(messages)
        wrong = task.slip(messages, rng)
        slips.append(command_of(task, wrong))
        assert slips[-1] != command_of(task, task.expert(messages))
        return wrong

    games = [play(task, sample, stumble) for sample in task.samples("validation")[:40]]  # type: ignore[arg-type]
    refused = [command for game in games for command in written(game.refused)]
    assert 0.3 * len(slips) < len(refused) < 0.9 * len(slips)
    assert set(refused) <= set(slips)
    assert sum(game.steps[-1].status == "completed" for game in games) > 30


def test_a_mistake_is_drawn_from_the_generator_alone() -> None:
    task = Household()
    sample = task.samples("validation")[0]
    messages = task.messages(sample, task.open(sample).observation)
    assert task.mistake(messages, Random(1)) == task.mistake(messages, Random(1))
    assert len({task.mistake(messages, Random(seed)).content for seed in range(30)}) > 3


def test_a_mistyped_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'agentbench'"):
        Household(form="agentbensh")
    with pytest.raises(ConfigError, match="did you mean 'alfworld-valid_seen'"):
        Household("alfworld-valid_sen")
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        Household().samples("validatoin")
