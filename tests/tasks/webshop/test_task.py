"""The task: samples, prompt, score, mistakes, generated goods."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.tasks.playing import play
from tests.tasks.webshop.playing import click, search
from tmbr.core.errors import ConfigError
from tmbr.core.types import Message, digest
from tmbr.environments.webshop import FAMILIES, GENERATOR, Catalogue, reward
from tmbr.environments.webshop.goods import KINDS
from tmbr.environments.webshop.nouns import nouns
from tmbr.tasks.webshop import Webshop
from tmbr.tasks.webshop.data import read_goal
from tmbr.tasks.webshop.task import PRODUCTS, SIZES

CODE = """
from tests.tasks.webshop.test_task import content
print(content())
"""


def content() -> str:
    """Goods and goals of the generator, as a digest."""
    goods = [repr(product) for seed in range(FAMILIES) for product in Catalogue(seed, 40)]
    samples = Webshop().samples("train")[:40]
    return digest([goods, [[sample.instruction, sample.target] for sample in samples]])


def test_equal_seeds_give_equal_bytes_in_every_process() -> None:
    for salt in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", CODE],
            env={**os.environ, "PYTHONHASHSEED": salt},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert said.strip() == content()


def test_the_generator_is_the_one_that_was_named() -> None:
    assert {GENERATOR: content()} == {"1": "9ceda5811f9468d7"}, "raise GENERATOR when its goods change"


def test_splits_share_no_product() -> None:
    shops = [Catalogue(seed, PRODUCTS) for seed in range(len(SIZES))]
    for of in (lambda p: p.id, lambda p: p.title):
        names = [{of(product) for product in shop} for shop in shops]
        assert len(set.union(*names)) == sum(map(len, names)) == len(SIZES) * PRODUCTS
    assert len({product.id for product in Catalogue(FAMILIES, 500)} | {p.id for p in shops[0]}) == 1500


def test_samples_are_made_when_they_are_asked_for() -> None:
    samples = Webshop().samples("train")
    assert len(samples) == SIZES["train"] == 20_000
    assert samples[3] == samples[3:4][0] == Webshop().samples("train")[3]
    assert samples[-1].id == "generated-train-19999"
    assert len({sample.instruction for sample in samples[:2000]}) > 1900
    assert json.loads(json.dumps(samples[0].target))["id"] == samples[0].target["id"]
    with pytest.raises(IndexError):
        samples[20_000]


def test_every_goal_can_be_met_in_full_and_no_other_kind_meets_it() -> None:
    task = Webshop()
    for sample in task.samples("validation")[:300]:
        goal = read_goal(json.loads(json.dumps(sample.target)))
        products = {product.id: product for product in task.shop(sample).products}
        assert isinstance(goal.options, dict)
        value, detail = reward(goal, products[goal.id], goal.options.values())
        assert value == 1.0, (goal, detail)
        other = next(p for p in products.values() if p.query != goal.query)
        assert reward(goal, other, ())[0] < 1.0


def test_every_option_of_every_kind_matches_itself() -> None:
    """A colour inside a word would be taken for the whole: `white wash` is `ash` to the reference."""
    task = Webshop()
    goal, product = (
        read_goal(task.samples("train")[0].target),
        task.shop(task.samples("train")[0]).products[0],
    )
    for kind in KINDS:
        assert nouns(kind.name.title())
        for name, values in kind.options.items():
            for value in values:
                asked = type(goal)(
                    **{
                        **{slot: getattr(goal, slot) for slot in goal.__slots__},
                        "options": {name: value},
                    }
                )
                assert reward(asked, product, [value])[1]["options"] == 1.0, (name, value)


def test_the_score_is_of_what_was_bought() -> None:
    task = Webshop()
    sample = task.samples("validation")[0]
    session = task.open(sample)
    assert task.score(sample, session, []).value == 0.0
    session.step(search(sample.instruction))
    session.step(click(next(iter(list(session.state.view.clickables)[2:]))))  # type: ignore[attr-defined]
    assert task.score(sample, session, []).value == 0.0
    session.step(click("buy now"))
    score = task.score(sample, session, [])
    assert 0.0 < score.value < 1.0
    assert not score.success
    assert score.detail["tagger"] == "rules-1"
    assert str(score.value) not in session.observation


def test_the_prompt_holds_the_page_once() -> None:
    for form, roles in (("text", ["user"]), ("agentbench", ["system", "user"])):
        task = Webshop(form=form)
        messages = task.messages(task.samples("train")[0], "THE PAGE")
        assert [message.role for message in messages] == roles
        assert messages[-1].content.endswith("THE PAGE")
        assert "".join(message.content for message in messages).count("THE PAGE") == 1


def test_forms_are_part_of_the_version() -> None:
    assert Webshop(form="text").version != Webshop(form="agentbench").version


@pytest.mark.parametrize("form", ["text", "agentbench"])
@pytest.mark.parametrize("error", ["mistake", "slip"])
def test_errors_are_errors_and_never_buy(form: str, error: str) -> None:
    task = Webshop(form=form)
    rng = Random(0)

    def err(messages: list[Message]) -> Message:
        wrong = getattr(task, error)(messages, rng)
        assert wrong != task.expert(messages)
        return wrong  # type: ignore[no-any-return]

    games = [play(task, sample, err) for sample in task.samples("validation")[:10]]  # type: ignore[arg-type]
    turns = sum(len(game.steps) for game in games)
    assert sum(len(game.refused) for game in games) < 0.1 * turns
    assert {game.steps[-1].status for game in games} == {"task limit reached"}


def test_the_expert_mends_a_learners_slips() -> None:
    task = Webshop()
    rng = Random(0)

    def stumble(messages: list[Message]) -> Message:
        return task.slip(messages, rng) if rng.random() < 0.15 else task.expert(messages)

    games = [play(task, sample, stumble) for sample in task.samples("validation")[:60]]  # type: ignore[arg-type]
    assert sum(game.score.value for game in games) > 0.9 * len(games)


def test_an_error_is_drawn_from_the_generator_alone() -> None:
    task = Webshop()
    sample = task.samples("validation")[0]
    messages = play(task, sample, task.expert).messages[:3]
    assert task.mistake(messages, Random(1)) == task.mistake(messages, Random(1))
    assert len({task.mistake(messages, Random(seed)).content for seed in range(30)}) > 3


def test_a_mistyped_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'agentbench'"):
        Webshop(form="agentbensh")
    with pytest.raises(ConfigError, match="did you mean 'webshop-1k'"):
        Webshop("webshop-2k")
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        Webshop().samples("validatoin")
