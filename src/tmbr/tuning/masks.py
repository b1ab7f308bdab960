"""Rows → token ids and labels: exactly what the model has to write is trained, and nothing else.

What is trained in a turn begins where the prompt of inference ends and includes the end-of-turn token.
A template's `{% generation %}` marks say where turns begin. For a known template without marks TRL's
training twin is used; for any other, each turn is rendered as it is asked for in use, which is the same
thing, only slower. Where a template writes the past otherwise once the conversation goes on (some strip
earlier thoughts), such a row becomes several examples: a turn is trained behind what it will see.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tmbr.core.chat import template_message
from tmbr.core.errors import ConfigError, DataError
from tmbr.core.rows import Row, Turn
from tmbr.core.types import Message, Tool, ToolCall
from tmbr.tuning.chat import source

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
OverLength = Literal["cut", "split", "drop"]
#: Index of a turn, and its characters [start, end) in a text.
Spans = list[tuple[int, tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Example:
    """One row as tokens. input_ids, labels and weights have one length; where labels are -100, the
    weight is 0. `turns`: how many turns are trained."""

    input_ids: list[int]
    labels: list[int]
    weights: list[float]
    turns: int


def weight_scale(examples: Iterable[Example]) -> float:
    """What brings the mean weight to 1: weights shift the loss between tokens, not its size."""
    weights = [weight for example in examples for weight in example.weights if weight]
    return len(weights) / sum(weights)


@dataclass(slots=True)
class Encoded:
    """All rows as tokens. `ids`: of the row that an example is of; `cut`: rows that lost trained turns
    to `max_length`; `split`: rows that go on in further examples for their length; `dropped`: rows of
    which nothing is left, or that had no trained turn; `lost`: trained turns of all that are in no
    example."""

    examples: list[Example] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    lost: int = 0


def encode(
    content: Iterable[Row], template: ChatTemplate, max_length: int, over_length: OverLength = "cut"
) -> Encoded:
    """Tokenise rows; what becomes of those over `max_length` tokens, `over_length` says:

    cut: they end after their last whole trained turn that fits; split: from the first turn that does
    not fit they go on in a further example, behind what stood before the first trained turn; drop: they
    are left out whole.
    """
    result = Encoded()
    for row in content:
        parts = template.parts(row, max_length, over_length)
        examples = [example for part in parts for example in part]
        trained = sum(turn.loss > 0 for turn in row.turns)
        lost = trained - sum(example.turns for example in examples)
        result.examples += examples
        result.ids += [row.id] * len(examples)
        result.lost += lost
        if not examples:
            result.dropped.append(row.id)
        elif lost:
            result.cut.append(row.id)
        if len(parts) > 1:
            result.split.append(row.id)
    return result


class ChatTemplate:
    """A tokenizer with the chat template by which it is trained.

    choice: see `tmbr.tuning.chat.source`.
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
        tokenizer.chat_template = source(tokenizer, choice)
        self.tokenizer = tokenizer
        self.marked: bool = has_generation_markers(tokenizer.chat_template)
        asked = [Message("user", "Hello")]
        whole, _ = self._render([*asked, Message("assistant", "Fine")])
        self.prompt = self._render(asked, prompt=True)[0][len(self._render(asked)[0]) :]
        if "Fine" not in whole:
            raise ConfigError("chat_template: it does not write what an answer says; choose another")
        self.end = self._end_of_turn(whole[whole.rindex("Fine") + len("Fine") :])
        self.steady = self._is_steady()

    def answer(self, row: Row, max_length: int) -> Example | None:
        """The example of a row with one trained turn; None where that does not fit."""
        parts = self.parts(row, max_length)
        return parts[0][0] if parts else None

    def parts(self, row: Row, max_length: int, over_length: OverLength = "cut") -> list[list[Example]]:
        """The row's examples; more than one list only where `split` had to go on."""
        examples, left = self._fitting(row, max_length)
        if not left:
            return [examples] if examples else []
        if over_length == "drop":
            return []
        parts = [examples] if examples else []
        if over_length == "split":
            opening = next(index for index, turn in enumerate(row.turns) if turn.loss > 0)
            # Of two turns behind the opening the first does not fit even there: the next one may.
            start = left[0] if left[0] > opening else next(iter(left[1:]), None)
            if start is not None:
                behind = (
                    turn if index in left else replace(turn, loss=0.0)
                    for index, turn in enumerate(row.turns[start:], start)
                )
                rest = replace(row, turns=(*row.turns[:opening], *behind))
                parts += self.parts(rest, max_length, over_length)
        return parts

    def _fitting(self, row: Row, max_length: int) -> tuple[list[Example], list[int]]:
        """Examples of the turns that fit, and the trained turns that do not."""
        examples, left = [], []
        for text, spans in self._texts(row):
            example, fitted = self._example(row, text, spans, max_length)
            left += [index for index, _ in spans[fitted:]]
            if fitted:
                examples.append(example)
        return examples, left

    def _example(self, row: Row, text: str, spans: Spans, max_length: int) -> tuple[Example, int]:
        """The text's tokens up to its last trained turn that fits, and how many fitted."""
        tokens = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = list(tokens["input_ids"]), list(tokens["offset_mapping"])
        starts = [start for start, _ in offsets]
        labels = [IGNORED] * len(ids)
        weights = [0.0] * len(ids)
        end, fitted = 0, 0
        for index, (first, last) in spans:
            turn = row.turns[index]
            # Nothing predicts the first token.
            span = range(max(bisect_left(starts, first), 1), bisect_left(starts, last))
            if span.stop > max_length:
                break
            end, fitted = span.stop, fitted + 1
            labels[span.start : span.stop] = ids[span.start : span.stop]
            weights[span.start : span.stop] = [turn.loss] * len(span)
            for at, factor in _weighted(row, turn, text, first, offsets, span):
                weights[at] = turn.loss * factor
        return Example(ids[:end], labels[:end], weights[:end], fitted), fitted

    def _texts(self, row: Row) -> list[tuple[str, Spans]]:
        """What is trained on: rendered texts, with [start, end) characters of turns that carry loss."""
        messages = [turn.message for turn in row.turns]
        text, marks = self._render(messages, row.tools)
        if row.tools and row.tools[0]["function"]["name"] not in text:
            raise ConfigError(
                f"row {row.id}: the chat template shows no tools; use the text form of actions"
            )
        if not (self.marked and self.steady):
            return self._as_asked(row)
        starts = self._marked(text, marks, row)
        spans = [(index, self._span(row, index, text, start)) for index, start in starts.items()]
        return [(text, spans)]

    def _span(self, row: Row, index: int, text: str, start: int) -> tuple[int, int]:
        """[start, end) of a turn's characters, its end-of-turn token included."""
        message, end = row.turns[index].message, text.find(self.end, start) + len(self.end)
        said = [message.content.strip(), *(call.name for call in message.tool_calls)]
        if end < len(self.end) or any(part not in text[start:end] for part in said):
            raise ConfigError(
                f"row {row.id}, message {index}: the chat template rewrites this turn, so that what"
                " was written would not be trained; choose another `chat_template`"
            )
        return start, end

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

    def _as_asked(self, row: Row) -> list[tuple[str, Spans]]:
        """Each turn behind the prompt that the model would have been given, one text as long as that
        only grows."""
        texts: list[tuple[str, Spans]] = []
        for index, turn in enumerate(row.turns):
            if turn.loss == 0:
                continue
            before = [earlier.message for earlier in row.turns[:index]]
            prompt, _ = self._render(before, row.tools, prompt=True)
            text, _ = self._render([*before, turn.message], row.tools)
            if not text.startswith(prompt):
                raise ConfigError(
                    f"row {row.id}, message {index}: the chat template asks for a turn by"
                    f" {prompt[-40:]!r}, with which it does not begin this one; choose another"
                    " `chat_template`"
                )
            span = self._span(row, index, text, len(prompt))
            text = text[: span[1]]
            if texts and text.startswith(texts[-1][0]):
                texts[-1] = (text, [*texts[-1][1], (index, span)])
            else:
                texts.append((text, [(index, span)]))
        return texts

    def _is_steady(self) -> bool:
        """Whether the past stays as it was written, thoughts and calls too, however it goes on."""
        thought = Message("assistant", "<think>\nFirst.\n</think>\n\nSecond.")
        asked = Message("user", "Go on.")
        called = Message("assistant", "", (ToolCall("call00001", "look", "{}"),))
        found = Message("tool", "A desk.", tool_call_id="call00001")
        talks = [[asked, thought, asked, thought, asked], [asked, called, found, called, found]]
        for talk in talks:
            try:
                whole = self._render(talk)[0]
                written = [self._render(talk[:end])[0] for end in (2, 4)]
            except ConfigError:  # it knows no tools
                continue
            # A text may go on only behind the end of its last turn.
            if not all(whole.startswith(text[: text.rfind(self.end)]) for text in written):
                return False
        return True

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
