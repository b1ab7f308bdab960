"""One's own instruction in the world of a sample: said everywhere, scored nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.reasoning.playing import always, doors, play
from tests.support.doors import DoorsTask
from tmbr.cli.tasks import TASKS, make_task
from tmbr.core.errors import ConfigError
from tmbr.core.store import decode_trace, encode_trace
from tmbr.core.types import Message, Sample
from tmbr.models.expert import ExpertModel
from tmbr.reasoning.paths import React
from tmbr.tasks.asked import Asked, asked, is_own

WISH = "Tell me what is in here, please."


@pytest.mark.parametrize("form", ["text", "agentbench"])
@pytest.mark.parametrize("name", TASKS)
def test_every_world_says_the_new_instruction_and_never_the_old(name: str, form: str) -> None:
    inner = make_task(name, "generated", form)
    old = inner.samples("validation")[0]
    sample, task = asked(old, WISH), Asked(inner)
    assert is_own(sample)
    assert not is_own(old)
    session = task.open(sample)
    prompt = "\n".join(message.content for message in task.messages(sample, session.observation))
    assert WISH in prompt
    model = ExpertModel("expert", inner.expert)  # type: ignore[attr-defined]
    trace = play(React(), model, sample, task=task)
    heard = [node.message.content for node in trace.nodes if node.kind == "root"]
    heard += [node.step.observation for node in trace.nodes if node.step]
    assert all(old.instruction not in text for text in heard)
    assert trace.finish is not None
    assert not trace.finish.score.known
    assert not trace.finish.score.success
    assert trace.sample == sample
    stored = decode_trace(encode_trace(trace)).sample
    assert stored.digest == sample.digest
    assert task.messages(stored, task.open(stored).observation)[-1].content in prompt


def test_the_world_stays_as_it_is() -> None:
    task, sample = Asked(DoorsTask()), asked(doors("ab"), WISH)
    trace = play(React(), always("open a"), sample, task=task)
    assert trace.nodes[0].message.content == f"{WISH} Behind you: the hall. Doors: a, b."
    assert trace.finish is not None
    assert trace.finish.status == "task limit reached"
    assert trace.finish.score.detail == {"unscored": "the instruction is one's own"}
    world = task.open(sample)
    other = world.fork()
    other.step(task.parse(trace.nodes[1].completion))  # type: ignore[arg-type]
    assert (world.state_key(), other.state_key()) == ("", "a")


@dataclass(frozen=True, slots=True)
class Silent(DoorsTask):
    """Doors that do not say what is asked."""

    def messages(self, sample: Sample, observation: str) -> list[Message]:  # noqa: ARG002
        return [Message("user", observation)]


def test_a_prompt_without_an_instruction_takes_none() -> None:
    with pytest.raises(ConfigError, match="doors: its prompt does not say the instruction"):
        Asked(Silent()).open(asked(doors("a"), WISH))
