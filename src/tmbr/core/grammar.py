r"""What a turn may be: regular languages, in the two notations that engines read.

    "Thought: " + LINE + "\nAction: " + LINE
    one_of(["look", "inventory"])

A form of actions is regular, its tools' arguments too, so nothing stronger is needed; and a regular
expression can be checked after the fact, where a server may have ignored it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

#: What a strategy may ask for: a turn of the form, or one whose action was listed by the world.
Constraint = Literal["format", "admissible"]

_SPECIAL = re.compile(r"[\\.^$*+?()\[\]{}|]")
_NEWLINES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular language. regex: as `re`, Rust, vLLM and SGLang read it. gbnf: as llama.cpp does.

    enough: what ends any text that has begun well is no longer than this.
    """

    regex: str
    gbnf: str
    enough: str

    def __add__(self, other: Pattern | str) -> Pattern:
        after = literal(other) if isinstance(other, str) else other
        both = f"{self.gbnf} {after.gbnf}"
        return Pattern(self.regex + after.regex, both, self.enough + after.enough)

    def __radd__(self, before: str) -> Pattern:
        return literal(before) + self

    def __or__(self, other: Pattern) -> Pattern:
        return either([self, other])

    def times(self, least: int = 0, most: int | None = None) -> Pattern:
        """This, again and again; `most` None is without end."""
        count = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((least, most))
        count = count or f"{{{least},{'' if most is None else most}}}"
        return Pattern(f"(?:{self.regex}){count}", f"({self.gbnf}){count}", self.enough * least)

    def fits(self, text: str) -> bool:
        """Whether the whole text is of this language."""
        return re.fullmatch(self.regex, text) is not None


def literal(text: str) -> Pattern:
    """This text and no other."""
    regex = _SPECIAL.sub(r"\\\g<0>", text)
    gbnf = text.replace("\\", "\\\\").replace('"', '\\"')
    for mark, written in _NEWLINES.items():
        regex, gbnf = regex.replace(mark, written), gbnf.replace(mark, written)
    return Pattern(regex, f'"{gbnf}"', text)


def one_of(texts: Iterable[str]) -> Pattern:
    """One of these texts; there must be at least one."""
    return either([literal(text) for text in texts])


def chars(of: str, least: int = 0, most: int | None = None) -> Pattern:
    r"""Characters of a class that both notations write alike, as `[^\x00-\x1f]`."""
    return Pattern(of, of, "x").times(least, most)


def either(patterns: Sequence[Pattern]) -> Pattern:
    """One of these; there must be at least one."""
    if len(patterns) == 1:
        return patterns[0]
    return Pattern(
        f"(?:{'|'.join(p.regex for p in patterns)})",
        f"({' | '.join(p.gbnf for p in patterns)})",
        max((p.enough for p in patterns), key=len),
    )


#: Control characters, and whatever Python strips as a space, as the inside of a class.
CONTROL = r"\x00-\x1f\x7f-\x9f"
SPACES = CONTROL + " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def line(but: str = "") -> Pattern:
    """A line that does not begin with a blank, without the characters of `but`."""
    return chars(f"[^{but}{SPACES}]", 1, 1) + chars(f"[^{but}{CONTROL}]")


LINE = line()
#: One or more lines; it begins with neither a blank nor a colon.
TEXT = chars(f"[^:{SPACES}]", 1, 1) + chars(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Grammar:
    """The turns that a form allows in a conversation; at least one of the two is there.

    text: turns without a call. tools: in the OpenAI function schema, for turns that call exactly one of
    them; the schemas may be narrower than those that were offered (an `enum` of what is admissible).
    """

    text: Pattern | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
