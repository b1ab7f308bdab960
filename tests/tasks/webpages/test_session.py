"""Episodes under their rules: recorded steps as AgentBench plays them, and visits to live sites."""

from __future__ import annotations

import pytest

from tests.tasks.webpages.playing import choose
from tmbr.core.errors import EnvironmentFault
from tmbr.core.types import Step
from tmbr.environments.webpages import Candidate, WebStep, WebTask, parse
from tmbr.environments.webpages.sites import Visit, generate, play
from tmbr.tasks.webpages.data import asked
from tmbr.tasks.webpages.forms import FORMS, AgentBenchForm
from tmbr.tasks.webpages.question import read_question
from tmbr.tasks.webpages.session import REPEATS, ROUNDS, StepSession, VisitSession

TOLD = ("[link]  one -> CLICK", "[link]  two -> CLICK", "[link]  x -> CLICK")


def step_of(count: int, positive: int, html: str | None = None) -> WebTask:
    """Two steps before it, then a choice among so many links."""
    links = "".join(
        f'<a backend_node_id="{n}" class="link"><text>item {n}</text></a>' for n in range(1, count + 1)
    )
    page = html or f'<html backend_node_id="0"><p backend_node_id="p">{links}</p></html>'
    every = [Candidate("a", str(n)) for n in range(1, count + 1)]
    right = tuple(one for one in every if one.id == str(positive))
    wrong = tuple(one for one in every if one.id != str(positive))
    step = WebStep("u", page, "CLICK", "", right, wrong)
    return WebTask("t", "site", "d", "s", "Choose an item", TOLD, (step, step, step))


def opened(count: int = 10, positive: int = 1, form: str = "text") -> StepSession:
    return StepSession(asked(step_of(count, positive), 2, None), FORMS[form]())


def listed(session: StepSession | VisitSession) -> list[str]:
    question = read_question(session.observation)
    assert question is not None
    return list(question.choices)


def test_a_question_has_five_choices_in_document_order_and_the_history() -> None:
    session = opened()
    question = read_question(session.observation)
    assert question is not None
    assert (question.task, question.history) == ("Choose an item", TOLD[:2])
    assert len(question.choices) == 5
    numbers = [int(told.split("item ")[1].split("<")[0]) for told in question.choices]
    assert numbers == sorted(numbers)
    assert [told.split(" ")[1] for told in question.choices] == [f"id={n}" for n in range(5)]


def test_ten_candidates_take_three_questions_and_the_winner_meets_the_next() -> None:
    session = opened()
    first = listed(session)
    (won,) = [told for told in first if told.startswith("<a id=1 ")]
    one = session.step(choose("C"))
    assert (one.done, one.admissible, len(listed(session))) == (False, True, 5)
    two = session.step(choose("B"))
    assert not two.done
    assert len(listed(session)) == 2
    assert won.split("item ")[1] in " ".join(listed(session))
    last = session.step(choose("B"))
    assert last == Step("The choice is made.", True, "completed", admissible=True)
    assert session.chosen is not None
    assert session.chosen.action == "CLICK"


def test_a_pool_that_empties_is_an_invalid_action() -> None:
    session = opened()
    assert not session.step(choose("A")).done
    step = session.step(None)
    assert (step.done, step.status, step.admissible) == (True, "agent invalid action", None)
    assert session.chosen is None


def test_a_letter_that_is_not_there_chooses_nothing_and_is_inadmissible() -> None:
    session = opened(3)
    step = session.step(choose("F"))
    assert (step.status, step.admissible) == ("agent invalid action", False)
    lone = opened(6)
    lone.step(choose("B"))
    assert lone.step(choose("A")).status == "agent invalid action"


def test_a_pool_of_one_or_none_is_over_whatever_is_said() -> None:
    for count in (1, 0):
        session = opened(count)
        assert session.ends(choose("B"))
        assert session.step(choose("B")).status == "agent invalid action"


def test_what_leaves_one_candidate_ends_the_episode() -> None:
    session = opened(6)
    assert [session.ends(choose(one)) for one in "AB"] == [True, False]  # one is left, unasked
    session.step(choose("B"))
    assert all(session.ends(choose(one)) for one in "ABC")


def test_after_the_end_the_world_says_that_it_is_over() -> None:
    session = opened(2)
    session.step(choose("B"))
    assert session.step(choose("C")) == Step("The episode is over.", True, "completed")


def test_a_page_that_is_none_is_a_fault() -> None:
    with pytest.raises(EnvironmentFault, match="t, action u: the page is no XML"):
        asked(step_of(2, 1, html="<html><a></html>"), 0, None)


