"""A learner under an expert's eyes: what counts as a mistake, and who says the next turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tmbr.cli.build import build_model
from tmbr.cli.tasks import make_task
from tmbr.config import ModelConfig
from tmbr.core.errors import ConfigError
from tmbr.core.rows import rows
from tmbr.core.store import TraceStore, read_traces
from tmbr.core.trace import Budget, Run
from tmbr.core.types import Completion, Context, Message, Sampling, ToolCall
from tmbr.models.coached import Coached
from tmbr.models.expert import NoisyExpert
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.strategies import strategy
from tmbr.runner import Job, run

CALL = ToolCall("expert", "look", '{"at": "desk"}')


def policy(messages: Sequence[Message]) -> Message:
    return Message("assistant", f"right after {messages[-1].content}", (CALL,))


def said(learner: Sequence[Message | Completion], *talk: Message) -> list[Completion]:
    model = Coached("coached:learner", ScriptedModel(list(learner)), policy)
    context = Context(Message("user", "go"))
    for message in talk:
        context = context.then(message)
    return asyncio.run(model.complete(context, (), 2, Sampling(), 0))


def test_what_differs_from_the_expert_is_a_mistake() -> None:
    same = Message("assistant", "right after go\n", (ToolCall("own", CALL.name, CALL.arguments),))
    elsewhere = Message("assistant", "right after go", (ToolCall("own", "look", '{"at": "bed"}'),))
    assert [one.finish_reason for one in said([same, elsewhere])] == ["tool_calls", "mistake"]
    full = Completion("", finish_reason="context")
    assert [one.finish_reason for one in said([full, full])] == ["context", "context"]


def test_the_turn_after_a_mistake_is_the_expert_s_and_the_next_the_learner_s() -> None:
    wrong, right = Message("assistant", "wrong"), policy([Message("user", "go")])
    told = Message("user", "nothing happens")
    mended = said([], wrong, told)  # the learner has nothing to say: it is not asked
    assert [(one.text, one.finish_reason) for one in mended] == [
        ("right after nothing happens", "tool_calls")
    ] * 2
    for before in ((right, told), (wrong, told, policy([told]), told)):
        again = said([Message("assistant", "mine")] * 2, *before)
        assert [(one.text, one.finish_reason) for one in again] == [("mine", "mistake")] * 2


@pytest.mark.parametrize(("name", "form"), [("household", "text"), ("database", "agentbench")])
def test_only_what_the_expert_says_is_learnt_and_the_episodes_go_astray(
    name: str, form: str, tmp_path: Path
) -> None:
    task = make_task(name, "generated", form)
    learner = NoisyExpert("learner", task.expert, task.slip, 0.3)
    model = Coached("coached:learner", learner, task.expert)
    react = strategy("react")
    told = Run("", task.name, model.name, "react", react.access, 0, None, task.version)
    jobs = [Job(one, task, react, model, None, Budget(), told) for one in task.samples("train")[:16]]
    with TraceStore(tmp_path / "traces.jsonl") as store:
        asyncio.run(run(jobs, store, 16))
    traces = read_traces(tmp_path / "traces.jsonl")
    learnt = strayed = 0
    for row in rows(traces):
        said = [turn.message for turn in row.turns]
        for at, turn in enumerate(row.turns):
            if turn.message.role == "assistant":
                right = turn.message == task.expert(said[:at])
                assert right or not turn.loss
                learnt, strayed = learnt + (turn.loss > 0), strayed + (not right)
    assert learnt > 2 * strayed > 0


def test_it_is_named_by_the_learner_it_coaches(tmp_path: Path) -> None:
    task = make_task("household", "generated", "text")
    model = build_model(ModelConfig(model="coached:noisy-expert:0.5"), task)
    assert model.name == "coached:noisy-expert:0.5"
    assert model.weights_version.startswith("coached noisy p=0.5")
    with pytest.raises(ConfigError, match="nowhere"):
        build_model(ModelConfig(model=f"coached:{tmp_path}/nowhere"), task)
    for nobody in ("coached:", "coached:walkthrough"):
        with pytest.raises(ConfigError, match=f"model '{nobody}': write coached:MODEL"):
            build_model(ModelConfig(model=nobody), task)
