"""The remote model against a real `transformers serve` with a tiny checkpoint of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from transformers import GenerationConfig

from tests.support import tiny
from tests.support.serving import serving
from tmbr.core.types import Context, Message, Sampling
from tmbr.models.remote import RemoteModel

pytestmark = pytest.mark.slow
T = TypeVar("T")
CONTEXT = Context(Message("system", "You are an agent.")).then(Message("user", "go to desk 1"))
#: The checkpoint is sure of what it says.
VARIED = Sampling(temperature=5.0, max_tokens=12)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """(address, model) of a running server."""
    for library in ("fastapi", "uvicorn"):
        pytest.importorskip(library, reason=f"{library} of the extra `reference` is not installed")
    folder = tmp_path_factory.mktemp("served")
    tiny.write(folder)
    GenerationConfig(do_sample=True).save_pretrained(folder)  # the server draws for such ones alone
    with serving(folder) as url:
        yield url, str(folder)


def use(served: tuple[str, str], do: Callable[[RemoteModel], Awaitable[T]]) -> T:
    async def run() -> T:
        model = RemoteModel(served[1], served[0], timeout=120, attempts=2)
        try:
            return await do(model)
        finally:
            await model.aclose()

    return asyncio.run(run())


def test_candidates_are_as_many_as_asked_and_differ(served: tuple[str, str]) -> None:
    """It ignores `n`, so the candidates are asked for side by side."""
    answers = use(served, lambda model: model.complete(CONTEXT, (), 4, VARIED, 7))
    assert len(answers) == 4
    assert len({answer.text for answer in answers}) > 1
    assert all(answer.usage.prompt > 0 for answer in answers if answer.usage.generated)


def test_a_greedy_answer_is_the_same_again(served: tuple[str, str]) -> None:
    async def twice(model: RemoteModel) -> list[str]:
        found = [await model.complete(CONTEXT, (), 1, Sampling(max_tokens=12), s) for s in (1, 2)]
        return [answers[0].text for answers in found]

    first, second = use(served, twice)
    assert first == second


def test_yes_or_no_can_be_scored(served: tuple[str, str]) -> None:
    scored = use(served, lambda model: model.score(CONTEXT, ("Yes", "No")))
    assert len(scored.logprobs) == 2
    assert all(logprob <= 0 for logprob in scored.logprobs)
