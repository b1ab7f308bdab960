"""What a shopper is asked for, read from the instruction."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tmbr.environments.webshop.analysis import STOP_WORDS

_LIMIT = re.compile(r",? and price lower than ([\d.]+) dollars?\b")
_OPTION = re.compile(r"([a-z][\w -]{0,30}): (.+)", re.DOTALL)
_LISTED = (
    re.compile(r"i am looking for (?P<name>.+?) with these properties: (?P<all>.+)", re.DOTALL),
    re.compile(r"i need (?P<name>.+?)\. please make sure of the following: (?P<all>.+)", re.DOTALL),
)
_FIND = re.compile(r"find me (?P<all>.+)", re.IGNORECASE | re.DOTALL)
_BRACKETS = re.compile(r"[\[\]\s]+")
_WORD = re.compile(r"\w+")
_TALK = "i me my am im need want would like looking look find please can you"
_SAID = STOP_WORDS | set(_TALK.split())


@dataclass(frozen=True, slots=True)
class Wish:
    """phrases: to be found word for word. words: to be found anywhere; they have the thing's name too.

    options: wanted values. limit: of the price, in dollars.
    """

    phrases: tuple[str, ...]
    words: tuple[str, ...]
    options: tuple[str, ...]
    limit: float | None

    @property
    def keywords(self) -> str:
        """What to search for; a search has no brackets."""
        words = _BRACKETS.sub(" ", " ".join([*self.phrases, *self.words, *self.options]))
        return words.strip() or "anything"

    @property
    def short(self) -> str:
        """A search in fewer words: without the options."""
        return _BRACKETS.sub(" ", self.name).strip() or "anything"

    @property
    def name(self) -> str:
        """In a few words."""
        return " ".join([*self.phrases, *self.words])

    def missing(self, text: str) -> list[str]:
        """The wishes that a text in lower case says nothing of."""
        said = set(_WORD.findall(text))
        lacking = [phrase for phrase in self.phrases if phrase not in text]
        return lacking + [word for word in self.words if word not in said]


def read_wish(instruction: str) -> Wish:
    """The wish of an instruction of any form; of an unknown one, its words."""
    text = instruction.lower()
    found = _LIMIT.search(text)
    limit = _number(found[1]) if found else None
    text = _LIMIT.sub("", text)
    text, options = _options(text)
    for form in _LISTED:
        if told := form.fullmatch(text):
            return Wish(tuple(told["all"].split(", ")), _words(told["name"]), options, limit)
    if told := _FIND.fullmatch(text):
        # The last phrase before the thing's name runs into it, so both are taken word by word.
        *phrases, last = re.split(r", | with | for ", told["all"].split(" with ", 1)[0])
        later = re.split(r", | with | for ", told["all"].partition(" with ")[2])
        return Wish((*phrases, *filter(None, later)), _words(last), options, limit)
    return Wish((), _words(text), options, limit)


def _options(text: str) -> tuple[str, tuple[str, ...]]:
    """The text before its last list of options, and their values."""
    at = text.rfind(" with ")
    while at >= 0:
        parts = [_OPTION.fullmatch(part) for part in text[at + len(" with ") :].split(", and ")]
        if all(parts):
            return text[:at], tuple(part[2] for part in parts if part)
        at = text.rfind(" with ", 0, at)
    return text, ()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in _WORD.findall(text) if word not in _SAID)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
