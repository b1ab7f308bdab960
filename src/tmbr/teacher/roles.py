"""The three roles that a model plays, each with its own prompt: question generator, action maker,
environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from tmbr.core.protocols import Model
from tmbr.core.types import Completion, Context, Message, Sampling, Scored, Tool, Trace, answer, digest
from tmbr.teacher.asker import Asker, Content
from tmbr.teacher.prompts import prompt

#: How the question generator draws; thoughts and actions are sampled as the strategy says.
ASKING = Sampling(temperature=1.0, max_tokens=400)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of the question generator."""

    category: str
    level: str


async def propose(
    model: Model, asker: Asker, content: Content, ask: Ask, variant: int, seed: int
) -> str:
    """The question generator's answer about a world. Raises ModelFault.

    variant: which question of this world it is, so that two of them differ.
    """
    told = prompt(
        "question",
        brief=asker.brief,
        world=content.text,
        category=ask.category,
        wants=asker.categories[ask.category],
        level=ask.level,
        variant=variant,
    )
    context = Context(Message("user", told))
    return (await model.complete(context, (), 1, ASKING, seed))[0].text


class Instructed:
    """A model that is told something before every conversation, which the trace does not hold.

    So what is collected is free of examples and of the role's prompt, and a model that is tuned on it
    needs neither. The told text is part of `weights_version`, hence of every episode's resume key.
    """

    def __init__(self, model: Model, told: str) -> None:
        self._model, self._told = model, told
        self._links: WeakKeyDictionary[Context, Context] = WeakKeyDictionary()
        self.name = model.name
        self.context_limit = model.context_limit
        self.weights_version = f"{model.weights_version}, told {digest(told)}"

    async def complete(
        self, context: Context, tools: Sequence[Tool], n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        return await self._model.complete(self._whole(context), tools, n, sampling, seed)

    async def score(self, context: Context, continuations: Sequence[str]) -> Scored:
        return await self._model.score(self._whole(context), continuations)

    def count(self, context: Context) -> int:
        return self._model.count(self._whole(context))

    async def aclose(self) -> None:
        await self._model.aclose()

    def _whole(self, context: Context) -> Context:
        """The conversation with what is told; siblings go on sharing their prefix by identity."""
        for link in context.links():
            if link not in self._links:
                self._links[link] = self._link(link)
        return self._links[context]

    def _link(self, link: Context) -> Context:
        if link.parent is not None:
            return self._links[link.parent].then(link.message, link.token_ids)
        if link.message.role == "system":
            return Context(Message("system", f"{self._told}\n\n{link.message.content}"))
        return Context(Message("system", self._told)).then(link.message, link.token_ids)


def action_maker(model: Model) -> Instructed:
    """A model that plays a task thought by thought."""
    return Instructed(model, prompt("action"))


def imitator(model: Model, examples: Sequence[Trace]) -> Instructed:
    """A model that works as complete example trajectories do (the paper's way for tool tasks)."""
    return Instructed(model, prompt("imitate", examples=[_turns(trace) for trace in examples]))


def _turns(trace: Trace) -> list[dict[str, str]]:
    """The committed conversation, from the first observation on."""
    assert trace.finish is not None
    turns = []
    for index in trace.conversation(trace.finish.leaf):
        node = trace.nodes[index]
        if node.kind == "root" and node.message.role == "system":
            continue
        turns.append(_turn(node.message))
        told = answer(node)
        if told is not None:
            turns.append(_turn(told))
    return turns


def _turn(message: Message) -> dict[str, str]:
    calls = [f"{call.name}({call.arguments})" for call in message.tool_calls]
    role = "agent" if message.role == "assistant" else "world"
    return {"role": role, "text": "\n".join(filter(None, [message.content, *calls]))}
