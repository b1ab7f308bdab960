"""A thought that was added afterwards knows nothing that was not yet seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.teacher.playing import played
from tmbr.cli import run
from tmbr.cli.tasks import make_task
from tmbr.core.conversation import conversation
from tmbr.core.store import TraceStore
from tmbr.core.types import Sampling
from tmbr.models.scripted import ScriptedModel
from tmbr.teacher.thoughts import Thinker, hidden_names

SEEN = "You see a cabinet 1, a cabinet 2 and a fridge 1. Put a clean mug in a cabinet. open cabinet 2"
LATER = "You open the cabinet 2. In it you see a mug 3 and a teapot. The password is 'swordfish'."


@pytest.mark.parametrize(
    ("thought", "named"),
    [
        ("I have not looked into cabinet 2 yet.", []),
        ("Cabinets may hold the mug, so I open Cabinet 2 first.", []),
        ("The mug 3 is in cabinet 2.", ["mug 3"]),
        ("I take the teapot out of it.", ["teapot"]),
        ("Teapots are kept here, beside mug 3.", ["mug 3", "Teapots"]),
        ("I look into cabinet 21.", ["cabinet 21"]),
        ('The user wants "swordfish" here.', ["swordfish"]),
        ("The column user_name decides.", ["user_name"]),
        ("Nothing is known yet; the fridge can wait.", []),
    ],
)
def test_what_a_thought_may_not_name(thought: str, named: list[str]) -> None:
    assert hidden_names(thought, SEEN, LATER) == named


def _thinker(*answers: str) -> Thinker:
    task = make_task("household", "generated", "text")
    model = ScriptedModel(lambda _, n, __: [answers[i % len(answers)] for i in range(n)])
    return Thinker(model, task.parse, Sampling(0.7), tries=2)


def test_the_first_sound_answer_is_kept_and_the_action_with_it() -> None:
    trace, _ = played("household", "react", 0, model="expert")
    made, explained, kept = asyncio.run(_thinker("It is in teapot 77.", "I go on.").explain(trace))
    assert (explained > 0, kept) == (True, 0)
    assert made.id != trace.id
    for before, after in zip(trace.nodes, made.nodes, strict=True):
        assert before.action == after.action
        if before.sampled and before.action:
            assert (
                after.message.content
                == f"Thought: I go on.\nAction: {before.action.arguments['action']}"
            )
        else:
            assert before == after


def test_where_no_answer_is_sound_the_turn_keeps_its_words() -> None:
    trace, _ = played("household", "react", 0, model="expert")
    for answers in (("It is in teapot 77.",), ("",), ("word " * 100,), ("Action: look",)):
        made, explained, _ = asyncio.run(_thinker(*answers).explain(trace))
        assert explained == 0
        assert made.nodes == trace.nodes


def test_calls_keep_their_arguments() -> None:
    trace, _ = played("household", "react", 0, model="expert", form="agentbench")
    made, explained, _ = asyncio.run(_thinker("I go on.").explain(trace))
    assert explained > 0
    assert [n.message.tool_calls for n in made.nodes] == [n.message.tool_calls for n in trace.nodes]
    assert {n.message.content for n in made.nodes if n.sampled} == {"I go on."}


@settings(max_examples=15)
@given(st.sampled_from(("household", "database", "webshop")), st.integers(0, 60))
def test_the_experts_own_sentences_name_nothing_hidden(world: str, at: int) -> None:
    """They follow from what was said alone, so the rule must let (nearly) all of them pass."""
    trace, _ = played(world, "react", at, model="expert")
    turns = [i for i, n in enumerate(trace.nodes) if n.sampled and n.action]
    bad = []
    for index in turns:
        node = trace.nodes[index]
        assert node.context is not None
        assert node.action is not None
        thought = node.message.content.partition("Action:")[0].removeprefix("Thought:").strip()
        said = [m.content for m in conversation(trace, node.context).messages()]
        seen = "\n".join([*said, *node.action.arguments.values()])
        later = "\n".join(n.step.observation for n in trace.nodes[index:] if n.step)
        bad += hidden_names(thought, seen, later)
    assert len(bad) <= len(turns) * 0.5, bad


def test_the_command_explains_each_episode_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "traces.jsonl"
    with TraceStore(file) as store:
        for at in range(3):
            store.append(played("household", "react", at, model="expert")[0], 0.0)
    asked = ["data", "thoughts", str(file), "--model", "noisy-expert:1", "--out", str(tmp_path / "out")]
    assert run(asked) == 0
    assert "3 episodes (0 explained before)" in capsys.readouterr().out
    first = (tmp_path / "out" / "traces.jsonl").read_bytes()
    assert run(asked) == 0
    assert "3 episodes (3 explained before)" in capsys.readouterr().out
    assert (tmp_path / "out" / "traces.jsonl").read_bytes() == first
    assert run([*asked[:-1], str(tmp_path)]) == 2
