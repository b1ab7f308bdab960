"""Rows and pairs of any sound content, for property tests."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import strategies as st

from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, Tool, ToolCall

# What may go wrong between files: quotes, breaks, tags, separators, other planes.
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["<think>\n", "\n</think>\n\n", "{", "[]", '"', "\r", "\u2028", "\x00", " a ", "null"]
    ),
)
said = texts.filter(lambda text: bool(text.strip()))
names = st.sampled_from(["take_action", "query", "答え"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
arguments = st.dictionaries(texts, values, max_size=2).map(json.dumps)
losses = st.sampled_from([0.0, 0.5, 1.0])


def tool(name: str) -> Tool:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


@st.composite
def exchange(draw: st.DrawFn, number: int, losses: st.SearchStrategy[float] = losses) -> list[Turn]:
    """A question and an answer, or calls and what tools said to them."""
    if draw(st.booleans()):
        answer = Turn(Message("assistant", draw(said)), draw(losses))
        return [Turn(Message("user", draw(texts))), answer]
    calls = tuple(
        ToolCall(f"c{number}-{index}", draw(names), draw(arguments))
        for index in range(draw(st.integers(1, 2)))
    )
    order = draw(st.permutations(calls))  # tools answer as they are done
    told = [Turn(Message("tool", draw(texts), tool_call_id=call.id)) for call in order]
    return [Turn(Message("assistant", draw(texts), calls), draw(losses)), *told]


@st.composite
def rows(draw: st.DrawFn, losses: st.SearchStrategy[float] = losses) -> Row:
    """Conversations with calls; the last turn may be anybody's."""
    turns = [Turn(Message("system", draw(texts)))] if draw(st.booleans()) else []
    turns += [Turn(Message("user", draw(texts)))]
    for number in range(draw(st.integers(1, 3))):
        turns += draw(exchange(number, losses))
    used = {call.name for turn in turns for call in turn.message.tool_calls}
    tools = tuple(tool(name) for name in sorted(used))
    return Row(draw(said), tuple(turns), tools, draw(st.sampled_from(["", "household"])))


@st.composite
def weighted(draw: st.DrawFn) -> Row:
    """Rows with weights inside of their answers, which only tmbr's own format holds."""
    row = draw(rows())
    turns = [
        replace(turn, weights=((0, 1, 2.5),))
        if turn.message.role == "assistant" and turn.message.content
        else turn
        for turn in row.turns
    ]
    return replace(row, turns=tuple(turns))


@st.composite
def dialogues(draw: st.DrawFn, most: int = 3) -> Row:
    """Questions and answers in turn, all answers trained; what formats without roles can hold."""
    turns: list[Turn] = []
    for _ in range(draw(st.integers(1, most))):
        turns += [Turn(Message("user", draw(said))), Turn(Message("assistant", draw(said)), 1.0)]
    if most > 1 and draw(st.booleans()):
        turns.insert(0, Turn(Message("system", draw(said))))
    return Row(draw(said), tuple(turns))


@st.composite
def single(draw: st.DrawFn) -> Row:
    """A prompt that may call tools, and one answer that trains."""
    row = draw(rows(st.just(0.0)))
    return replace(row, turns=(*row.turns, Turn(Message("assistant", draw(said)), 1.0)))


monologues = st.builds(lambda id, text: Row(id, (Turn(Message("assistant", text), 1.0),)), said, said)


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    row = draw(rows())
    prompt = tuple(turn.message for turn in row.turns)
    chosen = Message("assistant", draw(texts), (ToolCall("d1", draw(names), draw(arguments)),))
    margin = draw(st.sampled_from([0.25, 1.0]))
    return Pair(row.id, prompt, chosen, Message("assistant", draw(said)), row.tools, margin)


def normal(item: Row | Pair) -> Row | Pair:
    """With arguments spelled one way: as JSON data they are the same."""
    if isinstance(item, Pair):
        prompt = tuple(_normal(message) for message in item.prompt)
        return replace(
            item, prompt=prompt, chosen=_normal(item.chosen), rejected=_normal(item.rejected)
        )
    turns = (replace(turn, message=_normal(turn.message)) for turn in item.turns)
    return replace(item, turns=tuple(turns))


def _normal(message: Message) -> Message:
    calls = (replace(call, arguments=_spelled(call.arguments)) for call in message.tool_calls)
    return replace(message, tool_calls=tuple(calls))


def _spelled(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text
