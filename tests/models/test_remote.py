"""The remote model against a scripted server: every failure is one line, and none tells the key."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from tests.support.endpoint import (
    Behaviour,
    Endpoint,
    Handler,
    answer,
    calling,
    cut,
    late,
    nothing,
    ok,
    one,
    refuses,
    says,
    serving,
    tops,
)
from tmbr.core.errors import ModelFault, ModelRefused
from tmbr.core.grammar import LINE, Grammar, one_of
from tmbr.core.types import Completion, Context, Message, Sampling, ToolCall, derive_seed
from tmbr.models.remote import RemoteModel
from tmbr.tasks.calls import tool

T = TypeVar("T")
KEY = "sk-very-secret-0123456789"
TOOL = tool("take_action", "act", action="what")
CONTEXT = Context(Message("system", "You are an agent.")).then(Message("user", "go"))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


def with_remote(url: str, use: Callable[[RemoteModel], Awaitable[T]], **settings: Any) -> T:
    async def run() -> T:
        model = RemoteModel("m", url, "TEST_KEY", **{"backoff": 0.01, "attempts": 3} | settings)
        try:
            return await use(model)
        finally:
            await model.aclose()

    return asyncio.run(run())


def asked(
    *script: Behaviour, n: int = 1, context: Context = CONTEXT, **settings: Any
) -> tuple[list[Completion], Endpoint]:
    with serving(*script) as endpoint:
        answers = with_remote(
            endpoint.url,
            lambda model: model.complete(context, (), n, Sampling(0.5, 0.9, 40), 7),
            **settings,
        )
    return answers, endpoint


def fault(*script: Behaviour, n: int = 1, **settings: Any) -> tuple[str, Endpoint]:
    """The line of the fault: one line, short, without the key."""
    with serving(*script) as endpoint, pytest.raises(ModelFault) as error:
        with_remote(
            endpoint.url, lambda model: model.complete(CONTEXT, (), n, Sampling(), 7), **settings
        )
    line = str(error.value)
    assert line.startswith(f"m at {endpoint.url}: ")
    assert "\n" not in line
    assert len(line) < 400
    assert KEY not in line
    return line, endpoint


def test_an_answer_with_usage_and_settings() -> None:
    (answer,), endpoint = asked(ok)
    assert (answer.text, answer.finish_reason) == ("answer 0", "stop")
    assert (answer.usage.prompt, answer.usage.generated, answer.usage.prefill) == (10, 3, 6)
    (body,) = endpoint.asked
    assert (body["model"], body["temperature"], body["top_p"]) == ("m", 0.5, 0.9)
    assert (body["max_tokens"], body["n"], body["seed"]) == (40, 1, 7)
    assert "tools" not in body
    assert "logprobs" not in body
    assert endpoint.keys == [f"Bearer {KEY}"]


def test_n_answers_in_one_request_are_charged_once() -> None:
    answers, endpoint = asked(ok, n=3)
    assert [a.text for a in answers] == ["answer 0", "answer 1", "answer 2"]
    assert len(endpoint.asked) == 1
    assert sum(a.usage.prompt for a in answers) == 10
    assert sum(a.usage.generated for a in answers) == 9


@pytest.mark.parametrize("first", [one, refuses(400, "n must be 1")])
def test_a_server_without_n_is_asked_in_parallel(first: Behaviour) -> None:
    async def use(model: RemoteModel) -> list[list[Completion]]:
        return [await model.complete(CONTEXT, (), 3, Sampling(), seed) for seed in (7, 8)]

    with serving(first, one) as endpoint:
        before, after = with_remote(endpoint.url, use)
    assert len({a.text for a in before}) == 3
    assert {a.text for a in after} == {f"seed {derive_seed(8, i)}" for i in range(3)}
    assert all("n" not in body for body in endpoint.asked[1:])
    assert len(endpoint.asked) in (6, 7)


def test_tools_and_calls_both_ways() -> None:
    tool = {"type": "function", "function": {"name": "take_action", "parameters": {}}}
    call = ToolCall("c0", "take_action", '{"action": "go"}')
    context = CONTEXT.then(Message("assistant", "so", (call,))).then(
        Message("tool", "nothing happens", tool_call_id="c0")
    )
    with serving(calling) as endpoint:
        (answer,) = with_remote(
            endpoint.url, lambda model: model.complete(context, [tool], 1, Sampling(), 0)
        )
    assert answer.tool_calls == (ToolCall("c1", "take_action", '{"action": "look"}'),)
    assert answer.finish_reason == "tool_calls"
    (body,) = endpoint.asked
    assert body["tools"] == [tool]
    assert body["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"action": "go"}'
    assert body["messages"][3] == {"role": "tool", "content": "nothing happens", "tool_call_id": "c0"}


ACTING = Grammar("Thought: " + LINE + "\nAction: " + one_of(["go", "look"]))
CALLING = Grammar(tools=(tool("take_action", "act", action="what"),))


def constrained(
    *script: Behaviour, grammar: Grammar = ACTING, n: int = 1, times: int = 1
) -> tuple[list[Completion], Endpoint]:
    """The answers of some requests, one after the other."""

    async def use(model: RemoteModel) -> list[Completion]:
        sampling = Sampling(grammar=grammar)
        asked = [await model.complete(CONTEXT, (TOOL,), n, sampling, i) for i in range(times)]
        return [answer for answers in asked for answer in answers]

    with serving(*script) as endpoint:
        return with_remote(endpoint.url, use), endpoint


def test_a_grammar_is_told_in_each_servers_words(caplog: pytest.LogCaptureFixture) -> None:
    fit = says(200, answer(["Thought: so\nAction: look"]))
    _, endpoint = constrained(fit)
    (body,) = endpoint.asked
    assert body["structured_outputs"]["regex"] == body["regex"] == ACTING.text.regex
    assert body["grammar"].startswith('root ::= "Thought: "')
    assert body["tools"] == [TOOL]
    _, endpoint = constrained(calling, grammar=CALLING)
    assert endpoint.asked[0]["tool_choice"] == "required"
    assert endpoint.asked[0]["tools"] == list(CALLING.tools)
    assert "regex" not in endpoint.asked[0]
    assert not caplog.records


@pytest.mark.parametrize("grammar", [ACTING, CALLING])
def test_a_server_that_ignores_the_grammar_is_said_once(
    grammar: Grammar, caplog: pytest.LogCaptureFixture
) -> None:
    answers, endpoint = constrained(ok, grammar=grammar, n=2, times=3)
    assert len(answers) == 6
    assert len(endpoint.asked) == 3
    (record,) = caplog.records
    assert "does not fit" in record.getMessage()
    assert KEY not in record.getMessage()


@pytest.mark.parametrize("n", [1, 3])
def test_a_server_that_refuses_grammars_is_asked_without(
    n: int, caplog: pytest.LogCaptureFixture
) -> None:
    def picky(handler: Handler, body: dict[str, Any]) -> None:
        refused = refuses(400, "Unrecognized request argument supplied: grammar")
        (refused if "grammar" in body else ok)(handler, body)

    answers, endpoint = constrained(picky, n=n, times=2)
    assert [a.text for a in answers] == [f"answer {i}" for i in range(n)] * 2
    assert sum("grammar" in body for body in endpoint.asked[-2:]) == 0
    (record,) = caplog.records
    assert "takes no grammar" in record.getMessage()


def test_a_refusal_leaves_nothing_under_way() -> None:
    no = refuses(400, "no")
    with serving(no, no, late(0.3)) as endpoint:

        async def use(model: RemoteModel) -> tuple[int, int]:
            with pytest.raises(ModelRefused):
                await model.complete(CONTEXT, (), 3, Sampling(), 0)
            return endpoint.most_at_once, endpoint.at_once

        assert with_remote(endpoint.url, use) == (2, 0)


def test_what_is_too_long_is_so_under_a_grammar(caplog: pytest.LogCaptureFixture) -> None:
    (answered,), _ = constrained(refuses(400, "maximum context length is 100 tokens"))
    assert answered.finish_reason == "context"
    assert not caplog.records


def test_logprobs_when_asked() -> None:
    (answer,), endpoint = asked(ok, logprobs=True)
    assert answer.logprobs == (-0.5,)
    assert endpoint.asked[0]["logprobs"] is True


@pytest.mark.parametrize(
    "trouble",
    [
        refuses(500, "boom"),
        refuses(503, "busy"),
        refuses(429, "slow down"),
        says(200, "<html>proxy</html>"),
        says(200, "{}"),
        says(200, '{"choices": []}'),
        says(200, '{"choices": [{"message": "hi"}]}'),
        says(200, "[1, 2]"),
        says(200, "null"),
        cut,
        nothing,
    ],
)
def test_trouble_passes_when_it_does(trouble: Behaviour) -> None:
    answers, endpoint = asked(trouble, trouble, ok)
    assert [a.text for a in answers] == ["answer 0"]
    assert len(endpoint.asked) == 3


def test_a_late_answer_is_not_waited_for() -> None:
    answers, endpoint = asked(late(3.0), ok, timeout=1.0)
    assert [a.text for a in answers] == ["answer 0"]
    assert len(endpoint.asked) == 2
    line, _ = fault(late(1.0), timeout=0.1)
    assert line.endswith("no answer within 0.1 s; tried 3 times")


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (refuses(500, "boom"), "status 500: .*boom.*tried 3 times"),
        (refuses(429, "slow down"), "status 429: .*slow down.*tried 3 times"),
        (says(200, "<html>\nproxy</html>"), "proxy.*tried 3 times|cannot be read.*tried 3 times"),
        (says(200, '{"choices": []}'), "no choices; tried 3 times"),
        (says(200, "{}"), "no chat completion.*tried 3 times"),
        (cut, "the connection failed: .*tried 3 times"),
        (nothing, "the connection failed: .*tried 3 times"),
    ],
)
def test_trouble_that_stays_is_one_line(trouble: Behaviour, why: str) -> None:
    line, endpoint = fault(trouble)
    assert len(endpoint.asked) == 3
    assert re.search(why, line), line


def test_retry_after_is_honoured() -> None:
    _, endpoint = asked(refuses(429, "slow down", {"Retry-After": "1"}), ok)
    assert 1.0 <= endpoint.times[1] - endpoint.times[0] < 3.0
    line, endpoint = fault(refuses(429, "come back tomorrow", {"Retry-After": "86400"}))
    assert len(endpoint.asked) == 1
    assert "tried 1 time" in line


def test_waits_grow_and_follow_from_the_seed() -> None:
    async def use(model: RemoteModel) -> None:
        with pytest.raises(ModelFault):
            await model.complete(CONTEXT, (), 1, Sampling(), 3)

    with serving(refuses(500, "boom")) as endpoint:
        with_remote(endpoint.url, use, backoff=0.1)
    gaps = [b - a for a, b in zip(endpoint.times, endpoint.times[1:], strict=False)]
    jitter = random.Random(derive_seed(3, "backoff"))
    wanted = [0.1 * 2**attempt * (0.5 + jitter.random()) for attempt in range(2)]
    assert all(gap >= wait for gap, wait in zip(gaps, wanted, strict=True))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    line, endpoint = fault(refuses(status, f"no, {KEY}\nis not right"))
    assert len(endpoint.asked) == 1
    assert f"status {status}" in line
    assert "***" in line
    assert ("TEST_KEY" in line) == (status in (401, 403))


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "the request exceeds the available context size, try increasing it",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "`inputs` tokens + `max_new_tokens` must be <= 4096",
    ],
)
def test_a_prompt_too_long_is_an_answer(message: str) -> None:
    answers, endpoint = asked(refuses(400, message), n=2)
    assert [(a.text, a.finish_reason) for a in answers] == [("", "context")] * 2
    assert len(endpoint.asked) == 1


def test_nobody_listens() -> None:
    with serving(ok) as endpoint:
        url = endpoint.url
    with pytest.raises(ModelFault, match=r"the connection failed: .*tried 3 times"):
        with_remote(url, lambda model: model.complete(CONTEXT, (), 1, Sampling(), 0))


def test_no_more_than_so_many_at_once() -> None:
    async def use(model: RemoteModel) -> None:
        await asyncio.gather(*(model.complete(CONTEXT, (), 1, Sampling(), i) for i in range(9)))

    with serving(late(0.05)) as endpoint:
        with_remote(endpoint.url, use, concurrency=3)
    assert endpoint.most_at_once == 3


def test_the_key_stays_hidden_and_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = RemoteModel("m", "http://me:pass@127.0.0.1:1/v1", "TEST_KEY")
    assert KEY not in repr(model)
    assert "pass" not in repr(model)
    monkeypatch.delenv("TEST_KEY")
    line, endpoint = fault(refuses(401, "who are you?"))
    assert "TEST_KEY is empty" in line
    assert endpoint.keys == ["Bearer none"]


def test_scoring_reads_the_likeliest_first_tokens() -> None:
    with serving(tops({"Yes": 0.7, " yes": 0.2, "No": 0.05})) as endpoint:
        scored = with_remote(endpoint.url, lambda model: model.score(CONTEXT, ["Yes", "No", "maybe"]))
    assert endpoint.asked[0]["logprobs"] is True
    assert [round(math.exp(logprob), 6) for logprob in scored.logprobs] == [0.9, 0.05, 0.0005]
    assert scored.usage.prompt == 10


@pytest.mark.parametrize(("said", "likely"), [("Yes.", 0), ("no", 1)])
def test_scoring_takes_the_word_of_a_server_without_logprobs(said: str, likely: int) -> None:
    with serving(tops({}, said)) as endpoint:
        scored = with_remote(endpoint.url, lambda model: model.score(CONTEXT, ["Yes", "No"]))
    assert max(range(2), key=scored.logprobs.__getitem__) == likely
    assert scored.logprobs[likely] == 0.0
