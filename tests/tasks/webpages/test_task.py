"""The task: samples, prompt, score, mistakes."""

from __future__ import annotations

from random import Random

import pytest

from tests.tasks.playing import key_of, led, play
from tests.tasks.webpages.playing import winnable
from tmbr.core.errors import ConfigError
from tmbr.core.types import Message
from tmbr.tasks.webpages import WebPages
from tmbr.tasks.webpages.forms import FORMS
from tmbr.tasks.webpages.metrics import macro, micro
from tmbr.tasks.webpages.task import LIVE, SIZES, site_seed


def test_samples_are_made_when_they_are_asked_for() -> None:
    live = WebPages("generated").samples("train")
    assert len(live) == LIVE["train"] == 20_000
    assert live[3] == live[3:4][0] == WebPages("generated").samples("train")[3]
    assert live[-1].id == "generated-train-19999"
    with pytest.raises(IndexError):
        live[20_000]


def test_a_recorded_sample_is_one_step_and_a_task_has_all_of_its_own() -> None:
    samples = WebPages("generated-steps").samples("validation")
    task = WebPages("generated-steps")
    first = task.recorded(samples[0]).task
    assert [samples[at].id for at in range(len(first.steps) + 1)] == [
        *(f"generated-steps-validation-0-{at}" for at in range(len(first.steps))),
        "generated-steps-validation-1-0",
    ]
    assert samples[-1].id.startswith(f"generated-steps-validation-{SIZES['validation'] - 1}-")
    assert sum(sample.setup["step"] == 0 for sample in samples) == SIZES["validation"]
    last = task.recorded(samples[-1])
    assert last.number == len(last.task.steps) - 1
    assert len(WebPages("generated-steps").samples("train")) > 20_000


def test_a_sample_says_what_its_site_asks() -> None:
    for data in ("generated-steps", "generated"):
        task = WebPages(data)
        for sample in task.samples("test")[:20]:
            assert f"\nTask: {sample.instruction}\n" in task.open(sample).observation
            assert sample.target is None


def test_seeds_of_the_splits_never_meet() -> None:
    seeds = {split: {site_seed(split, index) for index in range(2000)} for split in SIZES}
    assert sum(map(len, seeds.values())) == len(set.union(*seeds.values())) == 6000


@pytest.mark.parametrize("form", FORMS)
def test_the_walkthrough_of_a_visit_reaches_its_goal(form: str) -> None:
    task = WebPages("generated", form)
    for sample in task.samples("train")[:40]:
        played = led(task, sample)
        assert played.score.success
        assert played.steps[-1].status == "completed"
        assert not played.refused
        assert len(played.steps) == task.visit(sample).length


@pytest.mark.parametrize("form", FORMS)
def test_the_walkthrough_of_a_step_is_right_wherever_its_pool_has_a_right_element(form: str) -> None:
    task = WebPages("generated-steps", form)
    scores = []
    for sample in task.samples("test")[:250]:
        played = led(task, sample)
        assert played.score.success == winnable(task.recorded(sample))
        assert not played.refused
        assert len(played.steps) <= 3
        scores.append(played.score)
    assert 0.75 < sum(score.value for score in scores) / len(scores) < 0.98
    details = [score.detail for score in scores]
    assert {detail["ranker"] for detail in details} == {"bm25"}
    assert micro(details)["step_success"] == sum(score.value for score in scores) / len(scores)
    assert 0 < macro(details)["task_success"] < macro(details)["step_success"] < 1


def test_forms_are_part_of_the_version() -> None:
    assert WebPages(form="text").version != WebPages(form="agentbench").version


@pytest.mark.parametrize("form", FORMS)
def test_a_mistake_on_a_live_site_is_wrong_and_admissible_and_ends_nothing(form: str) -> None:
    task = WebPages("generated", form)
    rng = Random(0)

    def err(messages: list[Message]) -> Message:
        wrong = task.mistake(messages, rng)
        assert wrong.content != task.expert(messages).content
        return wrong

    games = [play(task, sample, err) for sample in task.samples("validation")[:15]]  # type: ignore[arg-type]
    assert not any(game.refused for game in games)
    assert {game.steps[-1].status for game in games} == {"task limit reached"}


def test_a_mistake_in_a_recorded_step_is_another_choice() -> None:
    task = WebPages("generated-steps")
    rng = Random(0)
    for sample in task.samples("validation")[:60]:
        messages = task.messages(sample, task.open(sample).observation)
        wrong, right = task.mistake(messages, rng).content, task.expert(messages).content
        assert wrong.splitlines()[1] != right.splitlines()[1]


def test_a_slip_is_wrong_often_refused_and_mended() -> None:
    """Every fifth turn a slip: the expert still reaches its goal, and is itself never refused."""
    task = WebPages("generated")
    rng = Random(0)
    slips: list[str] = []

    def stumble(messages: list[Message]) -> Message:
        if rng.random() > 0.2:
            return task.expert(messages)
        wrong = task.slip(messages, rng)
        slips.append(key_of(task, wrong))
        assert slips[-1] != key_of(task, task.expert(messages))
        return wrong

    games = [play(task, sample, stumble) for sample in task.samples("validation")[:40]]  # type: ignore[arg-type]
    refused = [action.key for game in games for action in game.refused]
    assert 0.3 * len(slips) < len(refused) < 0.9 * len(slips)
    assert set(refused) <= set(slips)
    assert sum(game.score.success for game in games) > 35


def test_a_mistake_is_drawn_from_the_generator_alone() -> None:
    for data in ("generated-steps", "generated"):
        task = WebPages(data)
        sample = task.samples("validation")[0]
        messages = task.messages(sample, task.open(sample).observation)
        for draw in (task.mistake, task.slip):
            assert draw(messages, Random(1)) == draw(messages, Random(1))
            assert len({draw(messages, Random(seed)).content for seed in range(30)}) > 3


def test_a_mistyped_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'agentbench'"):
        WebPages(form="agentbensh")
    with pytest.raises(ConfigError, match="did you mean 'mind2web-test_task'"):
        WebPages("mind2web-test_tsk")
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        WebPages("generated").samples("validatoin")
