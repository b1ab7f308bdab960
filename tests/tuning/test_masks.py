"""Exactly which tokens train, read back from the labels."""

from __future__ import annotations

from itertools import groupby

import pytest
from transformers import PreTrainedTokenizerFast
from trl import chat_template_utils

from tests.support import tiny
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, ToolCall
from tmbr.tuning.masks import IGNORED, ChatTemplate, Example, encode, template_message

TOOL = {"type": "function", "function": {"name": "take_action", "parameters": {"type": "object"}}}
CONTEXT = (
    Turn(Message("system", "You live in a house.")),
    Turn(Message("user", "An example.")),
    Turn(Message("assistant", "Thought: as shown.\nAction: look")),
    Turn(Message("user", "Your task is to open the fridge.")),
)
TEXT = Row(
    "text",
    (
        *CONTEXT,
        Turn(Message("assistant", "Thought: the fridge 1.\nAction: go to fridge 1"), 1.0),
        Turn(Message("user", "The fridge 1 is closed.")),
        Turn(Message("assistant", "Thought: open it.\nAction: open fridge 1"), 1.0),
        Turn(Message("user", "You open the fridge 1.")),
    ),
)


def _call(number: int, action: str) -> tuple[ToolCall, ...]:
    return (ToolCall(f"c{number}", "take_action", f'{{"action": "{action}"}}'),)


CALLS = Row(
    "calls",
    (
        *CONTEXT,
        Turn(Message("assistant", "I go there.", _call(1, "go to fridge 1")), 1.0),
        Turn(Message("tool", "The fridge 1 is closed.", tool_call_id="c1")),
        Turn(Message("assistant", "", _call(2, "open fridge 1")), 1.0),
        Turn(Message("tool", "You open the fridge 1.", tool_call_id="c2")),
    ),
    (TOOL,),
)


def _example(template: ChatTemplate, row: Row) -> Example:
    """The one example of a row that fits."""
    ((example,),) = template.parts(row, 10_000)
    return example


def _trained(template: ChatTemplate, row: Row) -> list[str]:
    """The stretches of tokens with labels, as text."""
    example = _example(template, row)
    assert all(
        label in (IGNORED, id) for id, label in zip(example.input_ids, example.labels, strict=True)
    )
    assert [weight > 0 for weight in example.weights] == [label != IGNORED for label in example.labels]
    runs = groupby(example.labels, key=lambda label: label != IGNORED)
    return [template.tokenizer.decode(list(run)) for trained, run in runs if trained]


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny.tokenizer()


