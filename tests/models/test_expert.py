"""Models that need no weights: what they say follows from conversation and seed alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from tmbr.core.errors import ConfigError, ModelFault
from tmbr.core.protocols import Model
from tmbr.core.types import Completion, Context, Message, Sampling, ToolCall
from tmbr.models.expert import MALFORMED, ExpertModel, NoisyExpert
from tmbr.models.scripted import ScriptedModel


def right(messages: Sequence[Message]) -> Message:
    return Message("assistant", f"right after {messages[-1].content}")


def wrong(messages: Sequence[Message], rng: random.Random) -> Message:
    return Message("assistant", f"wrong {rng.randrange(1000)} after {messages[-1].content}")


def said(model: Model, text: str = "go", n: int = 1, seed: int = 0) -> list[Completion]:
    return asyncio.run(model.complete(Context(Message("user", text)), (), n, Sampling(), seed))


def texts(model: Model, text: str = "go", n: int = 1, seed: int = 0) -> list[str]:
    return [c.text for c in said(model, text, n, seed)]


def erred(text: str) -> bool:
    return not text.startswith("right")


def test_a_function_sees_conversation_n_and_seed() -> None:
    model = ScriptedModel(
        lambda messages, n, seed: [f"{messages[-1].content} {seed} {i}" for i in range(n)]
    )
    assert texts(model, "go", 2, 5) == ["go 5 0", "go 5 1"]
    first, second = said(model, "go to desk", 2, 5)
    assert (first.usage.prompt, first.usage.generated) == (3, 5)
    assert (second.usage.prompt, second.usage.generated) == (0, 5)
    assert model.count(Context(Message("user", "go to desk"))) == 3


def test_a_list_is_given_out_in_order_and_ends() -> None:
    call = Message("assistant", "so", (ToolCall("c0", "look", "{}"),))
    model = ScriptedModel(["a", "b", call])
    assert texts(model, n=2) == ["a", "b"]
    (answer,) = said(model)
    assert answer.message() == call
    assert answer.finish_reason == "tool_calls"
    with pytest.raises(ModelFault, match="script of 3 answers is used up"):
        said(model)


def test_a_full_context_is_an_answer() -> None:
    model = ScriptedModel(["a"], context_limit=3)
    assert [c.finish_reason for c in said(model, "one two three", n=2)] == ["context", "context"]
    assert texts(model) == ["a"]


def test_the_expert_says_the_same_n_times() -> None:
    assert texts(ExpertModel("expert", right), n=3) == ["right after go"] * 3


@pytest.mark.parametrize("errors", ["anew", "per state"])
def test_errors_come_at_their_rate(errors: str) -> None:
    model = NoisyExpert("noisy", right, wrong, 0.3, errors, malformed_share=0.25)  # type: ignore[arg-type]
    drawn = [texts(model, f"state {i}", seed=i)[0] for i in range(2000)]
    bad = [text for text in drawn if erred(text)]
    assert len(bad) / len(drawn) == pytest.approx(0.3, abs=0.04)
    assert sum(text in MALFORMED for text in bad) / len(bad) == pytest.approx(0.25, abs=0.06)
    assert drawn == [texts(model, f"state {i}", seed=i)[0] for i in range(2000)]


def test_errors_say_that_they_are_mistakes() -> None:
    model = NoisyExpert("noisy", right, wrong, 0.5)
    answers = said(model, n=20)
    assert {(erred(a.text), a.finish_reason) for a in answers} == {(True, "mistake"), (False, "stop")}


def test_anew_a_retry_helps() -> None:
    model = NoisyExpert("noisy", right, wrong, 0.5, "anew")
    for state in range(20):
        assert {erred(t) for t in texts(model, f"state {state}", n=20)} == {True, False}


def test_per_state_only_another_state_helps() -> None:
    model = NoisyExpert("noisy", right, wrong, 0.5, "per state", malformed_share=0.5)
    verdicts = []
    for state in range(20):
        drawn = [t for seed in range(5) for t in texts(model, f"state {state}", n=4, seed=seed)]
        assert len({(erred(t), t in MALFORMED) for t in drawn}) == 1
        verdicts.append(erred(drawn[0]))
    assert {True, False} == set(verdicts)
    other = NoisyExpert("noisy", right, wrong, 0.5, "per state", seed=1)
    assert verdicts != [erred(texts(other, f"state {state}")[0]) for state in range(20)]


def test_candidates_have_their_own_seeds() -> None:
    model = NoisyExpert("noisy", right, wrong, 1.0, malformed_share=0.0)
    assert len(set(texts(model, n=8))) > 4
    assert texts(model, n=8)[:3] == texts(model, n=3)
    assert texts(model, n=3, seed=1) != texts(model, n=3, seed=2)


def test_a_share_out_of_range_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"p is 1\.5"):
        NoisyExpert("noisy", right, wrong, 1.5)


def test_settings_are_in_the_version() -> None:
    versions = {NoisyExpert("noisy", right, wrong, p).weights_version for p in (0.1, 0.2)}
    assert len(versions) == 2
