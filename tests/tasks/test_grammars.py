"""Whatever random weights say under a grammar is a turn that the form reads, in every world."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer
from llguidance.gbnf_to_lark import any_to_lark

from tests.support import tiny
from tests.support.doors import DoorsTask
from tests.tasks.playing import led
from tmbr.cli.tasks import TASKS, make_task
from tmbr.core.constraints import constrained
from tmbr.core.errors import ConfigError
from tmbr.core.grammar import Constraint, Grammar
from tmbr.core.types import Completion, Context, Message, Sampling
from tmbr.models import schemas
from tmbr.models.encoding import tool_calls
from tmbr.models.guided import written
from tmbr.models.local import LocalModel

FORMS = [(world, form) for world in TASKS for form in ("text", "agentbench")]
LISTING = {("household", "agentbench"), ("webshop", "agentbench"), ("webpages", "text")}
LISTING |= {("webpages", "agentbench")}
CASES = [(*of, "format") for of in FORMS] + [(*of, "admissible") for of in sorted(LISTING)]


@cache
def task_of(world: str, form: str) -> Any:
    return make_task(world, "generated", form)


@cache
def shown(world: str, form: str, index: int) -> str:
    """What a world shows first."""
    task = task_of(world, form)
    session = task.open(task.samples("test")[index])
    session.close()
    return str(session.observation)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalModel]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = LocalModel.load(str(tiny.write(tmp_path_factory.mktemp("tiny"), seed=4)))
    yield made
    asyncio.run(made.aclose())
    torch.set_num_threads(before)


@pytest.mark.parametrize(("world", "form", "constraint"), CASES)
def test_what_random_weights_say_is_read(
    model: LocalModel, world: str, form: str, constraint: Constraint
) -> None:
    task = task_of(world, form)

    async def ask(seed: int) -> list[Completion]:
        """Hot, warm and greedy; the prompt is of no matter."""
        grammar = task.grammar(constraint, shown(world, form, seed))
        n, heat, room = [(2, 2.0, 150), (1, 1.0, 200), (1, 0.0, 150)][seed]
        context = Context(Message("user", f"{world} {seed}"))
        sampling = Sampling(heat, 1.0, room, grammar=grammar)
        return await model.complete(context, (), n, sampling, seed)

    async def all_of_them() -> list[list[Completion]]:
        return await asyncio.gather(*(ask(seed) for seed in range(3)))

    for seed, answers in enumerate(asyncio.run(all_of_them())):
        grammar = task.grammar(constraint, shown(world, form, seed))
        for answer in answers:
            assert answer.finish_reason == "stop", answer.text
            assert schemas.fits(grammar, answer), answer.text
            action = task.parse(answer)
            if (world, constraint) == ("household", "admissible"):
                assert task.open(task.samples("test")[seed]).step(action).admissible


def strings(grammar: Grammar) -> st.SearchStrategy[str]:
    return st.from_regex(written(grammar).regex, fullmatch=True)


@pytest.mark.parametrize(("world", "form"), FORMS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_turn_of_a_grammar_is_read(world: str, form: str, data: st.DataObject) -> None:
    """Without a model: the language itself, drawn from at will."""
    task = task_of(world, form)
    grammar = task.grammar("format", "")
    text = data.draw(strings(grammar))
    answer = Completion(text, tool_calls(text, "c"))
    assert schemas.fits(grammar, answer)
    task.parse(answer)


@pytest.mark.parametrize(("world", "form"), FORMS)
def test_the_solutions_fit(world: str, form: str) -> None:
    """What the walkthrough says is in the grammar of its format, and what is listed admits it."""
    task = task_of(world, form)
    for index in range(3):
        played = led(task, task.samples("validation")[index])
        grammar = task.grammar("format", "")
        turns = [m for m in played.messages if m.role == "assistant"][-len(played.actions) :]
        assert all(schemas.fits(grammar, Completion(m.content, m.tool_calls)) for m in turns)
        if (world, form) in LISTING:
            heard = [m.content for m in played.messages if m.role in ("user", "tool")]
            heard = heard[-len(turns) - 1 : -1]
            for message, told in zip(turns, heard, strict=True):
                narrow = task.grammar("admissible", told)
                assert schemas.fits(narrow, Completion(message.content, message.tool_calls)), message


@pytest.mark.parametrize(("world", "form"), FORMS)
def test_the_other_notation_says_the_same(world: str, form: str) -> None:
    """As llama.cpp reads it, here by llguidance's reader of its grammars."""
    grammar = task_of(world, form).grammar("format", "")
    pattern = written(grammar)
    lark = any_to_lark(f"root ::= {pattern.gbnf}")
    tokens = LLTokenizer("byte")
    matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(lark))
    assert not matcher.is_error(), matcher.get_error()
    rng = random.Random(0)
    for text in map(_filled, ["x", "go to desk 1", "a <b", "é"]):
        for broken in (text, text[:-1], text[1:], text.replace("A", "B", 1), f"{text}{rng.random()}"):
            told = matcher.deep_copy()
            ids = tokens.tokenize_str(broken)
            takes = told.try_consume_tokens(ids) == len(ids) and told.is_accepting()
            assert takes == pattern.fits(broken), broken


def _filled(word: str) -> str:
    return f"Thought: {word}\nAction: {word}"


def test_only_what_is_listed_can_be_said() -> None:
    task = task_of("household", "agentbench")
    observation = shown("household", "agentbench", 0)
    (tool,) = task.grammar("admissible", observation).tools
    listed = observation.split("Available actions:\n")[1].split("\n")
    assert tool["function"]["parameters"]["properties"]["action"]["enum"] == listed
    assert "enum" not in str(task.grammar("format", observation))


@pytest.mark.parametrize(("world", "form"), sorted(set(FORMS) - LISTING))
def test_a_form_without_a_list_says_so_in_one_line(world: str, form: str) -> None:
    with pytest.raises(ConfigError, match="tells no list of actions") as error:
        constrained(task_of(world, form), "admissible")
    assert "\n" not in str(error.value)


def test_a_task_of_ones_own_may_have_no_grammar() -> None:
    with pytest.raises(ConfigError, match="has no grammar of its turns: give it"):
        constrained(DoorsTask(), "format")
