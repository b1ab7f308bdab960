"""What a player can know of a house from what it was told: the expert's memory.

It is built from the conversation alone, so it is right for any branch and after any fork.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_NAME = re.compile(r"\b([a-z]+) (\d+)\b")
_SEEN = re.compile(r"(?:On|In) (?:the [a-z]+ \d+|it), you see (.*?)\.")
_MOVES = {
    "take": re.compile(r"take ([a-z]+ \d+) from ([a-z]+ \d+)$"),
    "put": re.compile(r"put ([a-z]+ \d+) in/on ([a-z]+ \d+)$"),
    "treat": re.compile(r"(clean|heat|cool) ([a-z]+ \d+) with ([a-z]+ \d+)$"),
}
_TREATED = {"clean": "clean", "heat": "hot", "cool": "cool"}


def kind(name: str) -> str:
    """`mug 1` -> `mug`."""
    return name.rsplit(" ", 1)[0]


def names(text: str) -> list[str]:
    return [f"{word} {number}" for word, number in _NAME.findall(text)]


def places(room: str) -> tuple[str, ...]:
    """The places that the first description of a room names, in its order."""
    told = room.rsplit("Looking quickly around you, you see", 1)[-1].split("\n", 1)[0]
    return tuple(names(told))


@dataclass(slots=True)
class Memory:
    """places: in the order told. contents: last seen, by place. hidden: known to be closed.

    together: places reached at once, by each of them. unfit: (kind, place) that a place did not take.
    failed: commands that did nothing since something last changed. known_then: how many places had
    been searched when the hands last got full or empty.
    """

    places: tuple[str, ...]
    contents: dict[str, list[str]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    at: str | None = None
    holding: str | None = None
    treated: set[tuple[str, str]] = field(default_factory=set)
    placed: dict[str, str] = field(default_factory=dict)
    together: dict[str, frozenset[str]] = field(default_factory=dict)
    unfit: set[tuple[str, str]] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    known_then: int = 0

    @classmethod
    def of(cls, room: str, turns: Iterable[tuple[str, str]]) -> Memory:
        """From the first description of the room and (command, answer) pairs."""
        memory = cls(places(room))
        for command, answer in turns:
            memory.hear(command, answer)
        return memory

    def hear(self, command: str, answer: str) -> None:
        """Take in what the world answered to one command."""
        if answer.startswith("Nothing happens"):
            self._refused(command)
            return
        if not command.startswith(("look", "inventory", "examine ")):
            self.failed.clear()
        if command.startswith("go to "):
            self.at = command.removeprefix("go to ")
        if (here := self._looked_at(command)) is not None:
            self._look(here, command, answer)
        if move := _MOVES["take"].match(command):
            self.holding = move[1]
            self.contents[move[2]] = [o for o in self.contents.get(move[2], []) if o != move[1]]
            self.placed.pop(move[1], None)
        elif move := _MOVES["put"].match(command):
            self.holding = None
            self.contents.setdefault(move[2], []).append(move[1])
            self.placed[move[1]] = move[2]
        if _MOVES["take"].match(command) or _MOVES["put"].match(command):
            self.known_then = len(self.contents)
        if move := _MOVES["treat"].match(command):
            self.treated.add((move[2], _TREATED[move[1]]))

    def _refused(self, command: str) -> None:
        """Learn why nothing happened, where the command tells."""
        self.failed.add(command)
        if command.startswith("go to ") and self.at is not None:
            place = command.removeprefix("go to ")
            if place in self.places:  # no way leads where one already is
                here = self._beside(self.at) | self._beside(place)
                self.together.update(dict.fromkeys(here, here))
        elif (move := _MOVES["take"].match(command)) and self.at_hand(move[2]):
            if self.searched(move[2]):  # what is closed was not seen yet
                self.contents[move[2]] = [o for o in self.contents[move[2]] if o != move[1]]
        elif (move := _MOVES["put"].match(command)) and move[1] == self.holding:
            thing, place = move.groups()
            if self.at_hand(place) and self.searched(place) and place not in self.hidden:
                self.unfit.add((kind(thing), place))

    def _looked_at(self, command: str) -> str | None:
        """The place that a command's answer speaks of: the one it names, or where one stands."""
        named = [place for place in names(command)[-1:] if self.at_hand(place)]
        return named[0] if named else self.at

    def at_hand(self, place: str) -> bool:
        """Whether one stands at this place."""
        return self.at is not None and place in self._beside(self.at)

    def _beside(self, place: str) -> frozenset[str]:
        return self.together.get(place, frozenset({place}))

    def _look(self, here: str, command: str, answer: str) -> None:
        if command.startswith("close ") or "is closed" in answer:
            self.hidden.add(here)
        elif command.startswith(("go to ", "open ", "examine ")) and (seen := _SEEN.search(answer)):
            self.hidden.discard(here)
            self.contents[here] = names(seen[1])

    def where(self, wanted: str) -> list[tuple[str, str]]:
        """(object, place) for each object of this kind that was seen and still lies there."""
        return [
            (thing, place)
            for place, things in self.contents.items()
            for thing in things
            if kind(thing) == wanted
        ]

    @property
    def since_change(self) -> int:
        """Places searched since the hands last got full or empty."""
        return len(self.contents) - self.known_then

    def searched(self, place: str) -> bool:
        return place in self.contents
