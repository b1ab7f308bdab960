"""Rows → token ids and labels: exactly what the model has to write is trained, and nothing else.

What is trained in a turn begins where the prompt of inference ends and includes the end-of-turn token.
A template's `{% generation %}` marks say where turns begin. For a known template without marks TRL's
training twin is used; for any other the prompt of each turn is rendered and must be a prefix of the
whole, which is the same thing, only slower.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tmbr.core.chat import template_message
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, Tool

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
BUNDLED = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Example:
    """One row as tokens. input_ids, labels and weights have one length; where labels are -100, the
    weight is 0."""

    input_ids: list[int]
    labels: list[int]
    weights: list[float]


@dataclass(slots=True)
class Encoded:
    """All rows as tokens. `cut` lists rows that lost whole turns at their end to `max_length`,
    `dropped` those of which no trained turn fitted, or that had none."""

    examples: list[Example] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def encode(content: Iterable[Row], template: ChatTemplate, max_length: int) -> Encoded:
    """Tokenise rows; over-long ones end after their last whole trained turn that fits."""
    result = Encoded()
    for row in content:
        example, fits = template.encode(row, max_length)
        if example is None:
            result.dropped.append(row.id)
            continue
        result.examples.append(example)
        result.ids.append(row.id)
        if not fits:
            result.cut.append(row.id)
    return result


class ChatTemplate:
    """A tokenizer with the chat template by which it is trained.

    choice: the name of a bundled template or the path of a Jinja file; None takes the tokenizer's own.
    Sets the tokenizer's template, so that what is saved with an adapter is what it was trained with.
    Raises ConfigError when there is no template, or when it does not end a turn by a special token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, choice: str | None = None) -> None:
        from trl.chat_template_utils import has_generation_markers

        if not tokenizer.is_fast:
            raise ConfigError(
                f"{tokenizer.name_or_path}: training needs a fast tokenizer (tokenizer.json): token"
                " offsets tell which tokens belong to a turn"
            )
        tokenizer.chat_template = _source(tokenizer, choice)
        self.tokenizer = tokenizer
        self.marked: bool = has_generation_markers(tokenizer.chat_template)
        asked = [Message("user", "Hello")]
        whole, _ = self._render([*asked, Message("assistant", "Fine")])
        self.prompt = self._render(asked, prompt=True)[0][len(self._render(asked)[0]) :]
        self.end = self._end_of_turn(whole[whole.rindex("Fine") + len("Fine") :])

    def encode(self, row: Row, max_length: int) -> tuple[Example | None, bool]:
        """The row's tokens up to its last trained turn that fits, and whether all of them did."""
        text, spans = self._spans(row)
        tokens = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = list(tokens["input_ids"]), list(tokens["offset_mapping"])
        starts = [start for start, _ in offsets]
        labels = [IGNORED] * len(ids)
        weights = [0.0] * len(ids)
        end, fits = 0, True
        for turn, (first, last) in spans:
            span = range(bisect_left(starts, first), bisect_left(starts, last))
            if span.stop > max_length:
                fits = False
                break
            end = span.stop
            labels[span.start : span.stop] = ids[span.start : span.stop]
            weights[span.start : span.stop] = [turn.loss] * len(span)
            for index, factor in _weighted(row, turn, text, first, offsets, span):
                weights[index] = turn.loss * factor
        if end == 0:
            return None, fits
        return Example(ids[:end], labels[:end], weights[:end]), fits

    def _spans(self, row: Row) -> tuple[str, list[tuple[Turn, tuple[int, int]]]]:
        """The rendered row, and [start, end) characters of each turn that carries loss."""
        messages = [turn.message for turn in row.turns]
        text, marks = self._render(messages, row.tools)
        if row.tools and row.tools[0]["function"]["name"] not in text:
            raise ConfigError(
                f"row {row.id}: the chat template shows no tools; use the text form of actions"
            )
        starts = self._marked(text, marks, row) if self.marked else self._prefixes(text, row)
        spans: list[tuple[Turn, tuple[int, int]]] = []
        for index, start in starts.items():
            turn, end = row.turns[index], text.find(self.end, start) + len(self.end)
            said = [turn.message.content.strip(), *(call.name for call in turn.message.tool_calls)]
            if end < len(self.end) or any(part not in text[start:end] for part in said):
                raise ConfigError(
                    f"row {row.id}, message {index}: the chat template rewrites this turn, so that what"
                    " was written would not be trained; choose another `chat_template`"
                )
            spans.append((turn, (start, end)))
        return text, spans

    def _marked(self, text: str, marks: Sequence[tuple[int, int]], row: Row) -> dict[int, int]:
        """Starts by `{% generation %}`; what of the generation prompt stands inside is left out."""
        written = [i for i, turn in enumerate(row.turns) if turn.message.role == "assistant"]
        if len(marks) != len(written):
            raise ConfigError(
                f"row {row.id}: the chat template marks {len(marks)} of {len(written)} assistant turns;"
                " put each one between {% generation %} and {% endgeneration %}"
            )
        starts = {}
        for index, (start, _) in zip(written, marks, strict=True):
            prompt = text.rfind(self.prompt, 0, start + len(self.prompt))
            starts[index] = max(start, prompt + len(self.prompt)) if 0 <= prompt <= start else start
        return {index: start for index, start in starts.items() if row.turns[index].loss > 0}

    def _prefixes(self, text: str, row: Row) -> dict[int, int]:
        """Starts by rendering what the model would have been asked at each turn."""
        starts = {}
        for index, turn in enumerate(row.turns):
            if turn.loss > 0:
                before = [earlier.message for earlier in row.turns[:index]]
                prompt, _ = self._render(before, row.tools, prompt=True)
                if not text.startswith(prompt):
                    raise ConfigError(
                        f"row {row.id}, message {index}: the chat template renders earlier turns"
                        " otherwise once later ones follow; choose a `chat_template` with"
                        " {% generation %} marks"
                    )
                starts[index] = len(prompt)
        return starts

    def _render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), prompt: bool = False
    ) -> tuple[str, list[tuple[int, int]]]:
        """Text, and [start, end) characters of the marked turns."""
        from jinja2 import TemplateError
        from transformers.utils.chat_template_utils import render_jinja_template

        render: Any = render_jinja_template  # annotated as text, returns texts and marks
        try:
            texts, marks = render(
                conversations=[[template_message(message) for message in messages]],
                tools=[dict(tool) for tool in tools] or None,
                chat_template=self.tokenizer.chat_template,
                return_assistant_tokens_mask=self.marked and not prompt,
                add_generation_prompt=prompt,
                **self.tokenizer.special_tokens_map,
            )
        except (TemplateError, TypeError) as error:
            raise ConfigError(f"the chat template cannot render this conversation: {error}") from None
        return texts[0], marks[0] if marks else []

    def _end_of_turn(self, rest: str) -> str:
        """The special token that begins what a template writes after the answer."""
        special = [token.content for token in self.tokenizer.added_tokens_decoder.values()]
        closing = [token for token in special if rest.lstrip().startswith(token)]
        if not closing:
            raise ConfigError(
                f"the chat template ends an assistant turn by {rest!r}, which is no special token, so"
                " the model would not learn to stop; choose another `chat_template`"
            )
        return max(closing, key=len)


