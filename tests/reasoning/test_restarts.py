"""The paper's way: judged before acting, one restart, told what was tried."""

from __future__ import annotations

from tests.reasoning.playing import Likes, always, doors, drawn, play
from tests.support.doors import LIMIT
from tmbr.core.trace import Budget
from tmbr.core.types import Message
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.restarts import BestOfN, Paper, Reflexion

LIKES = Likes({"a": 0.9, "ab": 0.9, "b": 0.5, "ba": 0.8})
NOTE = "An earlier try did not reach the goal. It did: a; b. Take another way."


def test_a_poor_path_is_given_up_for_one_from_the_start() -> None:
    script = ["open a", "open b", "open a", "open b", "open b", "hm", "open a", "hm"]
    trace = play(Paper(subtasks=0, path_steps=2), script, doors("ba"), judge=LIKES)
    assert drawn(trace) == (
        "+ root\n"
        "  + open a 0.90\n"
        "    - open a 0.00\n"
        "    + open b 0.90\n"
        "  - open b 0.50\n"
        "* root\n"
        "  - 'hm' (neither `open` nor `leave`)\n"
        "  * open b 0.50\n"
        "    - 'hm' (neither `open` nor `leave`)\n"
        "    * open a 0.80\n"
        "completed, no stop, score 1"
    )
    assert trace.nodes[5].message.content.endswith(NOTE)
    assert (trace.spent.steps, trace.spent.steps_on_forks) == (4, 0)


def test_the_note_is_in_the_second_paths_prompt_only() -> None:
    heard: list[list[Message]] = []

    def script(messages: list[Message], n: int, _: int) -> list[str]:
        heard.append(messages)
        return ["open a"] * n

    play(Paper(subtasks=0, path_steps=2), ScriptedModel(script), doors("bbbb"), judge=LIKES)  # type: ignore[arg-type]
    told = ["An earlier try" in messages[0].content for messages in heard]
    assert told == [False] * 2 + [True] * LIMIT
    assert all(len(messages) == 1 + 2 * turn for turn, messages in enumerate(heard[2:]))


def test_it_restarts_once() -> None:
    model = always("open a")
    trace = play(Paper(subtasks=0), model, doors("bbbb"))
    assert trace.finish is not None
    assert trace.finish.status == "task limit reached"
    acts = [trace.branch(leaf) for leaf in trace.leaves() if trace.nodes[leaf].step]
    assert [len(path) - 1 for path in acts] == [LIMIT - 1, LIMIT]  # the first ends before the world
    trace = play(Paper(subtasks=0, path_steps=3), model, doors("bbbb"))
    assert [node.kind for node in trace.nodes].count("root") == 2
    assert trace.spent.steps == 3 + LIMIT


def test_a_spent_budget_ends_it_on_the_path_it_is_on() -> None:
    model = always("open a", "open b")
    trace = play(
        Paper(subtasks=0, path_steps=2), model, doors("bbbb"), judge=LIKES, budget=Budget(steps=3)
    )
    assert trace.finish is not None
    assert trace.finish.stop == "step budget"
    assert trace.branch(trace.finish.leaf)[0] != 0
    assert trace.spent.steps == 3


def test_best_of_n_executes_the_end_that_the_judge_prefers() -> None:
    script = ["open a", "leave", "open b", "leave", "open a", "open b", "leave"]
    trace = play(BestOfN(n=3), script, doors("bb"), judge=Likes({"a!": 0.3, "b!": 0.6, "ab!": 0.5}))
    assert drawn(trace) == (
        "* root\n"
        "  + open a\n"
        "    - leave 0.30\n"
        "  * open b\n"
        "    * leave 0.60\n"
        "  + open a\n"
        "    + open b\n"
        "      - leave 0.50\n"
        "completed, no stop, score 0"
    )


def test_best_of_n_takes_a_path_that_the_world_ends() -> None:
    trace = play(BestOfN(n=3), ["open b", "leave", "open a", "hm", "open b"], doors("ab"))
    assert drawn(trace) == (
        "* root\n"
        "  + open b\n"
        "    - leave\n"
        "  * open a\n"
        "    * 'hm' (neither `open` nor `leave`)\n"
        "      * open b\n"
        "completed, no stop, score 1"
    )


def test_of_equal_ends_the_more_frequent_one_is_executed() -> None:
    script = ["open a", "leave"] * 2
    trace = play(BestOfN(n=2, path_steps=1), [*script[:1], "leave"], doors("bb"), judge=Likes({}))
    assert trace.finish is not None
    assert trace.finish.status == "completed"  # an end goes before a path without one


def test_reflexion_says_what_went_wrong_and_begins_again() -> None:
    heard: list[str] = []
    script = ["open a", "open a", "Not a. ", "open a", "open b", "Try b first.", "open b"]

    def answers(messages: list[Message], n: int, _: int) -> list[str]:
        heard.append(messages[0].content)
        return [script[len(heard) - 1]] * n

    made = Reflexion(trials=3, path_steps=2)
    trace = play(made, ScriptedModel(answers), doors("b"))  # type: ignore[arg-type]
    assert trace.finish is not None
    assert trace.finish.score.value == 1
    assert [("Not a." in text, "Try b first." in text) for text in heard] == (
        [(False, False)] * 3 + [(True, False)] * 3 + [(True, True)]
    )
    assert [n.message.content for n in trace.nodes if n.kind == "reflect" and n.sampled] == [
        "Not a. ",
        "Try b first.",
    ]
