"""Live sites: what actions do to them, where they lead astray, and how they are recorded."""

from __future__ import annotations

import time
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmbr.environments.webpages import parse, to_html, to_xml
from tmbr.environments.webpages.sites import (
    DEAD_ENDS,
    LONGEST,
    MEMBER,
    TAKES,
    THEMES,
    Outcome,
    State,
    Visit,
    act,
    generate,
    play,
    read,
    record,
)
from tmbr.environments.webpages.sites.flow import MOST_KEPT
from tmbr.environments.webpages.sites.generate import next_action

VISITS = [generate(seed) for seed in range(60)]
SHOP = next(v for v in VISITS if v.site.theme.name == "shop")
BOOKING = next(v for v in VISITS if v.site.theme.name == "booking")


def node(state: State, label: str) -> str:
    return next(key for key, control in state.page.controls.items() if control.label == label)


def do(state: State, label: str, value: str = "") -> State:
    """Use a control as it wants to be used."""
    key = node(state, label)
    answer = act(state, key, TAKES[state.page.controls[key].kind], value)
    assert not answer.refused
    return answer.state


def arrived(visit: Visit, page: str) -> State:
    """The first state of the straight way on a page."""
    return next(done.state for done in play(visit) if done.state.at[0] == page)


def committed(visit: Visit, state: State) -> Outcome:
    """What is committed when the straight way is gone on from a state."""
    while state.outcome is None:
        done = next_action(visit, state)
        state = act(state, done.node, done.operation, done.value).state
    return state.outcome


def test_equal_seeds_give_equal_visits_and_all_themes_come_up() -> None:
    for visit in VISITS[:8]:
        again = generate(visit.seed)
        assert (again.instruction, again.outcome) == (visit.instruction, visit.outcome)
        assert record(again) == record(visit)
    assert {visit.site.theme.name for visit in VISITS} == {theme.name for theme in THEMES}


def test_names_of_the_splits_never_meet() -> None:
    def names(family: int) -> set[str]:
        visits = [generate(seed) for seed in range(family, 300, 3)]
        sites = [visit.site for visit in visits]
        return {v.site.title.split()[0] for v in visits} | {
            item.name.split()[0] for site in sites for item in site.items
        }

    first, second, third = names(0), names(1), names(2)
    assert min(map(len, (first, second, third))) > 300
    assert not first & second | first & third | second & third


def test_every_sentence_is_read_back_and_its_way_reaches_its_end() -> None:
    for visit in VISITS:
        assert read(visit.instruction) == visit.goal
        done = play(visit)
        assert len(done) == visit.length
        end = act(done[-1].state, done[-1].node, done[-1].operation, done[-1].value).state
        assert end.outcome == visit.outcome
        assert end.at == ("done",)
    assert {len(play(visit)) for visit in VISITS} >= {9, 10, 11, 12, 13}
    operations = Counter(done.operation for visit in VISITS for done in play(visit))
    assert set(operations) == {"CLICK", "TYPE", "SELECT"}


@given(st.text())
def test_any_sentence_is_read_or_is_not_ours(sentence: str) -> None:
    assert read(sentence) is None
    theme = THEMES[len(sentence) % len(THEMES)]
    read(f"{theme.verb} the {sentence}")
    read(f"{theme.verb} a thing ({sentence}) with {sentence}")


def test_a_long_sentence_is_read_in_a_moment() -> None:
    for part in ("a (", "the . ", "(x, at most £1) with ", " and ", ". "):
        began = time.monotonic()
        read("Buy a " + part * 20_000)
        read("Buy the " + part * 20_000)
        assert time.monotonic() - began < 5


@given(
    st.integers(0, 59),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2), st.text()), max_size=25),
)
def test_any_actions_leave_a_page_that_can_be_shown(
    which: int, moves: list[tuple[int, int, str]]
) -> None:
    state = VISITS[which].site.start()
    for place, how, value in moves:
        nodes = [*state.page.controls, "999"]
        operation = ("CLICK", "TYPE", "SELECT")[how]
        before, key = state, nodes[place % len(nodes)]
        answer = act(state, key, operation, value)
        state = answer.state
        if answer.refused:
            assert state is before
            assert len(answer.refused) < 300
        page = parse(to_xml(state.page.cleaned.root))
        assert list(page.nodes) == list(state.page.cleaned.nodes)
        assert set(state.page.controls) <= set(page.nodes)
        assert len(state.page.controls) <= 25
        assert all(len(value) <= LONGEST for value in state.filled.values())
        assert len(state.kept) <= MOST_KEPT
        assert to_html(state.page.root).count("<body") == 1


def test_an_action_leaves_the_state_before_it_as_it_was() -> None:
    state = SHOP.site.start()
    key, xml = state.key, to_xml(state.page.cleaned.root)
    typed = do(state, "Product", "rain jacket")
    assert (state.key, to_xml(state.page.cleaned.root)) == (key, xml)
    assert typed.key != key
    assert 'input_value="rain jacket"' in to_xml(typed.page.cleaned.root)


@pytest.mark.parametrize(
    ("label", "operation", "value", "says"),
    [
        ("Product", "CLICK", "", "Product: a textbox takes TYPE."),
        ("Search", "TYPE", "x", "Search: a button takes CLICK."),
        ("Search", "", "", "Search: a button takes CLICK."),
    ],
)
def test_what_does_not_fit_is_refused(label: str, operation: str, value: str, says: str) -> None:
    state = SHOP.site.start()
    answer = act(state, node(state, label), operation, value)
    assert (answer.state, answer.refused) == (state, says)


