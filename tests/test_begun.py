"""Going on from a node of an earlier episode: same world, same conversation, nothing paid twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from tests.reasoning.playing import Likes, always, doors, drawn, play
from tests.support.doors import DoorsSession, DoorsTask, Wanderer
from tmbr.begun import Begun
from tmbr.core.conversation import conversation
from tmbr.core.errors import DataError
from tmbr.core.protocols import Session
from tmbr.core.trace import Budget, Spent, Trace
from tmbr.core.types import Action, Message, Sample, Step
from tmbr.models.expert import ExpertModel, NoisyExpert
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.paths import Cot, React
from tmbr.reasoning.restarts import Paper
from tmbr.reasoning.search import Multibranch
from tmbr.reasoning.strategies import STRATEGIES, strategy
from tmbr.tasks.household import Household

TWO = Multibranch(branches=2, asks=1)


def searched(way: str = "ba") -> Trace:
    """#1 a and #2 b at the start; #3 ba and #4 bb behind b."""
    likes = Likes({"a": 0.4, "b": 0.9, "ba": 0.8, "bb": 0.7})
    return play(TWO, ["open a", "open b"] * 2, doors(way), judge=likes, budget=Budget(calls=2))


def acted(trace: Trace) -> list[int]:
    return [index for index, node in enumerate(trace.nodes) if node.kind == "act"]


def test_it_goes_on_in_the_world_and_the_conversation_of_the_node() -> None:
    before = searched("abb")
    heard: list[list[Message]] = []

    def script(messages: Sequence[Message], n: int, _: int) -> list[str]:
        heard.append(list(messages))
        return ["open b"] * n

    trace = play(React(), ScriptedModel(script), before.sample, begun=Begun(before, 1))
    assert drawn(trace) == (
        "* root\n  * open a\n    * open b\n      * open b\ncompleted, no stop, score 1"
    )
    assert heard[0] == conversation(before, 1).messages()
    assert heard[1] == conversation(trace, 2).messages()
    assert [node.sampled for node in trace.nodes] == [False, False, True, True]
    assert (trace.spent.steps, trace.spent.steps_on_forks, trace.spent.calls) == (2, 0, 2)


def test_a_search_goes_back_no_further_than_where_it_began() -> None:
    likes = Likes({"aa": 0.1, "ab": 0.1, "b": 1.0})
    trace = play(
        TWO, ["open a", "open b", "leave"], doors("bb"), judge=likes, begun=Begun(searched("bb"), 1)
    )
    assert drawn(trace) == (
        "* root\n"
        "  * open a\n"
        "    + open a 0.10\n"
        "    + open b 0.10\n"
        "    * leave 0.00\n"
        "completed, no stop, score 0"
    )


def test_a_restart_begins_again_at_the_node_and_is_not_told_of_what_stays() -> None:
    paper = Paper(num_branch=1, subtasks=0, path_steps=1)
    begun = Begun(searched("baa"), 2)
    trace = play(paper, always("open a"), doors("baa"), judge=Likes({}), begun=begun)
    assert drawn(trace) == (
        "* root\n"
        "  * open b\n"
        "    + open a 0.00\n"
        "    * 'An earlier try did not reach the goal. It did: a. Take another way.'\n"
        "      * open a 0.00\n"
        "        * open a 0.00\n"
        "completed, no stop, score 1"
    )


def test_what_was_only_proposed_is_executed_and_charged() -> None:
    paper = Paper(num_branch=2, num_path=1, subtasks=0)
    likes = Likes({"a": 0.9, "b": 0.1})
    before = play(paper, ["open a", "open b", "leave", "leave"], doors("bb"), judge=likes)
    assert before.nodes[2].step is None
    trace = play(React(), always("open b"), doors("bb"), begun=Begun(before, 2))
    assert drawn(trace) == "* root\n  * open b\n    * open b\ncompleted, no stop, score 1"
    assert (trace.spent.steps, trace.spent.calls) == (2, 1)
    double = play(TWO, ["open a", "open a", "leave", "leave"], doors("aa"))
    assert double.nodes[1].error == "duplicate"
    trace = play(React(), always("open a"), doors("aa"), begun=Begun(double, 1))
    assert drawn(trace) == "* root\n  * open a\n    * open a\ncompleted, no stop, score 1"


def test_after_a_thought_the_model_is_asked_to_go_on() -> None:
    before = play(Cot(), ["b is best", "open b", "open a"], doors("ba"))
    assert [node.kind for node in before.nodes[:4]] == ["root", "plan", "plan", "plan"]
    trace = play(React(), always("open b"), doors("b"), begun=Begun(before, 2))
    said = [node.message.content for node in trace.nodes]
    assert said[2:] == ["b is best", "Go on with the task.", "open b"]


