"""The base's own tokenizer: a byte-level BPE whose chat format marks what the assistant writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from drills import Turns
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

ROLES = ("system", "user", "assistant", "tool", "text")
END = "<|end|>"
PAD = "<|pad|>"
VOCABULARY = 3072
#: A name with its number is one token, and so is the comma and article between two in a list: names are
#: what the household is about, and a small model then copies or compares one with a single look.
_WORDS = r", and a(?= )|, a(?= )| in/on| ?\p{L}+ \p{N}+| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+"

TEMPLATE = """\
{%- if tools -%}
<|system|>{{ messages[0]['content'] if messages[0]['role'] == 'system' else '' }}
Tools: {% for tool in tools %}{{ tool | tojson }}
{% endfor %}Call one so: <tool_call>{"name": "...", "arguments": {...}}</tool_call><|end|>
{%- elif messages[0]['role'] == 'system' -%}
<|system|>{{ messages[0]['content'] }}<|end|>
{%- endif -%}
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
<|assistant|>{% generation %}{{ message['content'] }}
{%- for call in message['tool_calls'] or [] -%}
{%- set arguments = call['function']['arguments'] -%}
<tool_call>{"name": "{{ call['function']['name'] }}", "arguments": \
{{ arguments if arguments is string else arguments | tojson }}}</tool_call>
{%- endfor -%}
<|end|>{% endgeneration %}
{%- elif message['role'] != 'system' -%}
<|{{ message['role'] }}|>{{ message['content'] }}<|end|>
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
"""


def render(turns: Turns) -> str:
    """What TEMPLATE makes of turns without tools; role `text` is prose that is no conversation."""
    return "".join(f"<|{role}|>{text}{END}" for role, text in turns)


def train_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, END, *(f"<|{role}|>" for role in ROLES)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, model_max_length=2048
    )
    fast.chat_template = TEMPLATE
    return fast


def save(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    tokenizer.save_pretrained(folder)
