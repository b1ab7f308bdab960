"""The growing tree: each node's conversation, seeds and charges."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.reasoning.playing import doors, play
from tests.support.doors import DoorsTask, Wanderer
from tmbr.core.conversation import conversation
from tmbr.core.grammar import Constraint, Grammar, literal
from tmbr.core.protocols import Strategy
from tmbr.core.types import Completion, Context, Sampling, Usage
from tmbr.models.scripted import ScriptedModel
from tmbr.reasoning.decompose import Decompose
from tmbr.reasoning.paths import React
from tmbr.reasoning.restarts import Paper, Reflexion
from tmbr.reasoning.search import Multibranch
from tmbr.reasoning.strategies import STRATEGIES, strategy

CONSTRAINED = Sampling(0.7, constrain="admissible")
ALL: list[Strategy] = [
    *(strategy(name) for name in STRATEGIES),
    Paper(path_steps=3),
    Reflexion(path_steps=3),
    strategy("decompose+multibranch", part_steps=2),
]


class Listening(Wanderer):
    """A wanderer that keeps the contexts and seeds it was asked with."""

    def __init__(self) -> None:
        super().__init__()
        self.contexts: list[Context] = []
        self.seeds: list[int] = []
        self.grammars: list[Grammar | None] = []

    async def complete(
        self, context: Context, _: object, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        self.contexts.append(context)
        self.seeds.append(seed)
        self.grammars.append(sampling.grammar)
        found = await Wanderer.complete(self, context, (), n, sampling, seed)
        return [Completion(c.text, token_ids=tuple(map(ord, c.text)), usage=Usage(5, 2)) for c in found]


@pytest.mark.parametrize("of", ALL, ids=lambda s: s.name)
def test_the_model_is_told_what_the_trace_says_and_tokens_are_its_own(of: Strategy) -> None:
    model = Listening()
    trace = play(of, model, doors("abab"))
    heard = [context.messages() for context in model.contexts]
    told = [conversation(trace, index).messages() for index in range(len(trace.nodes))]
    assert all(messages in told for messages in heard)
    for context in model.contexts:
        for link in context.links():
            if link.message.role == "assistant":
                assert link.token_ids == tuple(map(ord, link.message.content))
            else:
                assert link.token_ids is None


class Listed(DoorsTask):
    """Doors whose grammar holds the observation that it was made from."""

    constraints = ("admissible",)

    def grammar(self, constraint: Constraint, observation: str) -> Grammar:
        assert constraint == "admissible"
        return Grammar(literal(observation))


@pytest.mark.parametrize("of", ALL, ids=lambda s: s.name)
def test_actions_alone_are_constrained_by_what_the_world_last_told(of: Any) -> None:
    inner = {"of": replace(of.of, sampling=CONSTRAINED)} if isinstance(of, Decompose) else None
    made = replace(of, **(inner or {"sampling": CONSTRAINED}))
    model = Listening()
    trace = play(made, model, doors("abab"), task=Listed())
    acts = {node.context for node in trace.nodes if node.kind == "act"}
    told = {conversation(trace, at).message.content for at in acts if at is not None}
    for context, grammar in zip(model.contexts, model.grammars, strict=True):
        if grammar is not None:
            listed = re.findall(
                r"Behind you: [\w ]+\. Doors: a, b\.|Say .*?`leave`\.|There is no such door\.",
                "\n".join(m.content for m in context.messages()),
            )
            assert grammar == Grammar(literal(listed[-1]))
        assert (grammar is not None) == (context.message.content in told)


@pytest.mark.parametrize("of", ALL, ids=lambda s: s.name)
def test_no_seed_is_used_twice_and_every_call_is_charged(of: Strategy) -> None:
    model = Listening()
    trace = play(of, model, doors("abab"))
    judged = [judgement.usage for judgement in trace.judgements if judgement.usage.total]
    assert len(set(model.seeds)) == len(model.seeds) == trace.spent.calls - len(judged)
    asked = [node.completion.usage for node in trace.nodes if node.completion]
    assert trace.spent.usage == sum(asked + judged, start=Usage())


def test_branches_share_their_prefix_by_identity() -> None:
    model = Listening()
    play(Multibranch(keep=0.0, path_steps=1), model, doors("abab"))
    roots = {id(context.links()[0]) for context in model.contexts}
    assert len(model.contexts) > 1
    assert len(roots) == 1


def test_an_unreadable_answer_says_why() -> None:
    trace = play(React(), ScriptedModel(["hm", "open a"]), doors("a"))
    assert [node.error for node in trace.nodes] == [None, "neither `open` nor `leave`", None]
    assert trace.nodes[1].action is None
