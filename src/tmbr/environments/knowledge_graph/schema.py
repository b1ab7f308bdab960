"""What our own graphs speak of: people, films, places, measurements, and how each link is said.

A phrase ends with what it is about, so that phrases nest: `the actors in the films directed by NAME`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .tools import Ontology

PERSON, PROFESSION = "people.person", "people.profession"
FILM, GENRE, STUDIO = "film.film", "film.genre", "film.studio"
CITY, COUNTRY, LANGUAGE = "location.city", "location.country", "language.human_language"
READING, INSTRUMENT = "measurement.reading", "measurement.instrument"
#: Types whose things have names of their own: a question starts from these.
NAMED = (PERSON, FILM, STUDIO, CITY, COUNTRY, INSTRUMENT)


@dataclass(frozen=True, slots=True)
class Relation:
    """One direction of a link. inverse: the relation that leads back. phrases: wordings, all equal."""

    name: str
    inverse: str
    source: str
    target: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A number that things of a type have, between two limits."""

    name: str
    owner: str
    noun: str
    least: int
    most: int


# source type, relation, phrases | target type, relation back, its phrases
_LINKS = f"""
{PERSON} people.person.films_directed = the films directed by; the films that were directed by
{FILM} film.film.directed_by = the directors of; the people who directed
{PERSON} people.person.films_acted_in = the films starring; the films with a role for
{FILM} film.film.starring = the actors in; the people who acted in
{PERSON} people.person.films_written = the films written by; the films with a script by
{FILM} film.film.written_by = the writers of; the people who wrote
{PERSON} people.person.films_produced = the films produced by; the films that were produced by
{FILM} film.film.produced_by = the producers of; the people who produced
{PERSON} people.person.films_scored = the films with music by; the films scored by
{FILM} film.film.music_by = the composers of; the people who wrote the music of
{PERSON} people.person.films_edited = the films edited by; the films that were cut by
{FILM} film.film.edited_by = the editors of; the people who edited
{FILM} film.film.genre = the genres of; the kinds of film of
{GENRE} film.genre.films_in_this_genre = the films in the genre; the films of the kind
{FILM} film.film.filming_locations = the filming locations of; the places where one shot
{CITY} location.city.films_shot_here = the films shot in; the films made on location in
{FILM} film.film.language = the spoken languages of; the languages heard in
{LANGUAGE} language.human_language.films = the films spoken in; the films in the language
{STUDIO} film.studio.films = the films released by; the films of the studio
{FILM} film.film.studio = the studios behind; the studios that released
{STUDIO} film.studio.headquarters = the seats of; the places where one finds the head office of
{CITY} location.city.studios = the studios based in; the studios with a head office in
{PERSON} people.person.place_of_birth = the birthplaces of; the places of birth of
{CITY} location.city.people_born_here = the people born in; the natives of
{PERSON} people.person.places_lived = the homes of; the places lived in by
{CITY} location.city.residents = the residents of; the people who live in
{PERSON} people.person.citizenship = the countries of citizenship of; the home countries of
{COUNTRY} location.country.citizens = the citizens of; the people with a passport of
{PERSON} people.person.children = the children of; the sons and daughters of
{PERSON} people.person.parents = the parents of; the mothers and fathers of
{PERSON} people.person.teachers = the teachers of; the people who taught
{PERSON} people.person.pupils = the pupils of; the people who were taught by
{PERSON} people.person.profession = the professions of; the trades of
{PROFESSION} people.profession.people = the people with the job; the people of the trade
{CITY} location.city.country = the countries around; the countries that hold
{COUNTRY} location.country.cities = the cities of; the cities found in
{COUNTRY} location.country.official_language = the official languages of; the state languages of
{LANGUAGE} language.human_language.countries = the countries with the language; the countries that speak
{CITY} location.city.readings = the readings taken in; the readings from
{READING} measurement.reading.place = the places of; the places behind
{INSTRUMENT} measurement.instrument.readings = the readings taken with; the readings given by
{READING} measurement.reading.instrument = the instruments used for; the instruments behind
{PERSON} people.person.instruments_built = the instruments built by; the instruments made by
{INSTRUMENT} measurement.instrument.built_by = the builders of; the people who built
{INSTRUMENT} measurement.instrument.installed_in = the places that house; the places around
{CITY} location.city.instruments = the instruments installed in; the instruments housed in
"""
_ATTRIBUTES = f"""
{PERSON} height_centimetres height 140 210
{PERSON} year_of_birth year of birth 1900 2000
{FILM} runtime_minutes running time 60 240
{FILM} budget_thousands budget 50 300000
{FILM} release_year release year 1920 2025
{CITY} population population 500 9000000
{CITY} elevation_metres elevation 0 4000
{COUNTRY} area_square_kilometres area 300 9000000
{COUNTRY} population population 20000 900000000
{STUDIO} founded_year founding year 1900 2020
{STUDIO} employees number of employees 2 20000
{READING} temperature_tenths temperature -400 450
{READING} rainfall_millimetres rainfall 0 400
{READING} year year of measurement 1950 2025
{INSTRUMENT} mass_grams mass 20 90000
"""


def _relations() -> dict[str, Relation]:
    said: list[tuple[str, str, tuple[str, ...]]] = []
    for line in _LINKS.strip().split("\n"):
        head, _, wordings = line.partition(" = ")
        source, name = head.split(" ")
        said.append((source, name, tuple(f"{wording} " for wording in wordings.split("; "))))
    found = {}
    for one, other in zip(said[::2], said[1::2], strict=True):
        for (source, name, phrases), (target, inverse, _) in ((one, other), (other, one)):
            found[name] = Relation(name, inverse, source, target, phrases)
    return found


def _attributes() -> dict[str, Attribute]:
    found = {}
    for line in _ATTRIBUTES.strip().split("\n"):
        owner, name, *noun, least, most = line.split(" ")
        full = f"{owner}.{name}"
        found[full] = Attribute(full, owner, " ".join(noun), int(least), int(most))
    return found


RELATIONS: Mapping[str, Relation] = _relations()
ATTRIBUTES: Mapping[str, Attribute] = _attributes()
ONTOLOGY = Ontology(
    frozenset(RELATIONS),
    frozenset(ATTRIBUTES),
    {name: relation.target for name, relation in RELATIONS.items()},
)


def leading_from(source: str) -> list[Relation]:
    """The relations of things of a type, in the order of the table."""
    return [relation for relation in RELATIONS.values() if relation.source == source]
