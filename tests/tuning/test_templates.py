"""Every family of templates against an encoder that knows nothing of Jinja, on random episodes."""

from __future__ import annotations

import json
import random
from itertools import groupby
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast
from trl import chat_template_utils

from tests.support import tiny
from tmbr.core.errors import ConfigError
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, ToolCall
from tmbr.tuning.chat import BUNDLED, unmarked
from tmbr.tuning.masks import IGNORED, ChatTemplate, Example, template_message

NAMES = ("take_action", "open", "execute_sql", "search_für_alles")
TOOLS = tuple({"type": "function", "function": {"name": n, "parameters": {}}} for n in NAMES)
WORDS = (
    "apple",
    "fridge 1",
    "naïve",
    "→",
    "日本",
    "SELECT '%s'",
    "{}",
    "\n",
    "[INST]",
    "a\n\nb",
    "100%",
)
FAMILIES = ("chatml", "llama2", "llama3", "mistral", "qwen2_5", "qwen3")
#: How a family ends a turn.
ENDS = {"llama2": " </s>", "mistral": "</s>", "llama3": "<|eot_id|>"}


def _tokenizer() -> PreTrainedTokenizerFast:
    made = tiny.tokenizer()
    special = ["<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
    made.add_special_tokens(
        {"bos_token": "<s>", "eos_token": "</s>", "additional_special_tokens": special}
    )
    return made


def _words(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randrange(1, 9))).strip() or "look"


def _episode(seed: int, tools: bool, thoughts: bool) -> Row:
    """Several questions, each with turns, calls of several tools at once, some turns not trained."""
    rng = random.Random(seed)
    turns = [Turn(Message("system", _words(rng)))] if rng.random() < 0.7 else []
    for _ in range(rng.randrange(1, 4)):
        turns.append(Turn(Message("user", _words(rng))))
        while tools and rng.random() < 0.7:
            calls = tuple(
                ToolCall(
                    f"call{len(turns):03}{i:02}",
                    rng.choice(NAMES),
                    json.dumps({"x": _words(rng), "n": rng.random()}),
                )
                for i in range(rng.randrange(1, 4))
            )
            said = _words(rng) if rng.random() < 0.6 else ""
            turns.append(Turn(Message("assistant", _thought(rng, thoughts) + said, calls), _loss(rng)))
            turns += [Turn(Message("tool", _words(rng), tool_call_id=call.id)) for call in calls]
        turns.append(Turn(Message("assistant", _thought(rng, thoughts) + _words(rng)), _loss(rng)))
    if not any(turn.loss for turn in turns):
        turns[-1] = Turn(turns[-1].message, 1.0)
    return Row(str(seed), tuple(turns), TOOLS if tools else ())


def _loss(rng: random.Random) -> float:
    return rng.choice((0.0, 0.5, 1.0))


def _thought(rng: random.Random, thoughts: bool) -> str:
    return f"<think>\n{_words(rng)}\n</think>\n\n" if thoughts else ""


def _written(family: str, message: Message) -> str:
    """What the model has to write for this turn, by the family's form, in plain Python."""
    text = message.content
    if family in ("llama2", "mistral"):
        text = " " + text
    if family == "qwen3" and not text.startswith("<think>"):
        text = "<think>\n\n</think>\n\n" + text
    for number, call in enumerate(message.tool_calls):
        arguments = json.dumps(json.loads(call.arguments), ensure_ascii=False)
        bare = (
            family.startswith("qwen") and number == 0 and not message.content.split("</think>\n\n")[-1]
        )
        text += ("" if bare else "\n") + "<tool_call>\n"
        text += f'{{"name": {json.dumps(call.name, ensure_ascii=False)}, "arguments": {arguments}}}'
        text += "\n</tool_call>"
    return text + ENDS.get(family, "<|im_end|>")