def _source(tokenizer: PreTrainedTokenizerBase, choice: str | None) -> str:
    """The template's text: the chosen one, the tokenizer's own, or TRL's marked twin of it."""
    from trl.chat_template_utils import get_training_chat_template, has_generation_markers

    bundled = sorted(path.stem for path in BUNDLED.glob("*.jinja"))
    if choice is not None:
        path = BUNDLED / f"{choice}.jinja" if choice in bundled else Path(choice)
        if not path.is_file():
            raise ConfigError(
                f"chat_template: {choice!r} is neither a file nor one of {', '.join(bundled)}"
            )
        return path.read_text(encoding="utf-8")
    own = tokenizer.chat_template
    if own is None:
        raise ConfigError(
            f"{tokenizer.name_or_path} has no chat template; set `chat_template` to one of"
            f" {', '.join(bundled)} or to a Jinja file"
        )
    source: str = own["default"] if isinstance(own, dict) else own
    if has_generation_markers(source):
        return source
    try:
        return get_training_chat_template(tokenizer) or source
    except ValueError:  # unknown to TRL
        return source


def _weighted(
    row: Row, turn: Turn, text: str, first: int, offsets: Sequence[tuple[int, int]], span: range
) -> Iterable[tuple[int, float]]:
    """Tokens of a turn that touch one of its weighted spans, with the factor."""
    if not turn.weights:
        return
    content = text.find(turn.message.content, first)
    if content < 0:
        raise DataError(f"row {row.id}: content with `weights` must not begin or end with blanks")
    for start, end, factor in turn.weights:
        for index in span:
            if offsets[index][0] < content + end and offsets[index][1] > content + start:
                yield index, factor
