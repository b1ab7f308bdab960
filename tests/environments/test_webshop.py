"""The shop: its pages as the reference shows them, and the reward as the reference gives it."""

from __future__ import annotations

import hashlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environments.webshop_files import (
    needs_files,
    next_move,
    purchase,
    shop,
    small_set,
    words_to_search,
)
from tmbr.environments.webshop import Goal, Product, Review, Shop, State, reward
from tmbr.environments.webshop.fuzzy import token_set_ratio
from tmbr.environments.webshop.goals import NO_LIMIT, human, synthetic, type_factor
from tmbr.environments.webshop.nouns import nouns
from tmbr.tasks.webshop.forms import parse_action

#: What WebShop (its text mode, on its small set, with the tagger of this project) showed and gave.
REFERENCE_WALKS = "d638dc35d8c9708c"
REFERENCE_REWARDS = "f121e799fb0242c1"


def product(name: str = "B000000001", **changed: object) -> Product:
    told: dict[str, object] = {
        "id": name,
        "title": "Acme Steel Tea Kettle",
        "description": "Boils fast.",
        "bullets": ("Stainless steel", "Easy to clean"),
        "tag": "$20.0",
        "price": 20.0,
        "options": {"color": ("red", "blue"), "size": ("1 l", "2 l")},
        "attributes": ("stainless steel", "easy clean"),
        "category": "garden",
        "query": "kettles",
        "kind": "Home › Kitchen › Kettles",
    }
    return Product(**{**told, **changed})  # type: ignore[arg-type]


def act(state: State, action: str) -> State:
    name, argument = parse_action(action)
    if argument is None:
        return state
    return state.search(argument) if name == "search" else state.click(argument.lower()) or state


def walked(state: State, *actions: str) -> State:
    for action in actions:
        state = act(state, action)
    return state


@needs_files
def test_walks_show_what_the_reference_shows() -> None:
    market = small_set()
    seen = hashlib.sha256()
    for episode in range(60):
        rng = Random(episode)
        goal = market.goals[rng.randrange(len(market.goals))]
        state = market.shop.open(goal.instruction)
        words = words_to_search(goal.instruction, market.shop.products)
        for _ in range(20):
            view, names = state.view, list(state.view.clickables)
            seen.update(repr((view.observation, names, view.has_search_bar)).encode())
            action = next_move(rng, view.has_search_bar, names, words)
            name, argument = parse_action(action)
            state = act(state, f"{name}[{argument.lower()}]" if argument else action)
            if state.page == "done":
                break
    assert seen.hexdigest()[:16] == REFERENCE_WALKS


@needs_files
def test_rewards_are_the_references() -> None:
    market = small_set()
    products = market.shop.products
    rng, given_ = Random(7), hashlib.sha256()
    for _ in range(2000):
        goal = market.goals[rng.randrange(len(market.goals))]
        same = [p for p in products if p.query == goal.query]
        bought = rng.choice(rng.choice([products, same, [p for p in products if p.id == goal.id]]))
        value, _ = reward(goal, bought, purchase(rng, bought).values())
        given_.update(repr(value).encode())
    assert given_.hexdigest()[:16] == REFERENCE_REWARDS


@needs_files
def test_forks_share_the_shop() -> None:
    first = shop().open("buy")
    assert first.search("tea").shop is shop()


SHOP = Shop.build([product(f"B{n:09d}", title=f"Kettle Number {n}") for n in range(23)])
ITEM = walked(SHOP.open("get a kettle"), "search[kettle]", "click[b000000004]")


