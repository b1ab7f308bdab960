from __future__ import annotations

from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tmbr.teacher.admission import DRY, Admission, Ask, Proposal
from tmbr.teacher.asker import LEVELS, Question
from tmbr.teacher.near import NearIndex
from tmbr.teacher.questions import Proposals

KINDS = ("red", "green", "blue")


def proposal(number: int, kind: str, text: str, ask: Ask | None = None) -> Proposal:
    question = Question(text, {}, None, kind, text, f"world {number}")
    return Proposal(number, ask, text, question, "easy", "expert")


def admission(wanted: int) -> Admission:
    return Admission(wanted, KINDS, NearIndex(0.85))


def test_what_is_missing_most_is_asked_for() -> None:
    held = admission(30)
    held.accepted.update({"red": 5, "green": 2, "blue": 7})
    held.levels.update({"easy": 9, "hard": 5})
    assert held.plan(KINDS) == Ask("green", "medium")
    assert held.plan(("red", "blue")) == Ask("red", "medium")


def test_nothing_is_asked_for_where_enough_is_under_way() -> None:
    held = admission(9)
    asked = [held.plan(KINDS) for _ in range(30)]
    assert sum(ask is not None for ask in asked) == 3 * (3 + 1)
    held.decide(Proposal(0, asked[0], stage="format", reason="empty"))
    assert held.plan(KINDS) == asked[0]


def test_quota_duplicate_and_enough_are_told() -> None:
    held = admission(2)
    assert held.decide(proposal(0, "red", "one thing that is asked for")) is None
    duplicate = held.decide(proposal(1, "green", "One thing that is asked for!"))
    assert duplicate == ("duplicate", "nearly the same as question 0")
    quota = held.decide(proposal(2, "red", "something else altogether, and longer"))
    assert quota is not None
    assert quota[0] == "quota"
    assert held.decide(proposal(3, "blue", "a third one, unlike both")) is None
    assert held.full
    enough = held.decide(proposal(4, "green", "what comes too late is not needed"))
    assert enough is not None
    assert enough[0] == "enough"


def test_a_category_that_yields_nothing_is_given_up() -> None:
    held = admission(30)
    for number in range(DRY):
        assert held.quota == 10
        held.decide(Proposal(number, Ask("red", "easy"), stage="format", reason="empty"))
    assert held.given_up == ["red"]
    assert held.quota == 15
    assert held.plan(("red",)) is None
    held.decide(proposal(99, "red", "at last a question of that category"))
    assert held.given_up == []


@given(st.integers(0, 2**32))
def test_plans_and_decisions_settle_all_accounts(seed: int) -> None:
    """However it goes, nothing stays planned that was decided, and no quota is passed."""
    rng, held = Random(seed), admission(12)
    asks = [held.plan(rng.sample(KINDS, rng.randint(1, 3))) for _ in range(20)]
    for number, ask in enumerate(asks):
        kind = rng.choice(KINDS)
        held.decide(proposal(number, kind, f"{kind} {rng.random()} {rng.random()}", ask))
    assert not +held.planned
    assert max(held.accepted.values()) <= held.quota
    assert held.levels.total() == held.accepted.total() <= held.wanted
    assert {*held.levels} <= {*LEVELS}


def test_a_journal_is_read_on_in_whatever_order_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "proposals.jsonl"
    made = [proposal(number, "red", f"text {number}") for number in range(50)]
    first = Proposals(path)
    for number in Random(0).sample(range(50), 40):
        assert first.keep(made[number]) == made[number]
    first.close()
    path.write_bytes(path.read_bytes()[:-20])  # a kill in the middle of a line
    again = Proposals(path)
    assert again.warning is not None
    found = [again.find(number) for number in range(50)]
    assert sum(one is not None for one in found) == 39
    assert all(one in (None, whole) for one, whole in zip(found, made, strict=True))
    again.close()
