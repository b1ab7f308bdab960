"""A sample as it is read and as it trains, through templates that can and cannot give the mask."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.cli.test_data import BAD, CALL, ROW
from tests.support import tiny
from tmbr.cli.show import show
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import Pair, write_pairs
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.types import Message

THOUGHT = "<think>\nthe shelf\n</think>\n\nLook there."
THINKING = Row(
    "t",
    (
        Turn(Message("user", "Where?")),
        Turn(Message("assistant", THOUGHT), 1.0),
        Turn(Message("user", "And now?")),
        Turn(Message("assistant", "Take it."), 1.0),
    ),
)
#: As Qwen3's: of what was said before the last question, only what follows the thought is told.
QWEN3_LIKE = """\
{%- set last = namespace(user=0) %}
{%- for m in messages %}
{%- if m.role == "user" %}{% set last.user = loop.index0 %}{% endif %}
{%- endfor %}
{%- for m in messages %}
{%- set said = m.content %}
{%- if m.role == "assistant" and loop.index0 < last.user and "</think>" in said %}
{%- set said = said.split("</think>")[-1].lstrip("\\n") %}
{%- endif %}<|im_start|>{{ m.role }}
{% if m.role == "assistant" %}{% generation %}{{ said }}<|im_end|>{% endgeneration %}
{%- else %}{{ said }}<|im_end|>{% endif %}{{ "\\n" }}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tokenizer")
    tiny.tokenizer().save_pretrained(folder)
    return str(folder)


def shown(
    path: Path, line: int = 1, mask: tuple[str, str | None] | None = None, colour: bool = False
) -> str:
    console = Console(
        file=io.StringIO(),
        width=200,
        soft_wrap=True,
        highlight=False,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
    )
    show(str(path), line, None, mask, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def rows(tmp_path: Path, *content: Row) -> Path:
    write_rows(tmp_path / "rows.jsonl", content)
    return tmp_path / "rows.jsonl"


def template(tmp_path: Path, text: str) -> str:
    path = tmp_path / "template.jinja"
    path.write_text(text)
    return str(path)


def test_a_row_is_readable_and_acts_on_no_terminal(tmp_path: Path) -> None:
    assert shown(rows(tmp_path, ROW)) == (
        "row r1, from household\n"
        "tools: look\n"
        "── user\n"
        "Look.\n"
        "── assistant loss 1\n"
        "I look.\n"
        '→ look {"at": "shelf"}  (c1)\n'
        "── tool to c1\n"
        "A mug.⟨U+001B⟩[2J\n"
        "── assistant loss 1\n"
        "A mug is there.\n"
    )


def test_a_pair_shows_both_answers(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    answers = (Message("assistant", "", (CALL,)), Message("assistant", "No."))
    write_pairs(path, [Pair("p", (Message("user", "Look."),), *answers, margin=0.5)])
    said = shown(path)
    assert (
        '── assistant chosen, by 0.5\n→ look {"at": "shelf"}  (c1)\n── assistant rejected\nNo.' in said
    )
    with pytest.raises(ConfigError, match="is a pair; a mask belongs to a row"):
        shown(path, mask=("nano", None))


def test_lines_that_are_bad_or_not_there(tmp_path: Path) -> None:
    path = rows(tmp_path, ROW)
    path.write_text(path.read_text() + f"{BAD}\n" * 7)
    with pytest.raises(DataError, match=r"rows\.jsonl:7: messages\.0: is an empty assistant turn"):
        shown(path, 7)
    with pytest.raises(DataError, match="no sample on line 9; the last one read is on line 1"):
        shown(path, 9)


def test_the_mask_marks_what_trains(tmp_path: Path, model: str) -> None:
    context = replace(ROW.turns[1], loss=0.0)
    path = rows(
        tmp_path,
        replace(ROW, turns=(ROW.turns[0], context, *ROW.turns[2:], Turn(Message("user", "x")))),
    )
    said = shown(path, mask=(model, None))
    assert "⟦A mug is there.<|im_end|>⟧" in said
    assert said.count("⟦") == 1
    assert "what follows the last of them is left out: 1 turn" in said
    coloured = shown(path, mask=(model, None), colour=True)
    assert "⟦" not in coloured
    assert "\x1b[30;42mA mug is there.<|im_end|>\x1b[0m" in coloured


@pytest.mark.parametrize("marks", [True, False])
def test_a_template_that_strips_thoughts_is_said_so(tmp_path: Path, model: str, marks: bool) -> None:
    text = QWEN3_LIKE
    if not marks:
        text = text.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    qwen = template(tmp_path, text)
    said = shown(rows(tmp_path, THINKING), mask=(model, qwen))
    assert said.startswith(
        "note: this chat template strips thoughts from earlier turns, so the row trains as 2 examples\n"
    )
    first, second = said.split("── example ")[1:]
    assert f"⟦{THOUGHT}<|im_end|>⟧" in first
    assert "the shelf" not in second
    assert "⟦Take it.<|im_end|>⟧" in second

    context = replace(
        THINKING, turns=(THINKING.turns[0], Turn(Message("assistant", THOUGHT)), *THINKING.turns[2:])
    )
    said = shown(rows(tmp_path, context), mask=(model, qwen))
    assert said.startswith("note: this chat template strips thoughts from earlier turns\n")
    assert "the shelf" not in said
    assert "⟦Take it.<|im_end|>⟧" in said
    assert f"⟦{THOUGHT}<|im_end|>⟧" in shown(rows(tmp_path, THINKING), mask=(model, None))


def test_a_template_that_cannot_give_the_mask_is_one_line(tmp_path: Path, model: str) -> None:
    endless = template(tmp_path, "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    for choice, why in ((endless, "no special token"), ("chatlm", "neither a file nor one of")):
        with pytest.raises(ConfigError, match=why) as caught:
            shown(rows(tmp_path, THINKING), mask=(model, choice))
        assert "\n" not in str(caught.value)
    untrained = replace(THINKING, turns=(*THINKING.turns[:1], Turn(Message("assistant", "a"))))
    with pytest.raises(ConfigError, match="no turn carries loss"):
        shown(rows(tmp_path, untrained), mask=(model, None))
    with pytest.raises(ConfigError, match=r"cannot load the model .* no such file"):
        shown(rows(tmp_path, THINKING), mask=(str(tmp_path / "nowhere"), None))