@pytest.mark.parametrize("name", [*STRATEGIES, "decompose+react", "decompose+multibranch"])
def test_every_strategy_goes_on_from_every_node(name: str) -> None:
    before = play(Paper(path_steps=2), Wanderer(), doors("b" * 9), budget=Budget(steps=5))
    assert {node.kind for node in before.nodes} == {"root", "plan", "act"}
    for node in range(len(before.nodes)):
        begun = Begun(before, node)
        given = begun.nodes()
        trace = play(strategy(name), Wanderer(), before.sample, begun=begun, budget=Budget(steps=30))
        assert trace.finish is not None
        assert trace.finish.status != "task error"
        kept = [replace(old, step=None, error=None) for old in trace.nodes[: len(given)]]
        assert kept == [replace(old, step=None, error=None) for old in given]
        grown = trace.nodes[len(given) :]
        assert all(node.parent is not None for node in grown)
        used = [made.completion.usage for made in grown if made.completion]
        used += [judgement.usage for judgement in trace.judgements]
        assert trace.spent.usage.total == sum(usage.total for usage in used)


def test_the_household_is_what_it_was_at_every_node() -> None:
    task = Household()
    sample = task.samples("validation")[3]
    noisy = NoisyExpert("noisy", task.expert, task.slip, 0.5)
    before = play(Multibranch(), noisy, sample, task=task)
    expert = ExpertModel("expert", task.expert)
    went_on = 0
    for node in acted(before):
        if before.nodes[node].step is None or node == (before.finish and before.finish.leaf):
            continue
        trace = play(React(), expert, sample, task=task, begun=Begun(before, node))
        assert trace.finish is not None
        assert trace.finish.status != "task error"
        went_on += trace.finish.score.success
    assert went_on > 5


# What cannot be gone on from.


@dataclass(frozen=True, slots=True)
class Renamed(DoorsTask):
    """Doors whose prompt is another."""

    def messages(self, sample: Sample, observation: str) -> list[Message]:
        return [Message("user", f"You are inside. {sample.instruction} {observation}")]


class Locked(DoorsTask):
    """Doors of which none opens any longer."""

    def open(self, sample: Sample) -> Session:
        return _Locked(sample.setup["way"])


class _Locked(DoorsSession):
    def step(self, action: Action | None) -> Step:  # noqa: ARG002
        return Step("It is locked.", admissible=True)


def refused(before: Trace, node: int, task: DoorsTask | None = None) -> str:
    with pytest.raises(DataError) as error:
        play(React(), always("open a"), before.sample, task=task, begun=Begun(before, node))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_cannot_be_gone_on_from_is_one_line() -> None:
    before = searched("ba")
    assert f"episode {before.id}: no node 9; its last is 4" in refused(before, 9)
    assert "no node -1" in refused(before, -1)
    assert f"episode {before.id}, node 3: the episode ends there" in refused(before, 3)
    looked = play(
        TWO, ["open a", "open b"], doors("a"), judge=Likes({"b": 1.0}), budget=Budget(calls=1)
    )
    assert looked.nodes[1].step == Step("Behind you: a. Doors: a, b.", admissible=True)
    assert "node 1: the episode ends there" in refused(looked, 1)  # the look had hidden it
    left = play(TWO, ["leave", "open a"], doors("aa"), judge=Likes({"a": 1.0}), budget=Budget(calls=1))
    assert "node 1: the episode ends there" in refused(left, 1)


def test_a_world_that_has_changed_is_one_line() -> None:
    before = searched("bb")
    assert "the prompt is not what was told in episode" in refused(before, 1, Renamed())
    assert "the world answers node 2 otherwise than in episode" in refused(before, 2, Locked())


def test_the_middle_of_a_prompt_is_no_place_to_go_on() -> None:
    task = Household(form="agentbench")
    sample = task.samples("validation")[0]
    before = play(React(), ExpertModel("expert", task.expert), sample, task=task)
    with pytest.raises(DataError, match="node 0 is not the end of the prompt"):
        Begun(before, 0)
    trace = play(React(), ExpertModel("expert", task.expert), sample, task=task, begun=Begun(before, 1))
    assert trace.spent == before.spent != Spent()
    assert trace.nodes == before.nodes


def test_a_part_with_a_conversation_of_its_own_is_told_the_prompt_as_it_was() -> None:
    model = ScriptedModel(["1. first\n2. second", "open b", "Yes", "known", "open a", "leave"])
    trace = play(strategy("decompose+react"), model, doors("ba"))
    roots = [node.message.content for node in trace.nodes if node.kind == "root"]
    assert all(root.startswith("Find the way out. Behind you: the hall.") for root in roots)
    assert len(roots) > 1