def _stretches(tokenizer: PreTrainedTokenizerFast, example: Example) -> list[tuple[str, str]]:
    """Each stretch that trains, as text, and all text before it."""
    found, at = [], 0
    for trained, run in groupby(example.labels, key=lambda label: label != IGNORED):
        length = len(list(run))
        if trained:
            ids = example.input_ids
            found.append((tokenizer.decode(ids[at : at + length]), tokenizer.decode(ids[:at])))
        at += length
    return found


def _check(template: ChatTemplate, row: Row, family: str) -> None:
    tokenizer = template.tokenizer
    (examples,) = template.parts(row, 100_000)
    found = [stretch for example in examples for stretch in _stretches(tokenizer, example)]
    trained = [index for index, turn in enumerate(row.turns) if turn.loss > 0]
    assert len(found) == len(trained)
    for index, (text, before) in zip(trained, found, strict=True):
        assert text == _written(family, row.turns[index].message)
        prompt = tokenizer.apply_chat_template(
            [template_message(turn.message) for turn in row.turns[:index]],
            tools=[dict(tool) for tool in row.tools] or None,
            add_generation_prompt=True,
            tokenize=False,
        )
        assert before == prompt


@pytest.mark.parametrize("family", FAMILIES)
def test_what_trains_is_what_an_encoder_without_templates_writes(family: str) -> None:
    template = ChatTemplate(_tokenizer(), family)
    assert template.marked
    assert template.steady
    for seed in range(100):
        _check(template, _episode(seed, family != "llama2", thoughts=family == "qwen3"), family)


def test_where_earlier_thoughts_are_left_out_each_turn_trains_behind_what_it_will_see(
    tmp_path: Path,
) -> None:
    own = tmp_path / "qwen3.jinja"
    own.write_text(chat_template_utils.qwen3_chat_template)
    template = ChatTemplate(_tokenizer(), str(own))
    assert not template.steady
    several = 0
    for seed in range(100):
        row = _episode(seed, tools=True, thoughts=True)
        _check(template, row, "qwen3")
        several += len(template.parts(row, 100_000)[0]) > 1
    assert several > 20


def test_a_marked_template_that_leaves_thoughts_out_is_found_out(tmp_path: Path) -> None:
    marked = tmp_path / "marked.jinja"
    content = "{{ message.content if loop.last else message.content.split('</think>')[-1] | trim }}"
    marked.write_text(tiny.TEMPLATE.replace("{{ message.content }}\n{%- for", content + "\n{%- for"))
    template = ChatTemplate(_tokenizer(), str(marked))
    assert template.marked
    assert not template.steady
    for seed in range(20):
        _check(template, _episode(seed, tools=False, thoughts=True), "chatml")


def test_a_template_that_begins_the_answer_itself_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "thinking.jinja"
    plain = unmarked(tiny.TEMPLATE)
    path.write_text(plain.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}"))
    template = ChatTemplate(_tokenizer(), str(path))
    with pytest.raises(ConfigError, match=r"asks for a turn by '.*<think>\\n', with which"):
        template.parts(_episode(1, tools=False, thoughts=False), 10_000)


@pytest.mark.parametrize("family", FAMILIES)
def test_without_marks_a_template_renders_the_same(family: str) -> None:
    template = ChatTemplate(_tokenizer(), family)
    row = _episode(3, family != "llama2", thoughts=False)
    shown = {
        "conversation": [template_message(turn.message) for turn in row.turns],
        "tools": [dict(tool) for tool in row.tools] or None,
        "tokenize": False,
    }
    tokenizer = template.tokenizer
    plain = unmarked(tokenizer.chat_template)
    assert "generation %}" not in plain.replace("-", "").replace("add_generation_prompt %}", "")
    marked = tokenizer.apply_chat_template(**shown)
    assert tokenizer.apply_chat_template(**shown, chat_template=plain) == marked


def test_every_bundled_template_is_tested_here() -> None:
    assert {path.stem for path in BUNDLED.glob("*.jinja")} <= set(FAMILIES)
