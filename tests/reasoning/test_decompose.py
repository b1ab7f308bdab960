"""Subtasks: planned, done one after another, planned anew; planners and judges that answer nonsense."""

from __future__ import annotations

import pytest

from tests.reasoning.playing import Likes, doors, drawn, play
from tmbr.core.trace import Budget
from tmbr.core.types import Message
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.decompose import subtasks
from tmbr.reasoning.restarts import Paper
from tmbr.reasoning.strategies import strategy

PLAN = "The plan:\n1. go a\n2. go b\n3) go c"


def short(text: str) -> str:
    """A drawn tree without the sentences that are put to the model."""
    lines = [line.split("'Do ")[0] + "…" if "'Do " in line else line for line in text.splitlines()]
    return "\n".join(lines)


def test_each_part_is_done_before_the_next_and_a_failed_one_is_planned_anew() -> None:
    script = [
        *(PLAN, "open a", "No", "open a", "No", "it is not behind a"),
        *("1. go back", "open b", "Yes", "b was right", "open a"),
    ]
    made = strategy("decompose+react", subtasks=2, part_steps=2, replans=1)
    trace = play(made, script, doors("aaba"))
    assert short(drawn(trace)) == (
        "* root\n"
        "  * …\n"
        "    * 'The plan:\\n1. go a\\n2. go b\\n3) go c'\n"
        "      * root\n"
        "        * open a 0.01\n"
        "          * open a 0.01\n"
        "            * …\n"
        "              * 'it is not behind a'\n"
        "                * …\n"
        "                  * '1. go back'\n"
        "                    * root\n"
        "                      * open b 0.99\n"
        "                        * …\n"
        "                          * 'b was right'\n"
        "                            * root\n"
        "                              * open a\n"
        "completed, no stop, score 1"
    )
    prompts = [node.message.content for node in trace.nodes if node.kind == "root"]
    assert [("go a" in p, "go back" in p, "b was right" in p) for p in prompts] == [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert "it is not behind a" in prompts[2]
    assert "The last observation: Behind you: aab." in prompts[3]
    parts = [trace.conversation(i)[0] for i, n in enumerate(trace.nodes) if n.action]
    assert len(set(parts)) == 3


def test_search_goes_through_parts_and_back_within_one() -> None:
    script = [PLAN, "open a", "open b", "No", "open a", "open b", "Yes", "s", "open a", "open b"]
    likes = Likes({"a": 0.9, "b": 0.5, "aa": 0.1, "ab": 0.1, "ba": 0.9, "bb": 0.4})
    made = strategy("decompose+multibranch", subtasks=1, branches=2, asks=1)
    trace = play(made, script, doors("ba"), judge=likes, budget=Budget(calls=9))
    main = trace.branch(trace.finish.leaf) if trace.finish else []
    actions = [a.arguments["door"] for i in main if (a := trace.nodes[i].action)]
    assert actions == ["b", "a"]
    assert trace.finish is not None
    assert trace.finish.score.value == 1


@pytest.mark.parametrize("plan", ["", "I would go left.", "1.\n2.\n"])
@pytest.mark.parametrize("name", ["decompose+react", "paper"])
def test_a_plan_without_a_line_leaves_the_task_whole(plan: str, name: str) -> None:
    heard: list[list[Message]] = []

    def script(messages: list[Message], n: int, _: int) -> list[str]:
        heard.append(messages)
        return [plan if "Divide" in messages[-1].content else "open b"] * n

    trace = play(strategy(name), ScriptedModel(script), doors("bb"))  # type: ignore[arg-type]
    assert trace.finish is not None
    assert trace.finish.score.value == 1
    acting = [m for m in heard if "Do not act" not in m[-1].content]
    assert all("All parts" not in part[0].content + part[-1].content for part in acting)
    assert all("Divide" not in message.content for part in acting for message in part)


def test_fifty_subtasks_are_cut_and_said_once() -> None:
    lines = [f"{number}. step {number % 40}" for number in range(50)]
    assert subtasks("\n".join(lines)) == [f"step {number}" for number in range(40)]
    trace = play(
        strategy("decompose+react", subtasks=3, part_steps=1, replans=0),
        ScriptedModel(
            lambda m, n, _: ["\n".join(lines) if "Divide" in m[-1].content else "open b"] * n
        ),
        doors("aaaa"),
        budget=Budget(calls=30),
    )
    told = [
        n.message.content
        for n in trace.nodes
        if n.kind == "root" and "Do this part" in n.message.content
    ]
    assert [text.rpartition("step ")[2] for text in told] == ["0", "1", "2"]


def test_the_papers_planner_judge_and_restart() -> None:
    """The acting model judges: Yes to the better of two; No and Yes to whether a part is complete."""
    script = [
        *("1. go b\n2. leave", "open a", "open b", "No", "Yes"),  # b is picked
        *("No", "open b", "hm", "Yes", "Yes"),  # not complete; b; complete
        *("open a", "hm", "Yes", "No"),  # the second part
        *("1. go", "open b", "hm", "Yes", "No", "open a", "hm", "Yes"),  # the second path
    ]
    trace = play(Paper(num_path=2, path_steps=3), script, doors("ba"))
    assert short(drawn(trace)) == (
        "+ root\n"
        "  - …\n"
        "    - '1. go b\\n2. leave'\n"
        "      - …\n"
        "        - open a 0.01\n"
        "        + open b 0.01\n"
        "          - 'hm' (neither `open` nor `leave`)\n"
        "          + open b 0.99\n"
        "            - …\n"
        "              - 'hm' (neither `open` nor `leave`)\n"
        "              + open a 0.01\n"
        "* root\n"
        "  * …\n"
        "    * '1. go'\n"
        "      * …\n"
        "        - 'hm' (neither `open` nor `leave`)\n"
        "        * open b 0.01\n"
        "          - 'hm' (neither `open` nor `leave`)\n"
        "          * open a 0.99\n"
        "completed, no stop, score 1"
    )
    assert {judgement.judge for judgement in trace.judgements} == {"self", "complete"}
    roots = [node.message.content for node in trace.nodes if node.kind == "root"]
    assert ["It did: b; b; a." in root for root in roots] == [False, True]
