"""What each judge says, and of what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf, nan

import pytest

from tests.reasoning.playing import always, doors, play
from tests.support.grown import Grown, run, sample
from tmbr.core.protocols import Judge
from tmbr.core.trace import Judgement
from tmbr.core.types import Context, Message, Rewarded, Scored, Tool, Usage
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.judges import Confidence, Mix, NoJudge, Reward, Rules, YesNo, default_judge
from tmbr.reasoning.search import Multibranch

NOTHING = "On the cabinet 1, you see nothing."


def grown() -> Grown:
    return Grown(sample(instruction="put a cool mug in cabinet."), run("react"))


def said(judge: Judge, tree: Grown, *nodes: int) -> list[Judgement]:
    return asyncio.run(judge.judge(tree.trace, nodes))


def test_rules_give_nothing_for_an_error_or_no_effect() -> None:
    tree = grown()
    malformed = tree.act(tree.start, None, "No action was read.")
    impossible = tree.act(tree.start, "fly", "Nothing happens.", admissible=False)
    assert [(j.value, j.reason) for j in said(Rules(), tree, malformed, impossible)] == [
        (0.0, "malformed"),
        (0.0, "not possible here"),
    ]


def test_rules_like_news_and_most_of_all_news_of_the_task() -> None:
    tree = grown()
    untried = tree.act(tree.start, "look", None)
    new = tree.act(tree.start, "go to bed 1", "On the bed 1, you see a pillow 1.")
    mug = tree.act(tree.start, "go to desk 1", "On the desk 1, you see a mug 1.")
    assert [j.value for j in said(Rules(), tree, untried, new, mug)] == pytest.approx(
        [0.6, 0.6, 0.7 + 0.3 / 3]  # one of `cool`, `mug`, `cabinet`
    )


def test_an_instruction_that_a_world_repeats_is_no_news() -> None:
    tree = grown()
    page = "Instruction: put a cool mug in cabinet. [SEP] Back to Search [SEP] {}"
    plain = tree.act(tree.start, "click a", page.format("nothing else"))
    news = tree.act(tree.start, "click b", page.format("a cool thing"))
    assert [j.reason for j in said(Rules(), tree, plain, news)] == ["new", "speaks of the task"]


def test_rules_see_a_loop_unless_something_changed_since() -> None:
    tree = grown()
    first = tree.act(tree.start, "go to cabinet 1", NOTHING)
    loop = tree.act(first, "go to cabinet 1", NOTHING)
    other = tree.act(first, "go to cabinet 1", "On the cabinet 1, you see a cup 1.")
    news = tree.act(first, "go to bed 1", "On the bed 1, you see a cup 1.")
    back = tree.act(news, "go to cabinet 1", NOTHING)
    untried = tree.act(news, "go to cabinet 1", None)
    assert [j.value for j in said(Rules(), tree, loop, back, untried)] == [0.1, 0.6, 0.6]
    assert said(Rules(), tree, other)[0].value > 0.6
    again = tree.act(back, "go to bed 1", "On the bed 1, you see a cup 1.")
    assert said(Rules(), tree, again)[0].value == 0.1


def test_confidence_is_the_share_of_siblings_and_their_likelihood() -> None:
    tree = grown()
    looks = [tree.act(tree.start, "look", None) for _ in range(3)]
    other = tree.act(tree.start, "inventory", None)
    assert [j.value for j in said(Confidence(), tree, looks[0], other)] == [0.75, 0.25]
    completion = tree.trace.nodes[other].completion
    assert completion is not None
    tree.trace.nodes[other] = replace(
        tree.trace.nodes[other], completion=replace(completion, logprobs=(0.0, 0.0))
    )
    assert said(Confidence(), tree, other)[0].value == 0.5 * 0.25 + 0.5 * 1.0


def test_a_mix_is_a_mean_in_which_the_first_may_refuse() -> None:
    tree = grown()
    look = tree.act(tree.start, "look", "You see nothing new.")
    fly = tree.act(tree.start, "fly", "Nothing happens.", admissible=False)
    mix = Mix(((Rules(), 3.0), (Confidence(), 1.0)))
    found = said(mix, tree, look, fly)
    assert [j.value for j in found] == pytest.approx([(3 * 0.6 + 0.5) / 4, 0.0])
    assert [j.node for j in found] == [look, fly]
    assert found[0].reason == "new; said 1 of 2 times"
    assert found[1].reason == "not possible here"


def test_the_default_judge_reads_no_finish() -> None:
    tree = grown()
    node = tree.act(tree.start, "look", "You see a mug 1.")
    before = said(default_judge(), tree, node)
    ended = tree.trace.nodes[node]
    assert ended.step is not None
    won = replace(ended.step, done=True, status="completed")
    tree.trace.nodes[node] = replace(ended, step=won)
    assert said(default_judge(), tree, node) == before


class Scores(ScriptedModel):
    """A model that gives Yes and No these log-probabilities."""

    def __init__(self, yes: float, no: float) -> None:
        super().__init__([])
        self.logprobs = (yes, no)

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:  # noqa: ARG002
        return Scored(self.logprobs, Usage(50, 2))


@pytest.mark.parametrize(
    ("yes", "no", "value"),
    [
        (-0.1, -2.4, 0.9089),
        (-2.4, -0.1, 0.0911),
        (-0.7, -0.7, 0.5),
        (0.0, -inf, 1.0),
        (-2000.0, 0.0, 0.0),
    ],
)
def test_a_model_judges_by_yes_against_no(yes: float, no: float, value: float) -> None:
    tree = grown()
    node = tree.act(tree.start, "look", "You see a mug 1.")
    (found,) = said(YesNo(Scores(yes, no)), tree, node)
    assert found == Judgement(node, "self", pytest.approx(value, abs=1e-4), "", Usage(50, 2))


@pytest.mark.parametrize(
    ("yes", "no"), [(-9.0, -8.0), (-inf, -inf), (nan, -0.1), (-0.1, nan), (nan, nan)]
)
def test_neither_yes_nor_no_is_one_half_and_paid_for(yes: float, no: float) -> None:
    tree = grown()
    node = tree.act(tree.start, "look", "You see a mug 1.")
    (found,) = said(YesNo(Scores(yes, no)), tree, node)
    assert found == Judgement(node, "self", 0.5, "said neither Yes nor No", Usage(50, 2))


@dataclass
class Length:
    """Values a conversation by its number of messages; has no room for more than six."""

    outcomes: bool
    name: str = "length"
    heard: list[Sequence[Message]] = field(default_factory=list)

    async def rewards(
        self,
        conversations: Sequence[Sequence[Message]],
        tools: Sequence[Tool],  # noqa: ARG002
    ) -> list[Rewarded]:
        self.heard += conversations
        return [
            Rewarded(len(told) / 10, Usage(prompt=7)) if len(told) <= 6 else Rewarded(None)
            for told in conversations
        ]


def test_a_reward_model_reads_what_it_was_trained_to_read() -> None:
    tree = grown()
    first = tree.act(tree.start, "go to desk 1", "On the desk 1, you see a mug 1.")
    untried = tree.act(first, "take mug 1", None)
    malformed = tree.act(first, None, "No action was read.")
    model = Length(outcomes=True)
    judgements = said(Reward(model), tree, first, untried, malformed)
    assert [(j.node, j.value, j.reason, j.usage.total) for j in judgements] == [
        (first, 0.4, "", 7),
        (untried, 0.5, "", 7),
        (malformed, 0.0, "malformed", 0),
    ]
    assert [told[-1].content for told in model.heard] == [
        "On the desk 1, you see a mug 1.",
        tree.trace.nodes[untried].message.content,
    ]
    answers = Length(outcomes=False)
    assert [j.value for j in said(Reward(answers), tree, first, untried)] == [0.3, 0.5]
    assert [told[-1].role for told in answers.heard] == ["assistant", "assistant"]


def test_a_reward_model_without_room_says_one_half_and_a_mix_adds_up_the_cost() -> None:
    tree = grown()
    at = tree.start
    for place in ("desk 1", "bed 1", "sofa 1"):
        at = tree.act(at, f"go to {place}", f"On the {place}, you see nothing.")
    (one,) = said(Reward(Length(outcomes=True)), tree, at)
    assert (one.value, one.reason, one.usage) == (0.5, "too long to be read", Usage())
    mix = Mix(((Rules(), 1.0), (Reward(Length(outcomes=False)), 1.0)))
    short = tree.act(tree.start, "go to desk 1", "On the desk 1, you see a pen 1.")
    (both,) = said(mix, tree, short)
    assert both.value == pytest.approx((0.6 + 0.3) / 2)
    assert both.usage == Usage(prompt=7)


def test_without_a_judge_all_are_alike_and_the_first_is_taken() -> None:
    two = Multibranch(branches=2, asks=1, adapt=False)
    trace = play(two, always("open b", "open a"), doors("bb"), judge=NoJudge())
    assert [told.value for told in trace.judgements] == [0.5] * 4
    assert trace.finish is not None
    assert trace.finish.score.success