def test_pages_read_as_in_the_reference() -> None:
    start = SHOP.open("get a kettle")
    assert start.view.observation == "WebShop [SEP] Instruction: [SEP] get a kettle [SEP] Search"
    assert (list(start.view.clickables), start.view.has_search_bar) == (["search"], True)
    results = start.search("kettle number 7")
    assert results.view.observation.startswith(
        "Instruction: [SEP] get a kettle [SEP] Back to Search [SEP] Page 1 (Total results: 23) [SEP] "
        "Next > [SEP] B000000007 [SEP] Kettle Number 7 [SEP] $20.0 [SEP] B000000000 [SEP] Kettle Num"
    )
    assert list(results.view.clickables)[:3] == ["back to search", "next >", "b000000007"]
    assert ITEM.view.observation == (
        "Instruction: [SEP] get a kettle [SEP] Back to Search [SEP] < Prev [SEP] color [SEP] red [SEP] "
        "blue [SEP] size [SEP] 1 l [SEP] 2 l [SEP] Kettle Number 4 [SEP] Price: $20.0 "
        "[SEP] Rating: N.A. [SEP] Description [SEP] Features [SEP] Reviews [SEP] Buy Now"
    )
    buttons = ["back to search", "< prev", "description", "features", "reviews", "buy now"]
    assert list(ITEM.view.clickables) == [*buttons, "red", "blue", "1 l", "2 l"]
    assert walked(ITEM, "click[features]").view.observation.endswith(
        "< Prev [SEP] Stainless steel [SEP] Easy to clean"
    )


def test_pages_of_results_go_on_for_ever_and_back() -> None:
    results = SHOP.open("x").search("kettle")
    third = walked(results, "click[next >]", "click[next >]")
    assert third.view.observation.count("Kettle") == 3
    beyond = walked(third, "click[next >]")
    assert beyond.view.observation.endswith("Page 4 (Total results: 23) [SEP] < Prev [SEP] Next >")
    assert walked(beyond, "click[< prev]") == third
    assert "< prev" not in results.view.clickables


def test_prev_leads_from_details_to_the_item_and_from_there_to_its_results() -> None:
    chosen = walked(ITEM, "click[red]", "click[2 l]", "click[blue]")
    assert chosen.options == (("color", "blue"), ("size", "2 l"))
    details = walked(chosen, "click[description]")
    assert walked(details, "click[< prev]") == chosen
    results = walked(details, "click[< prev]", "click[< prev]")
    assert (results.page, results.options) == ("results", ())
    assert walked(details, "click[back to search]") == SHOP.open("get a kettle")


def test_attributes_have_a_page_where_the_shop_shows_them() -> None:
    open_shop = Shop.build([product()], show_attributes=True)
    item = walked(open_shop.open("x"), "search[kettle]", "click[b000000001]")
    told = walked(item, "click[attributes]").view.observation
    end = "stainless steel [SEP] easy clean [SEP] garden [SEP] kettles [SEP] Home › Kitchen › Kettles"
    assert told.endswith(end)
    assert "attributes" not in ITEM.view.clickables


def test_the_last_page_does_not_tell_the_score() -> None:
    done = walked(ITEM, "click[red]", "click[buy now]")
    assert done.view.observation.endswith('B000000004 [SEP] options [SEP] {"color": "red"}')
    assert not done.view.clickables


def test_an_option_that_is_called_like_a_button_does_what_the_button_does() -> None:
    odd = Shop.build([product(options={"kind": ("buy now", "reviews", "a"), "way": ("< prev", "a")})])
    item = walked(odd.open("x"), "search[kettle]", "click[b000000001]")
    assert walked(item, "click[buy now]").page == "done"
    assert walked(item, "click[reviews]").page == "sub"
    assert walked(item, "click[< prev]").page == "results"
    assert walked(item, "click[a]").options == (("way", "a"),)


def test_white_space_survives_as_the_parser_leaves_it() -> None:
    """Lines that the reference showed for such products."""
    odd = Shop.build(
        [
            product(
                title=" Kettle ",
                description=" \n ",
                bullets=("", " b\n c ", "  \t"),
                reviews=(Review("Good & <cheap>", "", 4), Review("", "ok", 5.0)),
            )
        ]
    )
    item = walked(odd.open(" x "), "search[kettle]", "click[b000000001]")
    assert "[SEP] Kettle [SEP] Price" in item.view.observation
    assert walked(item, "click[description]").view.observation.endswith("[SEP] < Prev")
    assert walked(item, "click[features]").view.observation.endswith("< Prev [SEP]  [SEP] b\n c [SEP] ")
    said = '< Prev [SEP] "Good & <cheap>" [SEP] 4 [SEP] "" [SEP] 5.0 [SEP] ok'
    assert walked(item, "click[reviews]").view.observation.endswith(said)


actions = st.sampled_from(["search[kettle]", "search[number 7]", "click[search]", "click[zzz]"])


