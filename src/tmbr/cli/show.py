"""`tmbr data show`: one sample as a person reads it, or as a model is trained on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from tmbr.cli.build import model_path
from tmbr.core.chat import template_message
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.pairs import Pair
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message
from tmbr.teacher.formats.base import Item
from tmbr.teacher.reading import Bad, Reading
from tmbr.tuning.masks import IGNORED, Example
from tmbr.viewer.text import plural, visible

THOUGHT = "<think>"
TRAINS = "black on green"


def show(
    file: str,
    line: int,
    form: str | None,
    mask: tuple[str, str | None] | None,
    console: Console | None = None,
) -> None:
    """Print a sample. mask: a model whose tokenizer, and a template by which, it is trained.

    Raises DataError for a line that is not there or bad, ConfigError for a template that cannot give
    the mask.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    item = item_at(file, line, form)
    if mask is None:
        for part in told(item):
            console.print(part)
    elif isinstance(item, Pair):
        raise ConfigError(f"{file}:{line}: is a pair; a mask belongs to a row")
    else:
        for part in masked(item, *mask, colour=console.is_terminal):
            console.print(part)


def item_at(file: str, line: int, form: str | None) -> Item:
    """The item of one line. Raises DataError."""
    bad: dict[int, Bad] = {}
    last = 0
    for last, item in Reading(file, form, lambda found: bad.update({found.line: found})):
        if last == line:
            return item
        if last > line:
            break
    if line in bad:
        raise DataError(str(bad[line]))
    raise DataError(f"{file}: no sample on line {line}; the last one read is on line {last}")


def told(item: Item) -> Iterator[Text]:
    """A sample turn by turn, what trains with its weight."""
    pair = isinstance(item, Pair)
    source = "" if isinstance(item, Pair) or not item.source else f", from {item.source}"
    yield _text(f"{'pair' if pair else 'row'} {item.id}{source}", "bold")
    if item.tools:
        yield _text(f"tools: {', '.join(str(tool['function']['name']) for tool in item.tools)}", "dim")
    if isinstance(item, Row):
        for turn in item.turns:
            yield from _turn(turn)
        return
    for message in item.prompt:
        yield from _turn(Turn(message))
    yield from _turn(Turn(item.chosen), f" chosen, by {item.margin:g}")
    yield from _turn(Turn(item.rejected), " rejected")


def _turn(turn: Turn, more: str = "") -> Iterator[Text]:
    message = turn.message
    answers = f" to {message.tool_call_id}" if message.tool_call_id else ""
    loss = f" loss {turn.loss:g}" if turn.loss else ""
    yield _text(f"── {message.role}{answers}{loss}{more}", "green" if loss or more else "cyan")
    if message.content:
        yield _text(message.content)
    for call in message.tool_calls:
        yield _text(f"→ {call.name} {call.arguments}  ({call.id})", "bold")


def masked(row: Row, model: str, choice: str | None, colour: bool) -> Iterator[Text]:
    """The row's tokens as text, those marked that train. Raises ConfigError in one clear line."""
    from tmbr.tuning.base import load_tokenizer
    from tmbr.tuning.masks import ChatTemplate

    tokenizer = load_tokenizer(model_path(model))
    template = ChatTemplate(tokenizer, choice)
    examples = [example for part in template.parts(row, 1 << 30) for example in part]
    if not examples:
        raise ConfigError(f"row {row.id}: no turn carries loss, so nothing of it trains")
    if _strips_thoughts(tokenizer):
        yield _text(
            "note: this chat template strips thoughts from earlier turns"
            + (f", so the row trains as {len(examples)} examples" if len(examples) > 1 else ""),
            "yellow",
        )
    for number, example in enumerate(examples, 1):
        if len(examples) > 1:
            yield _text(f"── example {number}", "cyan")
        yield _marked(tokenizer, example, colour)
        count, trained = len(example.labels), sum(label != IGNORED for label in example.labels)
        rest = _rest(row.turns) if number == len(examples) else ""
        yield _text(f"{trained:,} of {count:,} tokens train{rest}", "dim")


def _marked(tokenizer: Any, example: Example, colour: bool) -> Text:
    line = Text()
    pairs = zip(example.input_ids, example.labels, strict=True)
    for trains, run in groupby(pairs, key=lambda pair: pair[1] != IGNORED):
        text = tokenizer.decode([id for id, _ in run])
        marked = text if colour or not trains else f"⟦{text}⟧"
        line.append(str(visible(marked)), TRAINS if trains else "")
    return line


def _rest(turns: Sequence[Turn]) -> str:
    """What is cut: nothing after the last turn that trains is needed."""
    last = max(at for at, turn in enumerate(turns) if turn.loss > 0)
    after = len(turns) - 1 - last
    return f"; what follows the last of them is left out: {plural(after, 'turn')}" if after else ""


def _strips_thoughts(tokenizer: Any) -> bool:
    """Whether a thought of an earlier turn is gone when a later one is rendered."""
    probe = [Message("user", "a"), Message("assistant", f"{THOUGHT}\nkept\n</think>\n\nb")]
    said = [
        template_message(message)
        for message in (*probe, Message("user", "c"), Message("assistant", "d"))
    ]
    return "kept" not in tokenizer.apply_chat_template(said, tokenize=False)


def _text(text: str, style: str = "") -> Text:
    return Text(str(visible(text)), style)
