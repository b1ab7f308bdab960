"""Pairs of siblings: the same state, and exactly what the model was shown there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import grown
from tests.teacher.playing import played
from tmbr.core.trace import Finish, Trace
from tmbr.core.types import Score
from tmbr.teacher.preferences import States, outcomes, state_values


@settings(max_examples=25)
@given(
    st.sampled_from(("household", "database")),
    st.sampled_from(("react+retry", "paper", "beam", "mcts", "multibranch", "best-of-n")),
    st.integers(0, 40),
    st.sampled_from(("noisy-expert:0.4", "noisy-expert:0.3:slips")),
)
def test_a_pair_holds_one_call_and_two_answers_of_it(
    world: str, name: str, at: int, model: str
) -> None:
    trace, listening = played(world, name, at, model=model)
    answers: dict[object, set[object]] = {}
    for asked, said in listening.calls:
        answers.setdefault(asked, set()).update(said)
    for pair in States([trace]).pairs():
        assert {pair.chosen, pair.rejected} <= answers[pair.prompt]
        assert pair.chosen != pair.rejected
        assert pair.id == trace.sample.id


def _tree(*values: float) -> tuple[Trace, list[int]]:
    """Siblings from the start; the first is committed and solves it."""
    made = grown.Grown(grown.sample(), grown.run("multibranch", "fork"))
    nodes = [
        made.act(made.start, f"go to shelf {n}", "A shelf.", f"Shelf {n}.") for n in range(len(values))
    ]
    made.trace.finish = Finish(nodes[0], Score(1.0, True), "completed")
    return made.trace, nodes


def test_the_best_stands_against_all_that_are_worse_by_the_margin() -> None:
    trace, nodes = _tree(0.9, 0.5, 0.3, 0.9)
    worth = dict(zip(nodes, (0.9, 0.5, 0.3, 0.9), strict=True))
    found = list(States([trace], lambda _: worth).pairs(margin=0.5))
    assert [(p.chosen.content, p.rejected.content, p.margin) for p in found] == [
        ("Thought: Shelf 0.\nAction: go to shelf 0", "Thought: Shelf 2.\nAction: go to shelf 2", 0.6)
    ]
    assert len(list(States([trace], lambda _: worth).pairs(margin=0.4))) == 2
    assert [v.value for v in States([trace], lambda _: worth).valued()] == [0.9, 0.5, 0.3, 0.9]


def test_nothing_is_known_of_what_was_only_looked_at() -> None:
    trace, nodes = _tree(1, 0)
    assert outcomes(trace) == {nodes[0]: 1.0}
    assert list(States([trace]).pairs()) == []


def test_a_refused_turn_is_worth_what_its_state_turned_out_to_be() -> None:
    made = grown.Grown(grown.sample(), grown.run("react"))
    refused = made.act(made.start, "open bed 1", "Nothing happens.", "I open it.", admissible=False)
    right = made.act(refused, "go to bed 1", "A bed.", "The bed.")
    made.trace.finish = Finish(right, Score(1.0, True), "completed")
    assert outcomes(made.trace) == {refused: 0.0, right: 1.0}
    assert state_values(made.trace) == {refused: 1.0, right: 1.0}
    aside = made.act(made.start, "open bed 2", "Nothing happens.", "Or this.", admissible=False)
    assert state_values(made.trace)[aside] == 0.0  # nobody went on from there
    made.trace.finish = Finish(right, Score(0.0, False), "task limit reached")
    assert state_values(made.trace) == {refused: 0.0, right: 0.0, aside: 0.0}


def test_states_of_several_episodes_are_pooled() -> None:
    one, _ = _tree(1)
    made = grown.Grown(grown.sample(), grown.run("react", seed=1))
    leaf = made.act(made.start, "go to bed 1", "A bed.", "The bed.")
    made.trace.finish = Finish(leaf, Score(0.0, False), "task limit reached")
    (pair,) = States([one, made.trace], lone=False).pairs()
    assert pair.chosen.content.endswith("go to shelf 0")
    assert pair.rejected.content.endswith("go to bed 1")
    assert list(States([made.trace], lone=False).valued()) == []


def test_an_equal_action_in_other_words_is_no_rival() -> None:
    made = grown.Grown(grown.sample(), grown.run("multibranch", "fork"))
    one = made.act(made.start, "go to bed 1", "A bed.", "The bed.")
    two = made.act(made.start, "go to bed 1", "A bed.", "I go to bed.")
    made.trace.finish = Finish(one, Score(1.0, True), "completed")
    states = States([made.trace], lambda _: {one: 1.0, two: 0.0})
    assert list(states.pairs()) == []
    assert [valued.value for valued in states.valued()] == [0.5]