@given(st.lists(st.integers(0, 99), max_size=25))
def test_states_are_values(numbers: list[int]) -> None:
    def walk() -> list[State]:
        states = [SHOP.open("x")]
        for number in numbers:
            names = [*(f"click[{name}]" for name in states[-1].view.clickables), "search[kettle]"]
            states.append(act(states[-1], names[number % len(names)]))
        return states

    first, second = walk(), walk()
    assert first == second
    keys = {state: state.key for state in first if state.page != "done"}
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize(
    ("one", "other", "percent"),
    [
        ("long lasting", "lasting long", 100),
        ("rubber sole", "rubber soles", 96),
        ("hand wash", "machine wash", 67),
        ("blue", "bule", 75),
        ("('size', 'large')", "large", 100),
        ("", "a", 0),
        ("é", "é", 0),
        ("pack of 2", "pack of 12", 95),
        ("a_b", "a b", 67),
        ("tea tree oil", "tea trees oil", 96),
    ],
)
def test_likeness_is_thefuzzs(one: str, other: str, percent: int) -> None:
    assert token_set_ratio(one, other) == token_set_ratio(other, one) == percent


def goal(**changed: object) -> Goal:
    told = synthetic(product(), "find me a kettle", ["stainless steel", "easy clean"], Random(0))[-1]
    return Goal(**{**{name: getattr(told, name) for name in Goal.__slots__}, **changed})  # type: ignore[arg-type]


def test_a_goal_is_made_for_each_combination_with_one_limit() -> None:
    goals = synthetic(product(), "find me a kettle", ["stainless steel"], Random(0))
    assert [list(dict(one.options).values()) for one in goals] == [
        ["red", "1 l"],
        ["red", "2 l"],
        ["blue", "1 l"],
        ["blue", "2 l"],
    ]
    assert len({one.limit for one in goals}) == 1
    assert 30 <= goals[0].limit <= 60
    limit = f"{goals[0].limit:.2f}"
    told = f"find me a kettle with color: red, and size: 1 l, and price lower than {limit} dollars"
    assert goals[0].instruction == told
    dear = synthetic(product(price=985.0), "find me a kettle", ["x"], Random(0))[0]
    assert (dear.limit, dear.instruction) == (
        NO_LIMIT,
        "find me a kettle with color: red, and size: 1 l",
    )
    written = human(product(), "a kettle.", ["easy clean"], ["red"], Random(0))
    assert written.instruction.startswith("a kettle, and price lower than ")


@pytest.mark.parametrize(
    ("bought", "options", "value"),
    [
        ({}, ["blue", "2 l"], 1.0),
        ({}, ["blue"], 0.8),
        ({}, ["red", "1 l"], 0.6),
        ({"price": 1000.0}, ["blue", "2 l"], 0.8),
        ({"attributes": (), "bullets": ()}, ["blue", "2 l"], 0.6),
        ({"attributes": (), "description": "Easy clean, stainless steel."}, ["blue", "2 l"], 1.0),
        ({"title": "Garden Hose"}, ["blue", "2 l"], 0.0),
        ({"query": "pots", "kind": "Home › Pots", "title": "Steel Pot"}, ["blue", "2 l"], 1.0),
    ],
)
def test_the_reward_counts_attributes_options_and_price(
    bought: dict[str, object], options: list[str], value: float
) -> None:
    assert reward(goal(), product(**bought), options)[0] == pytest.approx(value)


def test_the_type_weighs_the_whole() -> None:
    long = goal(title=" ".join(f"Word{n}" for n in "abcdefghijkl") + " Kettle")
    assert type_factor(long, product(title="Kettle"))[0] == 0.1
    elsewhere = product(title="Worda Wordb", query="pots", kind="Home › Pots")
    assert type_factor(long, elsewhere)[0] == 0.5
    assert type_factor(goal(title="12 of"), product(query="x", kind="y"))[1]["title"] == 0.2


def test_the_tagger_takes_names_and_things() -> None:
    title = "Acme 12V Women's Large Easy-to-Clean Steel Kettle with Lid, 2 Pcs (Blue)"
    assert nouns(title) == ("acme", "women", "steel", "kettle", "lid", "blue")
    assert nouns("of the 100 - !") == ()
