"""One shop episode under AgentBench's rules."""

from __future__ import annotations

import pytest

from tests.tasks.webshop.playing import click, search
from tmbr.core.types import Action, Step
from tmbr.environments.webshop import Product, Shop
from tmbr.tasks.webshop.forms import FORMS
from tmbr.tasks.webshop.session import ROUNDS, WebshopSession

OPTIONS = {"size": ("big", "[s]mall", "a]")}
SHOP = Shop.build(
    [
        Product(
            f"B{n:09d}", f"Kettle {n}", "", ("x",), "$1.0", 1.0, OPTIONS, ("a",), "c", "kettle", "k"
        )
        for n in range(3)
    ]
)
TO_ITEM = [search("kettle"), click("B000000001")]


def opened(form: str = "text") -> WebshopSession:
    return WebshopSession(SHOP.open("get it"), FORMS[form]())


def say(session: WebshopSession, *actions: Action | None) -> list[Step]:
    return [session.step(action) for action in actions]


@pytest.mark.parametrize("last", [search("kettle"), click("nothing"), None])
def test_twenty_rounds_are_the_limit_whatever_they_hold(last: Action | None) -> None:
    session = opened()
    steps = say(session, *[search("kettle"), None] * 9, search("x"))
    assert not any(step.done for step in steps)
    (step,) = say(session, last)
    assert (step.done, step.status) == (True, "task limit reached")
    assert ROUNDS == 20
    before = session.state_key()
    assert say(session, *TO_ITEM, None) == [Step("The episode is over.", True, step.status)] * 3
    assert session.state_key() == before


def test_buying_completes_even_in_the_last_round() -> None:
    session = opened()
    steps = say(session, *[None] * 17, *TO_ITEM, click("Buy Now"))
    assert [step.done for step in steps] == [False] * 19 + [True]
    assert (steps[-1].status, steps[-1].admissible) == ("completed", True)
    assert "B000000001" in steps[-1].observation


def test_turns_without_an_action_never_fail_by_themselves() -> None:
    for form in FORMS:
        session = opened(form)
        page = session.state
        steps = say(session, *[None] * 19)
        assert all(step.status is None and step.admissible is None for step in steps)
        assert session.state is page
        assert FORMS[form].no_action in steps[0].observation


def test_what_is_clicked_and_searched_is_lowered() -> None:
    session = opened()
    say(session, search("KETTLE"), click("b000000002"), click("BIG"))
    assert session.state.keywords == "kettle"
    assert session.state.options == (("size", "big"),)


def test_a_search_works_on_every_page() -> None:
    (*_, step) = say(opened(), *TO_ITEM, search("kettle 2"))
    assert step.admissible is True
    assert "Page 1 (Total results: 3)" in step.observation


@pytest.mark.parametrize(
    "action",
    [
        click("search"),
        click("big "),
        click("b000000009"),
        click(""),
        search(""),
        search("\nkettle"),
        search("a [b] c"),
        click("[s]mall"),  # WebShop reads the argument from the last bracket, so this cannot be clicked
    ],
)
def test_what_the_page_does_not_offer_changes_nothing(action: Action) -> None:
    session = opened()
    *_, before = say(session, *TO_ITEM)
    page = session.state
    (step,) = say(session, action)
    assert step == Step(before.observation, admissible=False)
    assert session.state is page


def test_a_click_is_read_to_the_last_bracket_of_its_first_line() -> None:
    session = opened()
    say(session, *TO_ITEM, click("a]"))
    assert session.state.options == (("size", "a]"),)
    sly = click("buy now]\nor not")
    assert session.ends(sly)
    (step,) = say(session, sly)
    assert step.done


@pytest.mark.parametrize("form", FORMS)
def test_only_buying_ends_and_only_where_there_is_something_to_buy(form: str) -> None:
    session = opened(form)
    assert not session.ends(click("buy now"))
    say(session, *TO_ITEM)
    assert session.ends(click("Buy Now"))
    assert not session.ends(click("buy now "))
    assert not session.ends(click("big"))
    assert not session.ends(search("buy now"))


def test_what_agentbench_shows() -> None:
    session = opened("agentbench")
    assert session.observation == (
        "The initial observation:\nWebShop [SEP] Instruction: [SEP] get it [SEP] Search\n\n"
        "Available Actions:\n{'has_search_bar': True, 'clickables': ['search']}"
    )
    (step,) = say(session, search("Kettle"))
    assert step.observation.startswith(
        "Action: search[Kettle]\n\nObservation:\nInstruction: [SEP] get it"
    )
    assert step.observation.endswith(
        "\n\nAvailable Actions:\n{'has_search_bar': False, 'clickables': ['back to search', 'next >', "
        "'b000000000', 'b000000001', 'b000000002']}"
    )
    (step,) = say(session, search("x" * 10_000))
    assert len(step.observation) < 1500


def test_a_fork_is_as_deep_as_it_is_cheap() -> None:
    session = opened()
    say(session, *TO_ITEM)
    fork = session.fork()
    say(fork, click("big"), click("buy now"))
    assert session.state.options == ()
    assert not session.step(click("big")).done
    assert fork.state.page == "done"