def test_ids_that_the_page_does_not_have_are_in_no_pool() -> None:
    task = step_of(10, 1)
    html = task.steps[0].html.replace('backend_node_id="4"', "")
    pool = asked(step_of(10, 1, html=html), 0, None).pool.pool
    assert sorted(pool, key=int) == ["1", "2", "3", "5", "6", "7", "8", "9", "10"]
    assert set(pool) <= set(parse(html).nodes)


VISIT = next(v for v in map(generate, range(60)) if v.site.theme.name == "shop")


def visiting(form: str = "text", visit: Visit = VISIT) -> VisitSession:
    return VisitSession(visit, AgentBenchForm("Z") if form == "agentbench" else FORMS[form]())


def letter_of(session: VisitSession, label: str) -> str:
    at = [control.label for control in session.state.page.controls.values()].index(label)
    return chr(ord("B") + at)


def test_a_live_question_lists_every_control_of_the_page() -> None:
    session = visiting()
    assert len(listed(session)) == len(session.state.page.controls)
    assert f"Task: {VISIT.instruction}\nPrevious actions:\nNone\n" in session.observation


def test_an_action_changes_the_page_and_is_told_in_the_history() -> None:
    session = visiting()
    step = session.step(choose(letter_of(session, "Product"), "TYPE", "rain jacket"))
    assert step.admissible
    assert "<input id=6 text product rain jacket />" in step.observation
    assert "[textbox]  Product -> TYPE: rain jacket" in step.observation
    for _ in range(6):
        step = session.step(choose(letter_of(session, "Stores")))
    question = read_question(step.observation)
    assert question is not None
    assert question.history == ("[link]  Stores -> CLICK",) * 5


def test_what_cannot_be_done_is_told_and_inadmissible() -> None:
    session = visiting()
    before = session.state
    step = session.step(choose(letter_of(session, "Product")))
    assert step.observation.startswith("Product: a textbox takes TYPE.\nPage: ")
    assert (step.admissible, session.state) == (False, before)
    far = session.step(choose("Z"))
    assert far.observation.startswith("There is no choice Z.\nPage: ")
    assert far.admissible is False
    assert session.step(choose("A")).admissible is True
    assert session.state is before


def test_forty_rounds_are_the_limit_whatever_they_hold() -> None:
    session = visiting()
    steps = [session.step(choose("A")) for _ in range(ROUNDS)]
    assert [step.done for step in steps] == [False] * (ROUNDS - 1) + [True]
    assert steps[-1].status == "task limit reached"


def test_three_turns_without_an_action_in_a_row_fail() -> None:
    for form in FORMS:
        session = visiting(form)
        told = [session.step(None) for _ in range(REPEATS - 1)]
        assert told[0].observation.startswith("No a")
        assert told[0].admissible is None
        session.step(choose("A"))
        steps = [session.step(None) for _ in range(REPEATS)]
        assert [step.status for step in steps] == [None, None, "agent validation failed"]


def test_only_what_commits_ends_a_visit() -> None:
    session = visiting()
    for done in play(VISIT)[:-1]:
        every = [choose(chr(ord("B") + at)) for at in range(len(session.state.page.controls))]
        ending = [session.state.page.controls[node].commits for node in session.state.page.controls]
        assert [session.ends(action) for action in every] == ending
        at = list(session.state.page.controls).index(done.node)
        session.step(choose(chr(ord("B") + at), done.operation, done.value))
    last = choose(letter_of(session, "Place order"))
    assert session.ends(last)
    assert not session.ends(choose(last.arguments["answer"], "TYPE", "x"))
    assert not session.reached
    step = session.step(last)
    assert (step.done, step.status, session.reached) == (True, "completed", True)
    assert step.observation == "Thank you. Your order was placed."
    assert session.step(None) == Step("The episode is over.", True, "completed")


def test_the_end_says_the_same_when_it_is_wrong() -> None:
    session = visiting()
    for done in play(VISIT):
        if done.control.label == "Size":
            at = list(session.state.page.controls).index(done.node)
            size = next(one for one in ("small", "large") if one != done.value)
            session.step(choose(chr(ord("B") + at), "SELECT", size))
            continue
        at = list(session.state.page.controls).index(done.node)
        step = session.step(choose(chr(ord("B") + at), done.operation, done.value))
    assert (step.observation, step.status) == ("Thank you. Your order was placed.", "completed")
    assert not session.reached


def test_a_fork_shares_the_state_until_it_moves() -> None:
    session = visiting()
    fork = session.fork()
    assert fork.state is session.state
    fork.step(choose(letter_of(fork, "Product"), "TYPE", "boots"))
    assert session.state.filled == {}
    assert fork.state.filled == {"Product": "boots"}
