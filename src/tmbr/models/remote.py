"""A model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tmbr.core.chat import message_json
from tmbr.core.errors import ModelFault, ModelRefused
from tmbr.core.grammar import Grammar
from tmbr.core.protocols import Payment, Purse
from tmbr.core.types import Completion, Context, Sampling, Scored, Tool, Usage, derive_seed
from tmbr.core.waiting import every
from tmbr.models.schemas import fits
from tmbr.models.wire import completions, constraint, scored, used

T = TypeVar("T")
_LOG = logging.getLogger(__name__)

#: How endpoints say that a prompt is too long: OpenAI, vLLM, llama.cpp, SGLang, TGI.
TOO_LONG = re.compile(
    r"context.?(length|window|size)|max(imum)?.?(model|context|input|total).?(len|tokens)|too long"
    r"|reduce the length|`inputs` tokens",
    re.IGNORECASE,
)
#: A `Retry-After` beyond this many seconds is a fault, not a wait.
PATIENCE = 300.0


class RemoteModel:
    """Talks to `base_url` as the model `name`; used from one event loop.

    key_env: the environment variable that holds the key; where it is empty a placeholder is sent, which
    servers without keys accept. timeout: seconds an answer may take. attempts: how often a request is
    sent at most: connection failures, timeouts, unreadable answers and the statuses 408, 409, 429 and
    5xx are tried again, after `backoff` seconds, doubled each time, with jitter from its seed, and
    never sooner than `Retry-After`. concurrency: requests under way. logprobs: ask for them.
    purse: pays for every attempt; one that the server refuses by its status costs nothing, one that
    ends without a readable answer all that was set aside.

    `transformers serve` draws, at any temperature, only where the checkpoint's generation config says
    `do_sample`; elsewhere all candidates are the same.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        key_env: str = "OPENAI_API_KEY",
        *,
        context_limit: int = 32_768,
        timeout: float = 120.0,
        attempts: int = 6,
        backoff: float = 0.5,
        concurrency: int = 32,
        logprobs: bool = False,
        purse: Purse | None = None,
    ) -> None:
        from openai import AsyncOpenAI

        self.name = name
        self.context_limit = context_limit
        self.weights_version = name
        self._where = re.sub(r"//[^/@]*@", "//", base_url)  # a password may stand there
        self._key_env, self._key = key_env, os.environ.get(key_env, "")
        self._timeout, self._attempts, self._backoff = timeout, attempts, backoff
        self._logprobs = logprobs
        self._purse: Purse = purse or _Free()
        self._gives_n = True
        self._takes_grammars = True
        self._said = False
        self._slots = asyncio.Semaphore(concurrency)
        self._client = AsyncOpenAI(
            base_url=base_url, api_key=self._key or "none", timeout=timeout, max_retries=0
        )

    def __repr__(self) -> str:
        return f"RemoteModel({self.name!r}, {self._where!r}, key_env={self._key_env!r})"

    async def complete(
        self, context: Context, tools: Sequence[Tool], n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        """n candidates in one request where the server can, else in parallel ones.

        The endpoint's usage counts n candidates together; the first carries it. A grammar that a server
        refuses is left out from then on; that, and an answer that does not fit, is logged once. Raises
        ModelFault.
        """
        body = self._body(context, tools, sampling)
        try:
            if sampling.grammar and self._takes_grammars:
                return await self._constrained(body, sampling.grammar, n, seed)
            return await self._candidates(body, n, seed)
        except _Refused as refused:
            if refused.too_long:
                return [Completion("", finish_reason="context") for _ in range(n)]
            raise

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        """By the first token of each text, among the likeliest of the answer's first token.

        Where a server tells no log-probabilities, the text that it says is certain. Texts that it does
        not tell of are a little less likely than the least that it tells. Raises ModelFault.
        """
        body = self._body(context, (), Sampling(max_tokens=4))
        asked = body | {"logprobs": True, "top_logprobs": 20, "n": 1, "seed": 0}
        found: list[Scored] = await self._ask(
            asked, 0, lambda response: scored(response, continuations)
        )
        return found[0]

    def count(self, context: Context) -> int:
        """An estimate, as the tokenizer is the server's: a token for four characters."""
        said = (
            len(m.content) + sum(len(c.name) + len(c.arguments) for c in m.tool_calls)
            for m in context.messages()
        )
        return sum(said) // 4

    async def aclose(self) -> None:
        await self._client.close()

    def _body(self, context: Context, tools: Sequence[Tool], sampling: Sampling) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [message_json(message) for message in context.messages()],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        if tools:
            body["tools"] = [dict(tool) for tool in tools]
        if self._logprobs:
            body["logprobs"] = True
        return body

    async def _constrained(
        self, body: dict[str, Any], grammar: Grammar, n: int, seed: int
    ) -> list[Completion]:
        gives_n = self._gives_n
        try:
            found = await self._candidates(body | constraint(grammar), n, seed)
        except _Refused as refused:
            if refused.too_long:
                raise
            self._gives_n = gives_n  # it was not n that it refused, if it answers now
            found = await self._candidates(body, n, seed)
            self._takes_grammars = False
            self._say(f"takes no grammar, so nothing is constrained ({refused})")
            return found
        whole = (answer for answer in found if answer.finish_reason in ("stop", "tool_calls"))
        if not all(fits(grammar, answer) for answer in whole):
            self._say("was told a grammar, and an answer does not fit it: it may be ignored")
        return found

    def _say(self, what: str) -> None:
        """Once; a run asks thousands of times."""
        if not self._said:
            _LOG.warning("tmbr: %s at %s %s", self.name, self._where, what)
        self._said = True

    async def _candidates(self, body: dict[str, Any], n: int, seed: int) -> list[Completion]:
        found: list[Completion] = []
        if n == 1 or self._gives_n:
            try:
                found = await self._ask(body | {"n": n, "seed": seed}, seed, completions)
            except _Refused as refused:  # some servers refuse n rather than ignore it
                if n == 1 or refused.too_long:
                    raise
        if len(found) < n:
            self._gives_n = False
            found += await self._parallel(body, range(len(found), n), seed)
        return found[:n]

    async def _parallel(self, body: dict[str, Any], which: range, seed: int) -> list[Completion]:
        seeds = [derive_seed(seed, index) for index in which]
        asked = [self._ask(body | {"seed": own}, own, completions) for own in seeds]
        return [found[0] for found in await every(asked)]

    async def _ask(
        self,
        body: dict[str, Any],
        seed: int,
        read: Callable[[Any], list[T]],
    ) -> list[T]:
        """What is read from the answer, at least one; after as many attempts as it takes."""
        jitter = random.Random(derive_seed(seed, "backoff"))
        for attempt in range(1, self._attempts + 1):
            try:
                async with self._slots:
                    return await self._once(body, read)
            except _Transient as problem:
                wait = self._backoff * 2 ** (attempt - 1) * (0.5 + jitter.random())
                wait = max(wait, problem.retry_after)
                if attempt == self._attempts or wait > PATIENCE:
                    tried = f"tried {attempt} time{'s' if attempt > 1 else ''}"
                    raise self._fault(f"{problem}; {tried}") from None
            await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, body: dict[str, Any], read: Callable[[Any], list[T]]) -> list[T]:
        import openai

        payment = await self._purse.reserve(self.name, _most(body))
        usage: Usage | None = None
        try:
            response = await self._client.chat.completions.create(**body)
            found = read(response)  # the client hands on whatever JSON, or text, it was sent
            usage = (used(response) if response.usage else None) if found else None
        except openai.APITimeoutError:
            raise _Transient(f"no answer within {self._timeout:g} s") from None
        except openai.APIConnectionError as error:
            raise _Transient(f"the connection failed: {error.__cause__ or error}") from None
        except openai.APIStatusError as error:
            usage = Usage()
            raise self._status(error) from None
        except (openai.OpenAIError, ValueError) as error:
            raise _Transient(f"the answer cannot be read: {error}") from None
        except (AttributeError, TypeError):
            raise _Transient(f"the answer is no chat completion: {str(response)[:80]!r}") from None
        finally:
            payment.settle(usage)
        if not found:
            raise _Transient("the answer holds no choices")
        return found

    def _status(self, error: Any) -> ModelFault | _Transient:
        code = error.status_code
        why = f"status {code}: {error.message.removeprefix(f'Error code: {code} - ')}"
        if code in (408, 409, 429) or code >= 500:
            return _Transient(why, _seconds(error.response.headers.get("retry-after", "")))
        if code in (401, 403):
            said = "holds a key that is refused" if self._key else "is empty, but a key is needed"
            return self._fault(f"the environment variable {self._key_env} {said} ({why})")
        if code in (400, 413, 422):
            fault = _Refused(str(self._fault(why)))
            fault.too_long = code == 413 or bool(TOO_LONG.search(error.message))
            return fault
        return self._fault(why)

    def _fault(self, why: str) -> ModelFault:
        """One line, cut, and without the key, which a server may echo."""
        line = " ".join(why.split())
        if self._key:
            line = line.replace(self._key, "***")
        return ModelFault(f"{self.name} at {self._where}: {line[:300]}")


class _Transient(Exception):
    """Worth another attempt, but not within `retry_after` seconds."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class _Refused(ModelRefused):
    """The server does not like the request itself."""

    too_long = False


class _Free:
    """Both purse and payment of who need not pay."""

    async def reserve(self, model: str, most: Usage) -> Payment:  # noqa: ARG002
        return self

    def settle(self, usage: Usage | None) -> None:  # noqa: ARG002
        return


def _most(body: dict[str, Any]) -> Usage:
    """What a request may use at worst: no token is shorter than a byte."""
    prompt = len(json.dumps(body, ensure_ascii=False).encode(errors="replace"))
    return Usage(prompt, body.get("n", 1) * body["max_tokens"], prompt)


def _seconds(header: str) -> float:
    """`Retry-After` in seconds; its other form, a date, counts as nothing said."""
    return float(header) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", header) else 0.0
