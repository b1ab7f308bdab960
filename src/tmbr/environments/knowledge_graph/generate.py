"""Seeded graphs of our own: people, films, places, measurements; thousands of facts to a million."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from zlib import crc32

from .graph import Fact, MemoryGraph
from .schema import (
    ATTRIBUTES,
    CITY,
    COUNTRY,
    FILM,
    GENRE,
    INSTRUMENT,
    LANGUAGE,
    PERSON,
    PROFESSION,
    READING,
    RELATIONS,
    STUDIO,
    Attribute,
)


def _words(text: str) -> list[str]:
    return text.split()


#: Part of every sample's digest; raise it when the same seed gives another graph or question.
GENERATOR = "1"
#: Names of graphs whose seeds differ modulo this never meet.
FAMILIES = 3
#: Facts for one thing of each type, its share of all facts; readings make up the number.
_SHARES = {PERSON: 45, FILM: 110, STUDIO: 2_000, CITY: 400, COUNTRY: 4_000, INSTRUMENT: 500}
_GENRES = _words("drama comedy western mystery romance thriller musical documentary fantasy horror")
_TRADES = _words("actor director baker surgeon welder pilot lawyer farmer weaver printer glazier cook")
_HEADS = _words("b br d dr f g gr h j k kl l m n p r s st t tr v w")
_HEARTS = _words("a e i o u ai ea ou")
_TAILS = _words("l m n r s t nd rk ll st")
_FIRST = _words("Silent Golden Broken Distant Hollow Bitter Crimson Frozen Hidden Gentle Burning Last")
_THEN = _words("Harbour Winter Letter Garden Mirror River Orchard Signal Castle Bridge Summer Lantern")


@dataclass(frozen=True)
class World:
    """A generated graph as plain facts. names: id -> name, of what has one. types: type -> its ids."""

    facts: Sequence[Fact]
    names: dict[str, str]
    types: dict[str, list[str]]

    @cached_property
    def graph(self) -> MemoryGraph:
        return MemoryGraph(self.facts)

    @cached_property
    def index(self) -> dict[tuple[str, str], list[str | int | float]]:
        """(subject, relation or attribute) -> values."""
        found: dict[tuple[str, str], list[str | int | float]] = {}
        for subject, name, value in self.facts:
            found.setdefault((subject, name), []).append(value)
        return found


def generate(triples: int, seed: int) -> World:
    """About this many facts (never more; at least 5,000). Equal arguments, equal worlds."""
    draft = _Draft(Random(seed), seed % FAMILIES)
    for kind, share in _SHARES.items():
        for _ in range(max(4, triples // share)):
            draft.thing(kind)
    for kind, names in ((GENRE, _GENRES), (PROFESSION, _TRADES)):
        for name in names:
            draft.thing(kind, name)
    draft.countries()
    draft.cities()
    draft.people()
    draft.films()
    draft.instruments()
    draft.readings(triples)
    return World(draft.facts, draft.names, draft.types)


@dataclass(slots=True)
class _Draft:
    """A graph that grows. family: which names it may use."""

    rng: Random
    family: int
    facts: list[Fact] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    types: dict[str, list[str]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    count: int = 0

    def thing(self, kind: str, name: str | None = None) -> str:
        """A new thing of a type, with its numbers; readings have no name."""
        self.count += 1
        made = f"m.0{self.count:06x}"
        self.types.setdefault(kind, []).append(made)
        if name is None and kind != READING:
            name = self._name(kind)
        if name is not None:
            self.names[made] = name
        for attribute in _OWNED.get(kind, ()):
            self.facts.append((made, attribute.name, self._number(attribute)))
        return made

    def link(self, source: str, relation: str, target: str) -> None:
        """A fact and the one that says the same from the other side."""
        self.facts.append((source, relation, target))
        self.facts.append((target, RELATIONS[relation].inverse, source))

    def countries(self) -> None:
        for country in self.types[COUNTRY]:
            language = self.thing(LANGUAGE, f"{self.names[country]}ish")
            self.link(country, "location.country.official_language", language)

    def cities(self) -> None:
        for city in self.types[CITY]:
            self.link(city, "location.city.country", self._one(COUNTRY))
        for studio in self.types[STUDIO]:
            self.link(studio, "film.studio.headquarters", self._one(CITY))

    def people(self) -> None:
        """Parents and teachers are older by number, so nobody is their own ancestor."""
        people = self.types[PERSON]
        for number, person in enumerate(people):
            self.link(person, "people.person.place_of_birth", self._one(CITY))
            for city in self._some(CITY, 1, 2):
                self.link(person, "people.person.places_lived", city)
            self.link(person, "people.person.citizenship", self._one(COUNTRY))
            for trade in self._some(PROFESSION, 1, 2):
                self.link(person, "people.person.profession", trade)
            elders = people[max(0, number - 200) : number]
            for relation in ("people.person.parents", "people.person.teachers"):
                for elder in self.rng.sample(elders, min(len(elders), self.rng.randint(0, 2))):
                    self.link(person, relation, elder)

    def films(self) -> None:
        """A few busy people make most films: their lists are long, those of others short."""
        people = self.types[PERSON]
        busy = self.rng.sample(people, max(4, len(people) // 6))
        for film in self.types[FILM]:
            for relation, least, most in _CREW:
                pool = busy if self.rng.random() < 0.7 else people
                for person in self.rng.sample(pool, min(len(pool), self.rng.randint(least, most))):
                    self.link(film, relation, person)
            for genre in self._some(GENRE, 1, 2):
                self.link(film, "film.film.genre", genre)
            for city in self._some(CITY, 1, 3):
                self.link(film, "film.film.filming_locations", city)
            for language in self._some(LANGUAGE, 1, 2):
                self.link(film, "film.film.language", language)
            self.link(film, "film.film.studio", self._one(STUDIO))

    def instruments(self) -> None:
        for instrument in self.types[INSTRUMENT]:
            self.link(instrument, "measurement.instrument.built_by", self._one(PERSON))
            self.link(instrument, "measurement.instrument.installed_in", self._one(CITY))

    def readings(self, triples: int) -> None:
        """As many as still fit: four facts of links and three numbers each."""
        while len(self.facts) + 4 + len(_OWNED[READING]) <= triples:
            reading = self.thing(READING)
            self.link(reading, "measurement.reading.place", self._one(CITY))
            self.link(reading, "measurement.reading.instrument", self._one(INSTRUMENT))

    def _one(self, kind: str) -> str:
        return self.rng.choice(self.types[kind])

    def _some(self, kind: str, least: int, most: int) -> list[str]:
        things = self.types[kind]
        return self.rng.sample(things, min(len(things), self.rng.randint(least, most)))

    def _number(self, attribute: Attribute) -> int:
        """Evenly drawn where the limits are near, by magnitude where they are far apart."""
        least, most = attribute.least, attribute.most
        if least > 0 and most > 50 * least:
            return round(least * math.pow(most / least, self.rng.random()))
        return self.rng.randint(least, most)

    def _name(self, kind: str) -> str:
        """A name of this graph's family that no other thing has."""
        while True:
            name = self._drawn(kind)
            if name not in self.taken and crc32(name.encode()) % FAMILIES == self.family:
                self.taken.add(name)
                return name

    def _drawn(self, kind: str) -> str:
        word = self._word
        if kind == PERSON:
            return f"{word(1)} {word(2)}"
        if kind == FILM:
            return f"{self.rng.choice(_FIRST)} {self.rng.choice(_THEN)} of {word(2)}"
        if kind == STUDIO:
            return f"{word(2)} Pictures"
        if kind == INSTRUMENT:
            return f"{word(2)} Gauge {self.rng.randint(1, 99)}"
        return word(2) + ("ia" if kind == COUNTRY else "")

    def _word(self, syllables: int) -> str:
        draw = self.rng.choice
        return "".join(
            draw(_HEADS) + draw(_HEARTS) + draw(_TAILS) for _ in range(syllables)
        ).capitalize()


_OWNED: dict[str, list[Attribute]] = {}
for _attribute in ATTRIBUTES.values():
    _OWNED.setdefault(_attribute.owner, []).append(_attribute)

# relation, fewest and most people of a film
_CREW = (
    ("film.film.directed_by", 1, 2),
    ("film.film.starring", 2, 6),
    ("film.film.written_by", 1, 3),
    ("film.film.produced_by", 1, 2),
    ("film.film.music_by", 1, 1),
    ("film.film.edited_by", 1, 2),
)