def test_an_option_is_chosen_by_its_words_and_no_other_is_there() -> None:
    state = BOOKING.site.start()
    key = node(state, "Nights")
    assert act(state, key, "SELECT", "4").refused == "Nights: there is no option '4'."
    assert do(state, "Arrival", " friday ").filled == {"Arrival": "Friday"}


def test_a_page_leads_on_only_when_it_is_filled_in() -> None:
    state = do(SHOP.site.start(), "Search")
    assert (state.at, state.notice) == (("home",), "Please fill in: Product.")
    assert "Please fill in: Product." in state.page.root.words
    item = arrived(SHOP, "item")
    open_still = do(do(item, "Size", "choose"), "Add to basket")
    assert (open_still.at, open_still.notice) == (item.at, "Please fill in: Size.")
    assert do(do(item, "Size", "small"), "Add to basket").at == ("kept",)


def test_what_is_typed_is_one_line_of_a_hundred_characters() -> None:
    typed = do(SHOP.site.start(), "Product", "  a\x00\n\tb  " + "c" * 200)
    (value,) = typed.filled.values()
    assert value.startswith("a b c")
    assert len(value) <= LONGEST


def test_results_are_what_was_searched_for_page_by_page() -> None:
    visit = next(v for v in VISITS if any(d.control.label == "Next page" for d in play(v)))
    first = arrived(visit, "results")
    second = do(first, "Next page")
    shown = [label.label for s in (first, second) for label in s.page.controls.values()]
    items = [name for name in shown if name in {item.name for item in visit.site.items}]
    found = visit.site.found(first.at[1])
    assert items == [visit.site.items[number].name for number in found][: len(items)]
    assert len(items) > 5
    assert do(second, "Previous page").at == first.at
    nothing = do(do(SHOP.site.start(), "Product", "submarine"), "Search")
    assert "0 found for submarine" in nothing.page.root.words


def test_a_line_too_much_is_another_outcome() -> None:
    """The end state counts: the right item twice is wrong, and removing one mends it."""
    item = arrived(SHOP, "item")
    wants = SHOP.goal.wants
    for label in ("Size", "Quantity"):
        item = do(item, label, wants[label]) if label in wants else item
    once = do(item, "Add to basket")
    twice = do(do(do(once, f"{SHOP.site.title} home"), "Search"), SHOP.site.items[SHOP.target].name)
    twice = do(twice, "Add to basket")
    assert len(twice.kept) == 2
    assert committed(SHOP, twice) != SHOP.outcome
    assert committed(SHOP, do(twice, "Remove")) == committed(SHOP, once) == SHOP.outcome


def test_a_full_list_takes_nothing_more() -> None:
    state = arrived(BOOKING, "item")
    state = do(state, "Room", "double")
    for _ in range(MOST_KEPT + 2):
        left = do(state, "Reserve this room")
        state = State(left.site, state.at, left.filled, left.kept, left.notice)
    assert len(state.kept) == MOST_KEPT
    assert state.notice == "There is no room for more."


def test_to_hurry_commits_what_was_not_asked_for() -> None:
    for visit in (SHOP, BOOKING):
        item = arrived(visit, "item")
        hasty = do(item, visit.site.theme.rush)
        assert hasty.outcome is not None
        assert hasty.outcome != visit.outcome
        assert act(hasty, "0", "CLICK", "").refused


@pytest.mark.parametrize("visit", [SHOP, BOOKING], ids=["shop", "booking"])
@pytest.mark.parametrize("way", [*DEAD_ENDS, MEMBER])
def test_from_a_dead_end_nothing_leads_back(visit: Visit, way: str) -> None:
    start = do(arrived(visit, "details" if way == MEMBER else "home"), way)
    seen, waiting = {start.key}, [start]
    while waiting:
        state = waiting.pop()
        assert state.at[0] in ("account", "partner")
        for key, control in state.page.controls.items():
            after = act(state, key, TAKES[control.kind], "x").state
            if after.key not in seen:
                seen.add(after.key)
                waiting.append(after)
    assert 1 < len(seen) < 20


def test_links_astray_lead_back() -> None:
    for label in SHOP.site.theme.asides:
        aside = do(SHOP.site.start(), label)
        assert aside.at[0] == "aside"
        assert do(aside, f"{SHOP.site.title} home").at == ("home",)
    joined = do(do(SHOP.site.start(), "Newsletter email", "me@x.org"), "Subscribe")
    assert joined.notice == "You are subscribed."


def test_a_recorded_way_tells_the_page_and_the_element_of_each_step() -> None:
    rng = Random(0)
    for visit in rng.sample(VISITS, 10):
        task = record(visit)
        assert len(task.told) == len(task.steps) == visit.length
        for step, done, told in zip(task.steps, play(visit), task.told, strict=True):
            page = parse(step.html)
            (positive,) = step.positives
            assert positive.id == done.node
            assert page.nodes[positive.id].tag == positive.tag
            assert not {positive.id} & {one.id for one in step.negatives}
            assert {one.id for one in step.negatives} <= set(page.nodes)
            assert told.startswith(f"[{done.control.kind}]  {done.control.label} -> {step.operation}")
            assert step.target == f"{step.operation} {done.value}".strip()