def test_thought_action_and_end_of_turn_train_in_the_text_form(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    assert _trained(ChatTemplate(tokenizer), TEXT) == [
        "Thought: the fridge 1.\nAction: go to fridge 1<|im_end|>",
        "Thought: open it.\nAction: open fridge 1<|im_end|>",
    ]


def _called(between: str) -> list[str]:
    """What trains of CALLS, where a template writes `between` a thought and a call."""
    call = '<tool_call>\n{"name": "take_action", "arguments": {"action": "%s"}}\n</tool_call><|im_end|>'
    return [f"I go there.{between}{call % 'go to fridge 1'}", call % "open fridge 1"]


def test_thought_call_and_end_of_turn_train_in_the_tool_form(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    assert _trained(ChatTemplate(tokenizer), CALLS) == _called("")


@pytest.mark.parametrize("row", [TEXT, CALLS], ids=["text", "calls"])
def test_what_trains_begins_where_the_prompt_of_inference_ends(
    tokenizer: PreTrainedTokenizerFast, row: Row
) -> None:
    example = _example(ChatTemplate(tokenizer), row)
    prompt = tokenizer.apply_chat_template(
        [template_message(turn.message) for turn in row.turns[:4]],
        tools=[dict(tool) for tool in row.tools] or None,
        add_generation_prompt=True,
        return_dict=False,
    )
    first = next(i for i, label in enumerate(example.labels) if label != IGNORED)
    assert example.input_ids[:first] == list(prompt)


@pytest.mark.parametrize("row", [TEXT, CALLS], ids=["text", "calls"])
def test_a_template_without_marks_trains_the_same(row: Row, tokenizer: PreTrainedTokenizerFast) -> None:
    expected = _example(ChatTemplate(tokenizer), row)
    plain = tokenizer.chat_template.replace("{% generation %}", "{% if true %}")
    tokenizer.chat_template = plain.replace("{% endgeneration %}", "{% endif %}")
    template = ChatTemplate(tokenizer)
    assert not template.marked
    assert _example(template, row) == expected


def test_marks_that_leave_out_the_end_of_turn_are_mended(tokenizer: PreTrainedTokenizerFast) -> None:
    expected = _trained(ChatTemplate(tiny.tokenizer()), TEXT)
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>"
    )
    assert _trained(ChatTemplate(tokenizer), TEXT) == expected


@pytest.mark.parametrize("own", ["qwen2_5_chat_template", "qwen3_instruct_2507_chat_template"])
def test_templates_that_trl_knows_are_marked_by_trl(
    own: str, tokenizer: PreTrainedTokenizerFast
) -> None:
    tokenizer.chat_template = getattr(chat_template_utils, own)
    template = ChatTemplate(tokenizer)
    assert template.marked
    assert _trained(template, CALLS) == _called("\n")
    assert _trained(template, TEXT)[1] == "Thought: open it.\nAction: open fridge 1<|im_end|>"


def test_llama2_by_the_bundled_template(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenizer.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>"})
    tokenizer.chat_template = None
    with pytest.raises(
        ConfigError, match="has no chat template; set `chat_template` to one of chatml, llama2, llama3"
    ):
        ChatTemplate(tokenizer)
    template = ChatTemplate(tokenizer, "llama2")
    assert _trained(template, TEXT) == [
        " Thought: the fridge 1.\nAction: go to fridge 1 </s>",
        " Thought: open it.\nAction: open fridge 1 </s>",
    ]
    example = _example(template, TEXT)
    assert tokenizer.decode(example.input_ids).startswith(
        "<s>[INST] <<SYS>>\nYou live in a house.\n<</SYS>>\n\nAn example. [/INST] Thought: as shown."
    )
    with pytest.raises(ConfigError, match="cannot render this conversation: LLaMA-2 has no role tool"):
        template.parts(CALLS, 10_000)


def test_a_template_that_loses_the_call_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    with pytest.raises(ConfigError, match="shows no tools"):
        ChatTemplate(tokenizer).parts(CALLS, 10_000)
    with pytest.raises(ConfigError, match="message 4: the chat template rewrites this turn"):
        ChatTemplate(tokenizer).parts(Row("calls", CALLS.turns), 10_000)


def test_a_template_that_never_ends_a_turn_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    with pytest.raises(ConfigError, match="no special token"):
        ChatTemplate(tokenizer)


def test_weights_reach_the_tokens_of_their_span(tokenizer: PreTrainedTokenizerFast) -> None:
    content = "Thought: pot 1 no\nAction: go to desk 1"
    start = content.index(" no")
    turn = Turn(Message("assistant", content), 0.5, ((start, start + 3, 12.0),))
    example = _example(ChatTemplate(tokenizer), Row("w", (*CONTEXT, turn)))
    pairs = list(zip(example.input_ids, example.weights, strict=True))
    assert tokenizer.decode([id for id, weight in pairs if weight == 6.0]) == " no"
    assert {weight for _, weight in pairs} == {0.0, 0.5, 6.0}


def test_weights_need_content_that_stays_as_it_is(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "{% generation %}{{ message.content }}", "{% generation %}{{ message.content | trim }}"
    )
    turn = Turn(Message("assistant", " no "), 1.0, ((0, 3, 2.0),))
    with pytest.raises(DataError, match="must not begin or end with blanks"):
        ChatTemplate(tokenizer).parts(Row("w", (*CONTEXT, turn)), 10_000)


def test_long_rows_end_after_a_whole_turn_and_are_listed(tokenizer: PreTrainedTokenizerFast) -> None:
    template = ChatTemplate(tokenizer)
    full = _example(template, TEXT)
    assert full.labels[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")
    result = encode([TEXT, Row("context", CONTEXT)], template, len(full.input_ids))
    assert (result.ids, result.cut, result.dropped) == (["text"], [], ["context"])
    result = encode([TEXT], template, len(full.input_ids) - 1)
    assert (result.ids, result.cut) == (["text"], ["text"])
    (short,) = result.examples
    assert tokenizer.decode(short.input_ids).endswith("Action: go to fridge 1<|im_end|>")
    result = encode([TEXT], template, 20)
    assert (result.examples, result.dropped) == ([], ["text"])


def test_a_long_row_goes_on_behind_its_opening_or_is_dropped(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    template = ChatTemplate(tokenizer)
    length = len(_example(template, TEXT).input_ids) - 1
    result = encode([TEXT], template, length, "split")
    assert (result.ids, result.cut, result.split, result.lost) == (["text", "text"], [], ["text"], 0)
    first, second = (tokenizer.decode(example.input_ids) for example in result.examples)
    assert first.endswith("Action: go to fridge 1<|im_end|>")
    rest = _example(template, Row("rest", (*CONTEXT, *TEXT.turns[6:])))
    assert second == tokenizer.decode(rest.input_ids)
    result = encode([TEXT, CALLS], template, length, "drop")
    assert (result.ids, result.dropped, result.lost) == ([], ["text", "calls"], 4)


def test_a_turn_that_fits_nowhere_is_lost_and_counted(tokenizer: PreTrainedTokenizerFast) -> None:
    template = ChatTemplate(tokenizer)
    length = len(_example(template, TEXT).input_ids)
    long = Turn(Message("assistant", "very long " * length), 1.0)
    row = Row("r", (*CONTEXT, long, *TEXT.turns[4:]))
    for over_length, kept in (("cut", 0), ("split", 2), ("drop", 0)):
        result = encode([row], template, length, over_length)
        assert sum(example.turns for example in result.examples) == kept
        assert result.lost == 3 - kept
        assert (result.cut, result.dropped) == ((["r"], []) if kept else ([], ["r"]))
    assert encode([row], template, length, "split").split == []
