"""What is asked on a site, as a value and as a sentence that can be read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .themes import THEMES, Field, Theme


@dataclass(frozen=True, slots=True)
class Pick:
    """Which item: by its name, or else by what it is, a quality, and (above 0) the most it may cost."""

    name: str = ""
    noun: str = ""
    quality: str = ""
    at_most: int = 0

    @property
    def query(self) -> str:
        """What to search for."""
        return self.name or self.noun

    def fits(self, name: str, summary: str) -> bool:
        """Whether an item that a page shows so is meant."""
        if self.name:
            return name.lower() == self.name.lower()
        told = summary.lower().split(", ")
        price = re.match(r"£(\d+)", summary)
        cheap = not self.at_most or (price is not None and int(price[1]) <= self.at_most)
        return name.lower().endswith(f" {self.noun}") and self.quality in told and cheap

    def __str__(self) -> str:
        if self.name:
            return f"the {self.name}"
        article = "an" if self.noun[0] in "aeiou" else "a"
        most = f", at most £{self.at_most}" if self.at_most else ""
        return f"{article} {self.noun} ({self.quality}{most})"


@dataclass(frozen=True, slots=True)
class Goal:
    """An item, and what is to be filled in, by label; all else stays as it is."""

    theme: Theme
    pick: Pick
    wants: Mapping[str, str] = field(default_factory=dict)

    def value(self, asked: Field) -> str:
        """What a field must hold; empty where its default may stay."""
        searched = self.theme.search.fields
        if searched and asked is searched[0] and not self.theme.by_place:
            return self.pick.query
        return self.wants.get(asked.label, "")

    def sentence(self, wording: int) -> str:
        """One of the two ways in which it is said."""
        said = f"{self.theme.verb} {self.pick}"
        told = [(label, value) for label, value in self.wants.items()]
        if wording == 0:
            return f"{said}. " + " ".join(f"{label}: {value}." for label, value in told)
        *most, last = [f"{label.lower()} {value}" for label, value in told]
        return f"{said} with {', '.join(most)} and {last}." if most else f"{said} with {last}."


_SAID = re.compile(
    r"(?:the (?P<name>[^.(]+?)"
    r"|an? (?P<noun>[^.(]+?) \((?P<quality>[^,)]+)(?:, at most £(?P<most>\d+))?\))"
    r"(?: with (?P<listed>.*)|\. (?P<told>.*))$"
)


def read(sentence: str) -> Goal | None:
    """The goal of a sentence, None for a sentence that is none of ours."""
    for theme in THEMES:
        verb, rest = f"{theme.verb} ", sentence.strip()
        if rest.startswith(verb) and (found := _SAID.fullmatch(rest[len(verb) :])):
            most = int(found["most"]) if found["most"] and len(found["most"]) < 9 else 0
            pick = Pick(found["name"] or "", found["noun"] or "", found["quality"] or "", most)
            return Goal(theme, pick, _wants(theme, found["listed"], found["told"]))
    return None


def fields(theme: Theme) -> list[Field]:
    """All fields of a site, in the order in which a visit meets them."""
    screens = (theme.search, theme.item, *theme.details)
    return [one for screen in screens for one in screen.fields]


def _wants(theme: Theme, listed: str | None, told: str | None) -> dict[str, str]:
    parts = re.split(r", | and ", listed) if listed else re.split(r"\. ", told or "")
    wants = {}
    for part in parts:
        said = part.removesuffix(".")
        for one in fields(theme):
            for start in (f"{one.label}: ", f"{one.label.lower()} "):
                if said.startswith(start):
                    wants[one.label] = said[len(start) :]
    return wants
