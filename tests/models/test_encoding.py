"""What was sampled is never tokenised twice, and calls are read out of any text."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import tiny
from tmbr.core.errors import ConfigError
from tmbr.core.types import Completion, Context, Message
from tmbr.models.encoding import Encoder, tool_calls

END = "<|im_end|>"
PROMPT = Context(Message("system", "You are an agent.")).then(Message("user", "take apple 1"))


@pytest.fixture
def encoder() -> Encoder:
    made = tiny.tokenizer()
    return Encoder(made, frozenset({made.eos_token_id}))


def ids(encoder: Encoder, text: str) -> tuple[int, ...]:
    """An unusual tokenisation, a character a token: as sampling may write, and no tokenizer would."""
    found = [i for c in text for i in encoder.continuation(c)]
    return (*found, encoder.tokenizer.eos_token_id)


def test_a_sampled_turn_keeps_its_tokens(encoder: Encoder) -> None:
    sampled = ids(encoder, "open the fridge 1")
    then = PROMPT.then(Message("assistant", "open the fridge 1"), sampled)
    then = then.then(Message("user", "nothing happens."))
    before, after = encoder.encode(PROMPT, ()), encoder.encode(then, ())
    assert after[: len(before) + len(sampled)] == before + sampled
    fresh = Encoder(encoder.tokenizer, encoder.stop)
    assert fresh.encode(then, ()) == after
    text = encoder.tokenizer.decode(list(after))
    unsampled = PROMPT.then(Message("assistant", "open the fridge 1")).then(then.message)
    assert text == encoder.tokenizer.decode(list(encoder.encode(unsampled, ())))
    assert len(after) > len(encoder.encode(unsampled, ()))


def test_a_turn_cut_short_gets_the_templates_end(encoder: Encoder) -> None:
    sampled = ids(encoder, "open the fr")[:-1]
    then = PROMPT.then(Message("assistant", "open the fr"), sampled).then(Message("user", "what?"))
    after = encoder.encode(then, ())
    before = encoder.encode(PROMPT, ())
    assert after[: len(before) + len(sampled)] == before + sampled
    rest = encoder.tokenizer.decode(list(after[len(before) + len(sampled) :]))
    assert rest == f"{END}\n<|im_start|>user\nwhat?{END}\n<|im_start|>assistant\n"


def test_every_sampled_turn_of_a_long_conversation_keeps_its_tokens(encoder: Encoder) -> None:
    context, turns = PROMPT, []
    for turn in range(5):
        turns.append(ids(encoder, f"go to desk {turn}"))
        context = context.then(Message("assistant", f"go to desk {turn}"), turns[-1])
        context = context.then(Message("user", "nothing happens."))
    whole = encoder.encode(context, ())
    text = ",".join(map(str, whole))
    assert all(",".join(map(str, turn)) in text for turn in turns)


@pytest.mark.parametrize("stripped", ["all", "earlier"])
def test_a_template_that_strips_thoughts_is_followed(encoder: Encoder, stripped: str) -> None:
    """Then what the model is shown is no continuation of what it saw: tokenise anew."""
    shown = "message.content.split('</think>')[-1]"
    if stripped == "earlier":
        shown = f"({shown} if loop.index < messages | length - 1 else message.content)"
    source = tiny.TEMPLATE.replace("{{ message.content }}\n{%- for call", "{{ SHOWN }}\n{%- for call")
    encoder.tokenizer.chat_template = source.replace("SHOWN", shown)
    assert encoder.tokenizer.chat_template != tiny.TEMPLATE
    said = "<think>where is it?</think>open the fridge 1"
    first = PROMPT.then(Message("assistant", said), ids(encoder, said)).then(Message("user", "no."))
    encoder.encode(first, ())
    second = first.then(Message("assistant", said), ids(encoder, said)).then(Message("user", "no."))
    text = encoder.tokenizer.decode(list(encoder.encode(second, ())))
    assert text.count("<think>") == (0 if stripped == "all" else 1)
    assert text.count("open the fridge 1") == 2


def test_an_observation_cannot_shift_the_boundary(encoder: Encoder) -> None:
    sampled = ids(encoder, "look")
    then = PROMPT.then(Message("assistant", "look"), sampled).then(Message("user", f"a {END} b"))
    after = encoder.encode(then, ())
    assert encoder.tokenizer.decode(list(after)).count("look") == 1
    assert after[len(encoder.encode(PROMPT, ())) :][: len(sampled)] == sampled


def test_encodings_live_as_long_as_their_contexts(encoder: Encoder) -> None:
    context = PROMPT.then(Message("user", "now"))
    encoder.encode(context, ())
    assert len(encoder._known) == 1
    del context
    gc.collect()
    assert len(encoder._known) == 0


def test_tools_are_part_of_the_prompt(encoder: Encoder) -> None:
    tool = {"type": "function", "function": {"name": "take_action", "parameters": {}}}
    with_tool = encoder.tokenizer.decode(list(encoder.encode(PROMPT, [tool])))
    assert "take_action" in with_tool
    assert "take_action" not in encoder.tokenizer.decode(list(encoder.encode(PROMPT, ())))


def test_a_template_that_fails_is_one_line(encoder: Encoder) -> None:
    encoder.tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(ConfigError, match="roles must alternate") as error:
        encoder.encode(PROMPT, ())
    assert "\n" not in str(error.value)


def test_text_and_end_are_decoded_apart(encoder: Encoder) -> None:
    assert encoder.decode(ids(encoder, "open it")) == "open it"
    assert encoder.decode(ids(encoder, "open it")[:-1]) == "open it"
    assert encoder.decode(()) == ""


def test_calls_are_read_in_order() -> None:
    text = (
        'first <tool_call>{"name": "a", "arguments": {"x": "ä"}}</tool_call>'
        '<tool_call>\n{"name": "b"}\n</tool_call>'
        ' <tool_call>{"name": "c", "arguments": "{x"}</tool_call>'
    )
    calls = tool_calls(text, "call")
    assert [(c.id, c.name, c.arguments) for c in calls] == [
        ("call_0", "a", '{"x": "ä"}'),
        ("call_1", "b", "{}"),
        ("call_2", "c", "{x"),
    ]
    message = Completion(text, calls).message()
    assert (message.content, message.tool_calls) == ("first", calls)


@pytest.mark.parametrize(
    "broken",
    ["", "<tool_call>", "<tool_call>{}</tool_call>", '<tool_call>{"name": 3}</tool_call>', "[" * 9999],
)
def test_broken_calls_are_no_calls(broken: str) -> None:
    for text in (broken, f"<tool_call>{broken}</tool_call>"):
        assert tool_calls(text, "call") == ()
        assert Completion(text).message().content == text


@given(st.text(alphabet='{}"<>/tool_calname:,[] \\u0', max_size=60))
def test_reading_calls_is_total(text: str) -> None:
    for made in (text, f"<tool_call>{text}</tool_call>", f'<tool_call>{{"name": {text}}}</tool_call>'):
        for call in tool_calls(made, "call"):
            assert isinstance(call.name, str)
            assert isinstance(call.arguments, str)


def test_arguments_that_are_no_json_are_rendered_as_text(encoder: Encoder) -> None:
    (call,) = tool_calls('<tool_call>{"name": "c", "arguments": "{x"}</tool_call>', "call")
    then = PROMPT.then(Message("assistant", "", (call,)))
    text = encoder.tokenizer.decode(list(encoder.encode(then, ())))
    assert json.dumps("{x") in text
