"""The choice over batches of five, against a plain telling of AgentBench's loop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tmbr.environments.webpages import BATCH, POOL, Chosen, Rounds

TEN = tuple("abcdefghij")


def played(pool: list[str], picks: list[int]) -> tuple[str | None, int]:
    """What upstream's loop ends with: pick k of a question, above its size none. And the questions."""
    final: str | None = None
    asked = 0
    while len(pool) > 1:
        question, pool = pool[:5], pool[5:]
        pick = picks[asked] if asked < len(picks) else 9
        asked += 1
        if pick < len(question):
            pool = [*pool, question[pick]]
            final = question[pick]
    return (final if pool else None), asked


@given(st.integers(0, POOL), st.lists(st.integers(0, 6), max_size=12))
def test_the_rounds_are_upstreams(size: int, picks: list[int]) -> None:
    rounds, asked = Rounds(TEN[:size]), 0
    while not rounds.over:
        pick = picks[asked] if asked < len(picks) else 9
        won = Chosen(rounds.batch[pick], "CLICK") if pick < len(rounds.batch) else None
        rounds, asked = rounds.answer(won), asked + 1
    wanted, questions = played(list(TEN[:size]), picks)
    assert (rounds.outcome.id if rounds.outcome else None, asked) == (wanted, questions)
    assert asked <= 3


def test_ten_take_three_questions_when_each_has_a_winner() -> None:
    rounds = Rounds(TEN)
    batches = []
    for _ in range(3):
        batches.append("".join(rounds.batch))
        rounds = rounds.answer(Chosen(rounds.batch[-1], "TYPE x"))
    assert batches == ["abcde", "fghij", "ej"]
    assert (rounds.over, rounds.outcome) == (True, Chosen("j", "TYPE x"))


def test_an_emptied_pool_has_no_outcome() -> None:
    first = Rounds(TEN).answer(Chosen("c", "CLICK"))
    lone = first.answer(None)
    assert (lone.over, lone.outcome) == (True, Chosen("c", "CLICK"))
    last = first.answer(Chosen("f", "CLICK")).answer(None)
    assert (last.over, last.outcome) == (True, None)


def test_the_pool_is_the_rankings_first_ten_shuffled_by_the_seed() -> None:
    ranked = [str(number) for number in range(40)]
    pools = {Rounds.start(ranked, seed).pool for seed in range(20)}
    assert len(pools) == 20
    assert {frozenset(pool) for pool in pools} == {frozenset(ranked[:POOL])}
    assert Rounds.start(ranked, 3) == Rounds.start(ranked, 3)
    assert len(Rounds.start(ranked[:3], 0).batch) == 3 < BATCH
