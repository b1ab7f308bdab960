"""A transformers causal language model in this process, with an optional PEFT adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tmbr.core.errors import ModelFault
from tmbr.core.types import Completion, Context, Sampling, Scored, Tool, Usage
from tmbr.models.encoding import Encoder, tool_calls

if TYPE_CHECKING:
    from tmbr.models.batching import Batcher, Decoder, Request
    from tmbr.models.guided import Guide, Guides


class LocalModel:
    """Answers many concurrent episodes from one batch; see `tmbr.models.batching`."""

    def __init__(
        self,
        name: str,
        weights_version: str,
        network: Any,
        encoder: Encoder,
        batcher: Batcher,
        context_limit: int,
    ) -> None:
        self.name = name
        self.weights_version = weights_version
        self.context_limit = context_limit
        #: The transformers model, whose weights others may share; None where they are still changing.
        self.network = network
        self._encoder = encoder
        self._batcher = batcher
        self._guides: Guides | None = None

    @classmethod
    def load(
        cls,
        name_or_path: str,
        adapter: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
        max_batch: int = 64,
        cache_bytes: int = 2 << 30,
    ) -> LocalModel:
        """Load a model by path or hub name.

        device: default cuda where there is one, else cpu. dtype: a torch name such as `bfloat16`;
        default float32 on a cpu, else the checkpoint's. max_batch: sequences decoded together.
        cache_bytes: of keys and values kept for prefixes that may come again; 0 keeps none.
        Raises ConfigError: no such model, or the adapter was made for another base.
        """
        from tmbr.models.batching import Batcher
        from tmbr.models.loading import load

        loaded = load(name_or_path, adapter, device, dtype, cache_bytes)
        encoder = Encoder(loaded.tokenizer, loaded.stop)
        name = name_or_path if adapter is None else f"{name_or_path}+{adapter}"
        batcher = Batcher(loaded.decoder, loaded.stop, max_batch)
        return cls(name, loaded.weights_version, loaded.network, encoder, batcher, loaded.context_limit)

    @classmethod
    def around(
        cls, model: Any, tokenizer: Any, name: str, max_batch: int = 64, cache_bytes: int = 2 << 30
    ) -> LocalModel:
        """Over a transformers model that someone else trains: ask only inside `lent`, and say `swapped`
        when its weights are others than before. Raises ConfigError: there is no chat template.
        """
        from tmbr.models.batching import Batcher
        from tmbr.models.loading import around

        loaded = around(model, tokenizer, name, cache_bytes)
        batcher = Batcher(loaded.decoder, loaded.stop, max_batch)
        encoder = Encoder(loaded.tokenizer, loaded.stop)
        return cls(name, loaded.weights_version, None, encoder, batcher, loaded.context_limit)

    async def swapped(self, weights_version: str) -> None:
        """The weights were changed in place: what the old ones computed is not used again."""
        from tmbr.models.batching import Errand

        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._batcher.submit(Errand(lambda decoder: decoder.reset(), future))
        await future
        self.weights_version = weights_version

    def prompt(self, context: Context, tools: Sequence[Tool]) -> tuple[int, ...]:
        """The token ids with which `complete` asks."""
        return self._encoder.encode(context, tools)

    async def complete(
        self, context: Context, tools: Sequence[Tool], n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        """n candidates; the prompt's tokens are counted with the first. Raises ModelFault, and
        ConfigError for a grammar that cannot be used.

        Under a grammar only what it allows is drawn; the log-probabilities are those of the model
        without it.
        """
        from tmbr.models.batching import Request

        ids = self._encoder.encode(context, tools)
        room = min(sampling.max_tokens, self.context_limit - len(ids))
        if room <= 0:
            asked = Completion("", finish_reason="context", usage=Usage(prompt=len(ids)))
            return [asked, *[Completion("", finish_reason="context")] * (n - 1)]
        future: asyncio.Future[Request] = asyncio.get_running_loop().create_future()
        guide = self._guide(sampling, room)
        self._batcher.submit(Request(ids, n, room, sampling, seed, future, guide))
        return self._completions(await future)

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        """Of each text after the generation prompt, without tools. Raises ModelFault."""
        from tmbr.models.batching import Errand

        ids = self._encoder.encode(context, ())
        wanted = [self._encoder.continuation(text) for text in continuations]
        longest = max(map(len, wanted), default=0)
        if len(ids) + longest > self.context_limit:
            raise ModelFault(
                f"{len(ids)} tokens and {longest} to score exceed the context of {self.context_limit}"
            )

        def work(decoder: Decoder) -> Scored:
            found = [_logprob(decoder, ids, tokens) for tokens in wanted]
            prefill = sum(computed for _, computed in found)
            usage = Usage(len(ids), sum(map(len, wanted)), prefill)
            return Scored(tuple(logprob for logprob, _ in found), usage)

        future: asyncio.Future[Scored] = asyncio.get_running_loop().create_future()
        self._batcher.submit(Errand(work, future))
        return await future

    def count(self, context: Context) -> int:
        return len(self._encoder.encode(context, ()))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._batcher.close)

    def _guide(self, sampling: Sampling, room: int) -> Guide | None:
        if sampling.grammar is None:
            return None
        if self._guides is None:
            from tmbr.models.guided import Guides

            self._guides = Guides(self._encoder.tokenizer, self._encoder.stop)
        return self._guides.begin(sampling.grammar, room)

    def _completions(self, request: Request) -> list[Completion]:
        found = []
        for index, drawn in enumerate(request.drawn):
            text = self._encoder.decode(drawn.tokens)
            first = index == 0
            # Cut by the context rather than by the caller: no further turn has room either.
            cut = "length" if request.room == request.sampling.max_tokens else "context"
            found.append(
                Completion(
                    text,
                    tool_calls(text, f"call_{len(request.tokens)}"),
                    tuple(drawn.tokens),
                    tuple(drawn.logprobs),
                    "stop" if drawn.ended else cut,
                    Usage(
                        prompt=len(request.tokens) if first else 0,
                        generated=len(drawn.tokens),
                        prefill=request.prefill if first else 0,
                    ),
                )
            )
        return found


def _logprob(decoder: Any, ids: tuple[int, ...], tokens: tuple[int, ...]) -> tuple[float, int]:
    """The sum over the tokens, and how many positions were computed for it."""
    if not tokens:
        return 0.0, 0
    logits, computed = decoder.logits([*ids, *tokens[:-1]], keep=len(tokens))
    logprobs = logits.float().log_softmax(-1)
    return float(sum(logprobs[at, token] for at, token in enumerate(tokens))), computed
