"""Grammars over a tokenizer: which tokens may come next. The automaton is llguidance's.

A guide belongs to one candidate and sees its tokens only, so what is drawn under a grammar depends on
the company as little as anything else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from typing import Any

from torch import Tensor

from tmbr.core.errors import ConfigError
from tmbr.core.grammar import Grammar, Pattern, chars, either, literal
from tmbr.models.schemas import call

#: Tokens beyond those of an ending at which a turn begins to be brought to one; and characters kept
#: back, as what is written in two parts may take a token more than whole.
SLACK, SPARE = 32, 4
#: What a turn is ended with: one token each, at most; and where that cannot be, whatever it needs.
_ENDINGS = (r"[\x20-\x7e\n]", r"(?s:.)")


class Guides:
    """Makes guides for one tokenizer. Raises ConfigError where there is no llguidance."""

    def __init__(self, tokenizer: Any, stop: frozenset[int]) -> None:
        try:
            import llguidance.hf
        except ImportError:
            raise ConfigError(
                "constrained decoding needs llguidance: pip install 'tmbr[train]'"
            ) from None
        self._tokens = llguidance.hf.from_tokenizer(tokenizer, eos_token=sorted(stop), slices=[])
        self._made: Any = lru_cache(maxsize=64)(self._compiled)

    def begin(self, grammar: Grammar, room: int) -> Guide:
        """For an answer of at most `room` tokens. Raises ConfigError for what cannot be compiled."""
        pattern = written(grammar)
        matcher = self._made(pattern.regex)
        if matcher.is_error():
            raise ConfigError(f"the grammar cannot be used: {matcher.get_error().splitlines()[0]}")
        return Guide(self, pattern, matcher.deep_copy(), room)

    @property
    def words(self) -> int:
        """Of 32 tokens each: how long a mask is."""
        size: int = self._tokens.vocab_size
        return -(-size // 32)

    def ended(self, regex: str, text: str, length: int) -> Any:
        """A matcher of what goes on from `text` for `length` characters at most; None without any."""
        if length < 0:
            return None
        begun = "".join(f"\\x{{{ord(letter):x}}}" for letter in text)
        for ending in _ENDINGS:
            matcher = self._made(regex, f"{begun}{ending}{{0,{length}}}").deep_copy()
            matcher.consume_tokens(self._tokens.tokenize_str(text))
            matcher.compute_bitmask()  # only now does one that leads nowhere say so
            if matcher.is_accepting() or not matcher.is_stopped():
                return matcher
        return None

    def count(self, text: str) -> int:
        """Tokens that a text takes."""
        return len(self._tokens.tokenize_str(text))

    def text(self, tokens: Sequence[int]) -> bytes:
        found: bytes = self._tokens.decode_bytes(list(tokens))
        return found

    def _compiled(self, regex: str, also: str = "") -> Any:
        from llguidance import LLMatcher

        both = " & ".join("/" + one.replace("/", "\\/") + "/" for one in (regex, also) if one)
        grammar = {"grammars": [{"lark_grammar": f"start: TURN\nTURN: {both}"}]}
        return LLMatcher(self._tokens, json.dumps(grammar), log_level=0)


class Guide:
    """What one candidate may write. No turn is cut in its middle: near the end of the room only what
    leads to an end is allowed."""

    def __init__(self, guides: Guides, pattern: Pattern, matcher: Any, room: int) -> None:
        self._guides, self._pattern, self._matcher = guides, pattern, matcher
        self._left, self._tokens = room, list[int]()
        self._needed = guides.count(pattern.enough) + 1
        self._ending: int | None = None
        self._end_in_time()

    def copy(self) -> Guide:
        """For another candidate, from here on."""
        other = copy(self)
        other._matcher, other._tokens = self._matcher.deep_copy(), [*self._tokens]
        return other

    def fill(self, mask: Tensor) -> None:
        """Set the bits of the tokens that may come next, an end among them where the turn may end.

        mask: int32[words], contiguous and in the memory of the CPU; a token beyond it never may.
        """
        words = self._guides.words
        mask[words:] = 0
        self._matcher.unsafe_compute_mask_ptr(mask.data_ptr(), 4 * words)

    def take(self, token: int) -> None:
        """Go on with a token that was allowed."""
        self._matcher.consume_token(token)
        self._tokens.append(token)
        self._left -= 1
        self._end_in_time()

    def _end_in_time(self) -> None:
        """Cut the grammar down to the turns that fit the room: first to the characters of an ending and
        one for every token that it leaves; then, whenever half of the room is used up, to one for every
        token, where that can still be."""
        first = self._ending is None
        due = self._needed + SLACK if self._ending is None else self._ending // 2
        if self._left > due or self._matcher.is_stopped():
            return
        try:
            text = self._guides.text(self._tokens).decode()
        except UnicodeDecodeError:  # within a letter: at the next token then
            return
        self._ending = self._left
        length = len(self._pattern.enough) - self._needed - SPARE if first else -1
        self._matcher = (
            self._guides.ended(self._pattern.regex, text, length + self._left) or self._matcher
        )


def written(grammar: Grammar) -> Pattern:
    """A turn as a local model writes it: calls as `tmbr.models.encoding.tool_calls` reads them."""
    turns = [grammar.text] if grammar.text else []
    if grammar.tools:
        before, newline = chars(r"[^<\x00-\x08\x0b-\x1f\x7f-\x9f]"), literal("\n").times(0, 1)
        made = newline + call(grammar.tools) + newline
        turns.append(before + "<tool_call>" + made + "</tool_call>")
    return either(turns)
