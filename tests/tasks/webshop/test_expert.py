"""The expert acts on what it is told alone, buys in time, and reads what it is not told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environments.webshop_files import DATA, needs_files
from tests.tasks.playing import play
from tmbr.core.types import Message
from tmbr.tasks.webshop import Webshop
from tmbr.tasks.webshop.expert import ROUNDS, Move, decide
from tmbr.tasks.webshop.memory import read_page
from tmbr.tasks.webshop.session import ROUNDS as LIMIT
from tmbr.tasks.webshop.wish import Wish, read_wish

NOTE = "An earlier try did not reach the goal. It did: search[tea]; click[buy now]. Take another way."


@pytest.mark.parametrize(("form", "count"), [("text", 200), ("agentbench", 60)])
def test_it_buys_what_is_asked_for_in_the_generated_shop(form: str, count: int) -> None:
    task = Webshop(form=form)
    games = [play(task, sample, task.expert) for sample in task.samples("validation")[:count]]
    assert [game.refused for game in games if game.refused] == []
    assert {game.steps[-1].status for game in games} == {"completed"}
    assert sum(game.score.success for game in games) >= 0.95 * count
    assert sum(game.score.value for game in games) >= 0.98 * count
    assert ROUNDS == LIMIT


@needs_files
def test_it_does_better_than_the_first_result_on_webshops_products() -> None:
    task = Webshop("webshop-1k", root=DATA)
    games = [play(task, sample, task.expert) for sample in task.samples("validation")[:150]]
    assert {game.steps[-1].status for game in games} == {"completed"}
    assert sum(game.score.value for game in games) > 0.72 * len(games)


@pytest.mark.parametrize("data", ["generated", "webshop-1k"])
def test_the_walkthrough_earns_everything_without_a_detour(data: str) -> None:
    if data == "webshop-1k":
        pytest.importorskip("numpy")
        if not (DATA / "webshop" / "items_ins_v2_1000.json").is_file():
            pytest.skip("WebShop's small set is not here; set TMBR_DATA")
    task = Webshop(data, root=DATA)
    scores = []
    for sample in task.samples("validation")[:100]:
        said = task.walkthrough(sample)
        game = play(task, sample, lambda messages, said=said: said[len(messages) // 2])  # type: ignore[misc]
        assert len(game.steps) == len(said)
        scores.append(game.score.value)
    if data == "generated":
        assert set(scores) == {1.0}
    else:  # some options of WebShop are not to be matched, not even by themselves
        assert sum(scores) > 0.95 * len(scores)


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_a_note_of_an_earlier_try_does_not_confuse_it(form: str) -> None:
    task = Webshop(form=form)
    for sample in task.samples("validation")[:12]:
        plain = play(task, sample, task.expert)
        noted = play(task, sample, task.expert, NOTE)
        assert [a.key for a in noted.actions] == [a.key for a in plain.actions]


@pytest.mark.parametrize(
    ("told", "wish"),
    [
        (
            "find me oil free, shea butter body lotion with scent: cedar, and size: 200 ml, "
            "and price lower than 20.00 dollars",
            Wish(("oil free",), ("shea", "butter", "body", "lotion"), ("cedar", "200 ml"), 20.0),
        ),
        (
            "i am looking for sandals with these properties: open toe, vegan leather with color: red",
            Wish(("open toe", "vegan leather"), ("sandals",), ("red",), None),
        ),
        (
            "i need cookies. please make sure of the following: non gmo, and price lower than 9.00 "
            "dollars",
            Wish(("non gmo",), ("cookies",), (), 9.0),
        ),
        (
            "Find me machine wash men's shirts with classic fit, needle sleeve for daily wear "
            "with color: black with white, and fit type: youth",
            Wish(
                ("classic fit", "needle sleeve", "daily wear"),
                ("machine", "wash", "men", "s", "shirts"),
                ("black with white", "youth"),
                None,
            ),
        ),
        ("i would like a red kettle", Wish((), ("red", "kettle"), (), None)),
        ("", Wish((), (), (), None)),
    ],
)
def test_wishes_are_read_from_sentences(told: str, wish: Wish) -> None:
    assert read_wish(told) == wish
    assert wish.keywords


@given(st.text() | st.text("find me with : , and price lower than 1.dollars[]"))
def test_any_instruction_is_a_wish_that_can_be_searched(told: str) -> None:
    keywords = read_wish(told).keywords
    assert keywords
    assert not set("[]\n") & set(keywords)


PARTS = (
    "Instruction:|x|Back to Search|< Prev|Next >|Page 1 (Total results: 3)|B1|$1.0|WebShop|Price: $2|"
    "Rating: 1|Buy Now|size|Search"
)
parts = st.sampled_from(PARTS.split("|")) | st.text(max_size=8)
pages = st.lists(parts, max_size=12).map(" [SEP] ".join)


@given(
    pages, st.lists(st.tuples(st.sampled_from(["search_action", "click_action", ""]), st.text(), pages))
)
def test_any_conversation_has_a_next_move(first: str, turns: list[tuple[str, str, str]]) -> None:
    move = decide(first, turns)
    assert isinstance(move, Move)
    assert move.argument
    assert read_page(f"Action: x\n\nObservation:\n{first}\n\nAvailable Actions:\n{{}}") == read_page(
        first
    )


def test_it_follows_what_it_is_told_and_not_the_state() -> None:
    task = Webshop()
    told = "Instruction: [SEP] find me warm, red hat with size: big [SEP] "
    head = f"{told}Back to Search [SEP] "
    start = f"WebShop [SEP] {told}Search"
    offers = "B1 [SEP] Cap [SEP] $3.0 [SEP] B2 [SEP] Red Hat [SEP] $4.0"
    results = f"{head}Page 1 (Total results: 2) [SEP] Next > [SEP] {offers}"
    shown = "Red Hat [SEP] Price: $4.0 [SEP] Rating: 3 [SEP] Buy Now"
    item = f"{head}< Prev [SEP] size [SEP] big [SEP] {shown}"
    messages = [Message("user", task.form.prompt + start)]

    def after(answer: str) -> str:
        said = task.expert(messages)
        messages.extend([said, Message("user", answer)])
        return task.expert(messages).content.rsplit("Action: ", 1)[1]

    assert after(results) == "click[b2]"
    assert after(item) == "click[features]"
    assert after(head + "< Prev [SEP] Very warm.") == "click[< prev]"
    assert after(item) == "click[big]"
    assert after(item) == "click[buy now]"


def test_an_option_that_another_took_the_place_of_is_chosen_again() -> None:
    told = "Instruction: [SEP] find me hat with size: big [SEP] "
    head = f"{told}Back to Search [SEP] "
    shown = "Hat [SEP] Price: $4.0 [SEP] Rating: 3 [SEP] Buy Now"
    item = f"{head}< Prev [SEP] size [SEP] big [SEP] small [SEP] {shown}"
    turns = [
        (
            "search_action",
            "hat",
            f"{head}Page 1 (Total results: 1) [SEP] Next > [SEP] B1 [SEP] Hat [SEP] $4.0",
        ),
        ("click_action", "b1", item),
        ("click_action", "big", item),
    ]
    first = f"WebShop [SEP] {told}Search"
    assert decide(first, turns).argument == "buy now"
    assert decide(first, [*turns, ("click_action", "small", item)]).argument == "big"
